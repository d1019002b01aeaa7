//! Formats text in Slack's markup.

use tocsin_plugin_sdk::serde_json::{self, Value};
pub(crate) use tocsin_plugin_sdk::text::cut;
use tocsin_plugin_sdk::types::{Actor, Grade, Incident, Person, Status, Timestamp};

/// The longest topic or purpose that Slack accepts.
const TOPIC_CHARS_MAX: usize = 250;
const LINK_BYTES_MAX: usize = 1000;
const LINK_CHARS_MAX: usize = 60;
/// A section block allows 3000; the rest is for the text around the body.
pub(crate) const BODY_CHARS_MAX: usize = 2800;

/// Escapes the three special characters of Slack's markup.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The text on one line: whitespace and control characters become spaces, and characters that
/// change the direction of writing are removed.
pub(crate) fn one_line(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = text.chars().filter(|c| !turns(c));
    let plain: String = plain
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Converts CommonMark to Slack's markup: bold, links and headings. The rest stays unchanged.
pub(crate) fn from_markdown(markdown: &str) -> String {
    let text = escape(&cut(markdown, BODY_CHARS_MAX));
    let lines: Vec<String> = text.lines().map(markdown_line).collect();
    lines.join("\n")
}

/// The channel's topic: grade, title, status and operator.
pub(crate) fn topic(incident: &Incident) -> String {
    let mut parts = vec![format!("{}{}", labels(incident), cut(&incident.title, 120))];
    if incident.status != Status::Open {
        parts.push(incident.status.as_str().into());
    }
    parts.push(match &incident.operator {
        Some(person) => format!("operator: {}", person.name),
        None => "no operator yet".into(),
    });
    cut(&escape(&parts.join(" · ")), TOPIC_CHARS_MAX)
}

/// The marker that identifies a room as the incident's.
pub(crate) fn marker(incident_id: &str) -> String {
    format!("tocsin:{incident_id}")
}

/// The channel's purpose: the marker, then a description.
pub(crate) fn purpose(incident: &Incident) -> String {
    let text = format!(
        "{} War room of incident #{}",
        marker(&incident.id),
        incident.number
    );
    cut(&text, TOPIC_CHARS_MAX)
}

/// The topic of a public room whose incident moved. It reveals nothing about the incident.
pub(crate) fn moved(incident: &Incident) -> String {
    format!("Incident #{} moved to a private room", incident.number)
}

/// The incident in one line, e.g. ":red_circle: *Critical incident #42: Checkout is down*".
pub(crate) fn headline(incident: &Incident) -> String {
    let drill = if incident.drill { "DRILL: " } else { "" };
    let security = if incident.security { " (security)" } else { "" };
    format!(
        "{} *{drill}{} incident #{}{security}: {}*",
        emoji(incident.grade),
        capital(incident.grade.as_str()),
        incident.number,
        escape(&cut(&one_line(&incident.title), 200))
    )
}

/// The reason for the grade, from the incident's extra data.
pub(crate) fn grade_reason(incident: &Incident) -> Option<String> {
    let extra: Value = serde_json::from_str(&incident.extra).ok()?;
    let reason = extra
        .get("grade-reason")?
        .as_str()
        .filter(|it| !it.is_empty())?;
    Some(escape(&cut(reason, 500)))
}

/// A link with this title; none if the value is not the address of a page.
pub(crate) fn link(url: &Value, title: &str) -> Option<String> {
    let url = url.as_str()?;
    let is_web = ["https://", "http://"].iter().any(|it| url.starts_with(it));
    let ends_it = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '|');
    let is_sound = is_web && url.len() <= LINK_BYTES_MAX && !url.contains(ends_it);
    let title = cut(&one_line(&title.replace('|', " ")), LINK_CHARS_MAX);
    is_sound.then(|| format!("<{url}|{}>", escape(&title)))
}

/// A mention of the person if they have a Slack contact, else their name.
pub(crate) fn mention(person: &Person) -> String {
    match person.contact("slack") {
        Some(user) => format!("<@{user}>"),
        None => escape(&person.name),
    }
}

