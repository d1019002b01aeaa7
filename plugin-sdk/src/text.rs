//! Text for channels with limits, and the plain text of a page or a question that channels without
//! formatting share.

use crate::types::{Fact, Page, PageItem, Prompt};

/// Further incidents that a plain text names in a line each; the rest is counted.
const NAMED_MAX: usize = 10;
/// The facts that matter most at night, in this order; the others follow.
const BRIEF_NAMES: [&str; 6] = ["Asked", "Since", "Security", "Hidden", "Summary", "Alerts"];
/// Facts that the title tells too.
const TITLE_NAMES: [&str; 2] = ["Grade", "Drill"];
const BRIEF_FACTS_MAX: usize = 3;
/// Of what a text for little room tells, in characters.
const BRIEF_TITLE_CHARS_MAX: usize = 300;
const BRIEF_FACT_CHARS_MAX: usize = 120;
const BRIEF_URL_CHARS_MAX: usize = 200;

/// Cuts a text to at most `max` characters, the last of which is then `…`. A link that does not fit
/// is left out.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.into();
    }
    let end = text.char_indices().nth(max.saturating_sub(1));
    cut_at(text, end.map_or(text.len(), |(at, _)| at))
}

/// Cuts a text to at most `max` bytes of UTF-8, which is what some services count; it then ends in
/// `…`. A link that does not fit is left out.
#[must_use]
pub fn cut_bytes(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.into();
    }
    cut_at(
        text,
        text.floor_char_boundary(max.saturating_sub('…'.len_utf8())),
    )
}

/// The beginning of a link can be followed, and leads elsewhere.
fn cut_at(text: &str, end: usize) -> String {
    let last = text[..end].rsplit(char::is_whitespace).next();
    let begin = end - last.map_or(0, str::len);
    let whole = text[begin..].split(char::is_whitespace).next();
    let cuts_link = whole.is_some_and(|it| begin + it.len() > end && it.contains("://"));
    let kept = if cuts_link { begin } else { end };
    format!("{}…", text[..kept].trim_end())
}

/// Joins a text's lines, and replaces control characters and runs of white space by one space each.
#[must_use]
pub fn one_line(text: &str) -> String {
    let words = text.split(|it: char| it.is_whitespace() || it.is_control());
    words
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The title of a page's message, in one line; a test says that it is one.
#[must_use]
pub fn title(page: &Page) -> String {
    let summary = one_line(&page.summary);
    if page.test {
        format!("TEST: {summary}")
    } else {
        summary
    }
}

/// What a page says below its [`title`]: the facts and the links of each incident, and one line for
/// each further one.
#[must_use]
pub fn body(page: &Page) -> String {
    let alone = page.items.len() == 1 && page.others.is_empty();
    let mut parts = Vec::new();
    if page.test {
        parts.push("This only tests the way to you. Acknowledge it to show that it works.".into());
    }
    parts.extend(page.items.iter().map(|it| described(it, !alone)));
    let named = page.others.iter().take(NAMED_MAX);
    let mut others: Vec<String> = named
        .map(|it| format!("#{} {}", it.number, one_line(&it.headline)))
        .collect();
    let more = page.others.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        others.push(format!("and {more} more"));
    }
    if !others.is_empty() {
        parts.push(others.join("\n"));
    }
    let text = parts.join("\n\n");
    match which(page).filter(|_| alone) {
        Some(number) => format!("{text}\nIncident: {number}"),
        None => text,
    }
}

/// A page in a few lines, for text messages: its title, the most important facts, a link that is
/// not too long, and which incident it is.
#[must_use]
pub fn brief(page: &Page) -> String {
    let mut lines = vec![cut(&title(page), BRIEF_TITLE_CHARS_MAX)];
    let facts = brief_facts(page).into_iter();
    lines.extend(facts.map(|it| cut(&line(&it.name, &it.text), BRIEF_FACT_CHARS_MAX)));
    let mut links = page.items.iter().flat_map(|it| &it.links);
    let link = links.find(|it| is_web(&it.url) && it.url.chars().count() <= BRIEF_URL_CHARS_MAX);
    lines.extend(link.map(|it| line(&cut(&it.title, BRIEF_FACT_CHARS_MAX), &it.url)));
    lines.extend(which(page).map(|it| line("Incident", &it)));
    lines.join("\n")
}

