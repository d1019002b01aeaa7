//! Makes untrusted text safe to show: cut to a limit, on one line, escaped.

/// Marks text that was cut.
const ELLIPSIS: char = '…';

/// At most `bytes_max` bytes of the text, ending in an ellipsis if it was cut, and whether it was.
#[must_use]
pub fn cut(mut text: String, bytes_max: usize) -> (String, bool) {
    if text.len() <= bytes_max {
        return (text, false);
    }
    let mut end = bytes_max.saturating_sub(ELLIPSIS.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push(ELLIPSIS);
    (text, true)
}

/// The text on one line: every run of whitespace and control characters becomes one space, and
/// bidirectional control characters are removed, so that a title cannot be displayed misleadingly
/// or end a mail header.
#[must_use]
pub fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter(|c| !turns_direction(*c))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// The text with HTML's special characters escaped; safe in elements and in quoted attributes.
#[must_use]
pub fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