/// Mentions at the end of a line, so that Slack notifies these people; empty if none has a Slack
/// contact.
pub(crate) fn copies(people: &[Person]) -> String {
    let users = people.iter().filter_map(|it| it.contact("slack"));
    let users: String = users.map(|it| format!(" <@{it}>")).collect();
    match users.is_empty() {
        true => users,
        false => format!(" cc{users}"),
    }
}

/// Who did something.
pub(crate) fn actor(by: &Actor) -> String {
    match (&by.display_name, by.kind.as_str()) {
        (_, "slack") => format!("<@{}>", by.id),
        (Some(name), _) => escape(name),
        (None, "person") => escape(&by.id),
        (None, kind) => escape(&format!("{kind} {}", by.id)).trim_end().into(),
    }
}

/// A time, shown to each reader in their own time zone.
pub(crate) fn moment(at: Timestamp) -> String {
    let seconds = at / 1000;
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{hour:02}:{minute:02} UTC>")
}

/// A duration in hours and minutes, e.g. "1 h 5 min".
pub(crate) fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".into(),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn labels(incident: &Incident) -> String {
    let drill = if incident.drill { "[DRILL] " } else { "" };
    let security = if incident.security { "[security] " } else { "" };
    format!("{drill}{security}[{}] ", incident.grade.as_str())
}

pub(crate) fn emoji(grade: Grade) -> &'static str {
    match grade {
        Grade::Minor => ":large_yellow_circle:",
        Grade::Major => ":large_orange_circle:",
        Grade::Critical => ":red_circle:",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|it| it.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn markdown_line(line: &str) -> String {
    let line = links(&line.replace("**", "*"));
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        return format!("*{}*", heading.trim());
    }
    line
}

/// `[text](url)` becomes `<url|text>`.
fn links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(middle) = rest.find("](http") {
        let (before, after) = rest.split_at(middle);
        let (Some(open), Some(close)) = (before.rfind('['), after.find(')')) else {
            break;
        };
        out.push_str(&before[..open]);
        out.push_str(&format!("<{}|{}>", &after[2..close], &before[open + 1..]));
        rest = &after[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::testing::{incident, person};

    #[test]
    fn the_topic_has_grade_title_and_operator_within_slacks_limit() {
        let mut it = incident();
        assert_eq!(topic(&it), "[major] Checkout is down · no operator yet");
        it.operator = Some(person("Jo", "slack", "U1"));
        it.status = Status::Mitigated;
        it.security = true;
        assert_eq!(
            topic(&it),
            "[security] [major] Checkout is down · mitigated · operator: Jo"
        );
        it.title = "<&".repeat(400);
        assert!(topic(&it).chars().count() <= TOPIC_CHARS_MAX);
    }

    #[test]
    fn text_from_others_cannot_mention_everybody() {
        let mut it = incident();
        it.title = "<!channel> & co".into();
        assert!(
            headline(&it).contains("&lt;!channel&gt; &amp; co"),
            "{}",
            headline(&it)
        );
        assert_eq!(from_markdown("<!here>"), "&lt;!here&gt;");
    }

    #[test]
    fn markdown_is_converted_to_slacks_markup() {
        let cases = [
            ("**bold** and *it*", "*bold* and *it*"),
            ("# Status", "*Status*"),
            (
                "see [the runbook](https://e.com/a?b=1&c=2) now",
                "see <https://e.com/a?b=1&amp;c=2|the runbook> now",
            ),
            ("a [b](c", "a [b](c"),
            ("#5 is fixed", "#5 is fixed"),
        ];
        for (markdown, expected) in cases {
            assert_eq!(from_markdown(markdown), expected);
        }
    }

    #[test]
    fn durations_are_shown_in_hours_and_minutes() {
        let cases = [
            (0, "less than a minute"),
            (300_000, "5 min"),
            (3_900_000, "1 h 5 min"),
        ];
        for (ms, expected) in cases {
            assert_eq!(span(ms), expected);
        }
    }
}
