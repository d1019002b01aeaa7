//! Text in GitLab's Markdown. What others wrote must not act there: no mention notifies anybody, no
//! line is a quick action, and no comment is one of our markers.

use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::text::cut;
pub(crate) use tocsin_plugin_sdk::text::one_line;
use tocsin_plugin_sdk::types::Actor;

/// Behind an `@`, it is invisible and ends the mention.
const JOINER: char = '\u{2060}';
/// Punctuation with a meaning in Markdown or for GitLab's references.
const SPECIAL: &str = "\\`*_{}[]()<>#~!&$%^|";
const TITLE_CHARS_MAX: usize = 255;
const LINK_BYTES_MAX: usize = 1_000;
const LINK_CHARS_MAX: usize = 100;

/// A hidden comment that says what something is.
pub(crate) fn marker(what: &str) -> String {
    format!("<!-- tocsin:{what} -->")
}

/// Whether a text has any of our markers.
pub(crate) fn has_marker(text: &str) -> bool {
    text.contains("<!-- tocsin:")
}

/// A title, which is no Markdown, but may mention people.
pub(crate) fn title(text: &str) -> String {
    cut(&without_mentions(&one_line(text)), TITLE_CHARS_MAX)
}

/// A text on one line that is shown as it is. Links can be followed.
pub(crate) fn inline(text: &str, chars_max: usize) -> String {
    let line = cut(&one_line(text), chars_max);
    let words = line.split(' ').map(|word| match is_web(word) {
        true => format!("<{word}>"),
        false => without_mentions(&escape(word)),
    });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.starts_with(['/', '-', '+']) {
        true => format!("\\{line}"),
        false => line,
    }
}

/// The Markdown of one of us, who may quote others.
pub(crate) fn markdown(text: &str, chars_max: usize) -> String {
    let text = cut(text, chars_max).replace("<!--", "<\\!--");
    let is_odd = |it: &char| it.is_control() && *it != '\n' && *it != '\t';
    let text: String = text.chars().filter(|it| !is_odd(it)).collect();
    let lines = text.split('\n').map(|line| {
        let words = line.split(' ').map(|word| match is_web(word) {
            true => word.to_owned(),
            false => without_mentions(word),
        });
        let line = words.collect::<Vec<_>>().join(" ");
        match line.trim_start() {
            rest if rest.starts_with('/') => format!("\\{rest}"),
            _ => line,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A link to a page; none if the URL is not one.
pub(crate) fn link(url: &str, title: &str) -> Option<String> {
    let title = inline(title, LINK_CHARS_MAX);
    is_web(url).then(|| format!("[{title}](<{url}>)"))
}

/// As [`link`], from the `extra` of an incident.
pub(crate) fn extra_link(url: &Value, title: &Value) -> Option<String> {
    link(url.as_str()?, title.as_str().unwrap_or("Link"))
}

/// Who did something, by name.
pub(crate) fn actor(by: &Actor) -> String {
    let name = match (&by.display_name, by.kind.as_str()) {
        (Some(name), _) => name.clone(),
        (None, "person") => by.id.clone(),
        (None, kind) => format!("{kind} {}", by.id),
    };
    inline(&name, LINK_CHARS_MAX)
}

fn escape(word: &str) -> String {
    let mut escaped = String::new();
    for char in word.chars() {
        if SPECIAL.contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

fn without_mentions(text: &str) -> String {
    let (mut broken, mut before) = (String::new(), ' ');
    for char in text.chars() {
        broken.push(char);
        // An email address mentions nobody.
        if char == '@' && !before.is_alphanumeric() && before != '_' {
            broken.push(JOINER);
        }
        before = char;
    }
    broken
}

fn is_web(url: &str) -> bool {
    let scheme = ["https://", "http://"].iter().any(|it| url.starts_with(it));
    let ends_it = |it: char| {
        it.is_whitespace() || it.is_control() || matches!(it, '<' | '>' | '\\' | '`' | '"')
    };
    scheme && url.len() <= LINK_BYTES_MAX && !url.contains(ends_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_from_outside_is_shown_and_does_nothing() {
        let cases = [
            ("/close", "\\/close"),
            ("ok\r\n/label ~bug", "ok /label \\~bug"),
            ("@all #12 !3", "@\u{2060}all \\#12 \\!3"),
            ("<!-- tocsin:end -->", "\\<\\!-- tocsin:end --\\>"),
            (
                "**bold** `x` [a](b)",
                "\\*\\*bold\\*\\* \\`x\\` \\[a\\]\\(b\\)",
            ),
            (
                "see https://e.com/a_b?c=1&d now",
                "see <https://e.com/a_b?c=1&d> now",
            ),
            ("https://e.com/<x>", "https://e.com/\\<x\\>"),
            ("- item", "\\- item"),
            (
                "5xx over 20 % for 5 minutes",
                "5xx over 20 \\% for 5 minutes",
            ),
        ];
        for (text, want) in cases {
            assert_eq!(inline(text, 200), want);
            assert!(!has_marker(&inline(text, 200)), "{text}");
        }
    }

    #[test]
    fn our_own_markdown_keeps_its_form_and_does_nothing_else() {
        let text = "# Status\n**bold**\n  /close\n\r/reopen\n<!-- tocsin:end -->\ncc @ada, a@b.c \
                    https://e.com/@ada";
        let want = "# Status\n**bold**\n\\/close\n\\/reopen\n<\\!-- tocsin:end -->\n\
                    cc @\u{2060}ada, a@b.c https://e.com/@ada";
        assert_eq!(markdown(text, 1000), want);
    }

    #[test]
    fn a_title_mentions_nobody_and_keeps_to_gitlabs_limit() {
        assert_eq!(title("@all\nis  down"), "@\u{2060}all is down");
        assert_eq!(title(&"@".repeat(300)).chars().count(), 255);
    }

    #[test]
    fn only_addresses_of_pages_are_links() {
        assert_eq!(
            link("https://e.com/a(b)", "the [run]book").as_deref(),
            Some("[the \\[run\\]book](<https://e.com/a(b)>)")
        );
        for url in ["javascript:x", "https://e.com/> x", "ftp://e.com", ""] {
            assert_eq!(link(url, "x"), None, "{url}");
        }
    }
}