/// The most important facts of a page's worst incident besides what its [`title`] tells: since when
/// first.
#[must_use]
pub fn brief_facts(page: &Page) -> Vec<&Fact> {
    let facts = page.items.first().into_iter().flat_map(|it| &it.facts);
    let is_told = |it: &&Fact| TITLE_NAMES.contains(&it.name.as_str());
    let mut facts: Vec<_> = facts.filter(|it| !is_told(it)).collect();
    let rank = |name: &str| BRIEF_NAMES.iter().position(|it| *it == name);
    facts.sort_by_key(|it| rank(&it.name).unwrap_or(BRIEF_NAMES.len()));
    facts.truncate(BRIEF_FACTS_MAX);
    facts
}

/// The number of a page's incident, such as `#42`, or `#42 and 2 more`; none for a test or a
/// reminder, which is about no incident.
#[must_use]
pub fn which(page: &Page) -> Option<String> {
    let number = page.items.first()?.incident.number;
    if number == 0 {
        return None;
    }
    match page.items.len() + page.others.len() {
        1 => Some(format!("#{number}")),
        all => Some(format!("#{number} and {} more", all - 1)),
    }
}

/// What a question says below the [`title`] of its message: until when it waits, and with
/// `with_links` the link of each answer, then what the message is about.
#[must_use]
pub fn asked(prompt: &Prompt, with_links: bool) -> String {
    let total = prompt.message.items.len() + prompt.message.others.len();
    let mut lines = vec![one_line(&prompt.otherwise)];
    if total > 1 {
        lines.push(format!("One answer counts for all {total} incidents."));
    }
    let links = prompt.choices.iter().filter(|_| with_links);
    let links = links.filter_map(|it| Some((it.label.as_str(), it.url.as_ref()?)));
    lines.extend(links.map(|(label, url)| format!("{}: {url}", one_line(label))));
    format!("{}\n\n{}", lines.join("\n"), body(&prompt.message))
}

/// The first link of a page, which is the worst incident's most important one.
#[must_use]
pub fn first_link(page: &Page) -> Option<&str> {
    let mut links = page.items.iter().flat_map(|it| &it.links);
    links.find(|it| is_web(&it.url)).map(|it| it.url.as_str())
}

fn is_web(url: &str) -> bool {
    url.starts_with("http")
}

fn line(name: &str, text: &str) -> String {
    format!("{}: {}", one_line(name), one_line(text))
}

fn described(item: &PageItem, with_headline: bool) -> String {
    let mut lines = Vec::new();
    if with_headline {
        let number = item.incident.number;
        lines.push(format!("#{number} {}", one_line(&item.headline)));
    }
    let facts = item.facts.iter();
    lines.extend(facts.map(|it| line(&it.name, &it.text)));
    if item.facts.is_empty() {
        let told = [&item.incident.summary, &item.reason];
        lines.extend(
            told.map(|it| one_line(it))
                .into_iter()
                .filter(|it| !it.is_empty()),
        );
    }
    let links = item.links.iter();
    lines.extend(links.map(|it| format!("{}: {}", one_line(&it.title), it.url)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bundle, incident, page, person, prompt};

    #[test]
    fn a_text_is_cut_at_a_character_and_keeps_to_its_limit() {
        let cases = [
            ("short", 5),
            ("a long text", 6),
            ("ümläute überall", 7),
            ("…", 1),
        ];
        for (text, max) in cases {
            assert!(cut(text, max).chars().count() <= max, "{text}");
            assert!(cut_bytes(text, max.max(3)).len() <= max.max(3), "{text}");
        }
        assert_eq!(cut("a long text", 8), "a long…");
        assert_eq!(cut_bytes("üüü", 5), "ü…");
        assert_eq!(cut_bytes("üü", 4), "üü");
    }

    #[test]
    fn a_link_is_kept_whole_or_left_out() {
        let text = "Since: 12:00\nRunbook: https://wiki.example/a?b=1 now";
        for max in 0..text.len() {
            for it in [cut(text, max), cut_bytes(text, max)] {
                let is_whole = it.contains("https://wiki.example/a?b=1");
                assert!(is_whole || !it.contains("http"), "{max}: {it}");
            }
        }
        assert_eq!(cut(text, 30), "Since: 12:00\nRunbook:…");
        assert_eq!(cut("https://wiki.example/", 9), "…");
        assert_eq!(cut("a/b:c and more", 6), "a/b:c…");
    }

    #[test]
    fn a_line_has_no_breaks_and_no_control_characters() {
        assert_eq!(one_line(" a\r\nb\t\u{7}c  d\u{2028}"), "a b c d");
    }

    #[test]
    fn a_page_is_told_in_plain_text() {
        let ada = person("ada", "ntfy", "ada");
        let alone = page("p-1", &incident(), &ada);
        assert_eq!(title(&alone), "MAJOR checkout: Checkout is down");
        let told = "Since: 12:00 (6 min ago)\nRunbook: https://wiki.example/checkout\n\
                    Incident: #42";
        assert_eq!(body(&alone), told);
        assert_eq!(brief(&alone), format!("{}\n{told}", title(&alone)));
        assert_eq!(first_link(&alone), Some("https://wiki.example/checkout"));

        let mut bare = page("p-1", &incident(), &ada);
        bare.test = true;
        bare.items[0].incident.number = 0;
        bare.items[0].facts.clear();
        bare.items[0].links.clear();
        assert_eq!(title(&bare), "TEST: MAJOR checkout: Checkout is down");
        let told = "This only tests the way to you. Acknowledge it to show that it works.\n\n\
                    5xx over 20 % for 5 minutes\nfirst step of the escalation";
        assert_eq!(body(&bare), told);
        assert_eq!(first_link(&bare), None);
    }

    #[test]
    fn a_few_lines_tell_what_matters_most_and_keep_to_their_limits() {
        let mut two = bundle(
            "b",
            &[incident(), incident()],
            &person("ada", "sms", "+1555"),
        );
        let facts = [
            "Drill", "Grade", "Alerts", "Service", "Summary", "Security", "Since",
        ];
        let fact = |name: &str| Fact {
            name: name.into(),
            text: "x".repeat(200),
        };
        two.items[0].facts = facts.map(fact).into();
        two.items[0].links[0].url = format!("https://wiki.example/{}", "x".repeat(200));
        let text = brief(&two);
        let lines: Vec<_> = text
            .lines()
            .map(|it| it.split(':').next().unwrap())
            .collect();
        let want = ["Since", "Security", "Summary", "Runbook", "Incident"];
        assert_eq!(lines[1..], want, "{text}");
        assert!(text.lines().all(|it| it.chars().count() <= 300), "{text}");
        assert!(text.ends_with("\nIncident: #42 and 1 more"), "{text}");
        two.items[0].incident.number = 0;
        assert!(!brief(&two).contains("Incident"));
    }

    #[test]
    fn a_question_is_told_in_plain_text() {
        let ada = person("ada", "sms", "+1");
        let one = prompt("m", &[incident()], &ada);
        let summary = "Are you still on it? MAJOR checkout: Checkout is down";
        assert_eq!(title(&one.message), summary);
        let told = "Please answer by 12:10. Without an answer the escalation starts again.\n\
                    Still on it: https://tocsin.example/ack/m-yes\n\
                    Page somebody else: https://tocsin.example/ack/m-no\n\n\
                    Since: 12:00 (6 min ago)\nRunbook: https://wiki.example/checkout\n\
                    Incident: #42";
        assert_eq!(asked(&one, true), told);
        let many = prompt("m", &vec![incident(); 300], &ada);
        let text = asked(&many, false);
        assert!(
            text.contains("One answer counts for all 300 incidents."),
            "{text}"
        );
        assert!(!text.contains("/ack/"), "{text}");
        assert!(text.ends_with("and 285 more"), "{text}");
    }

    #[test]
    fn a_page_about_many_incidents_names_ten_of_the_others_and_counts_the_rest() {
        let many = bundle("b", &vec![incident(); 17], &person("ada", "ntfy", "ada"));
        let text = body(&many);
        assert_eq!(text.matches("#42 MAJOR checkout").count(), 15);
        assert!(text.ends_with("\nand 2 more"), "{text}");
    }
}
