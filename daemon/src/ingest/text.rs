//! Cutting text to the limits.

/// Ends what was cut.
const ELLIPSIS: char = '…';

/// The first `bytes_max` bytes of the text, ending in an ellipsis if any are missing, and whether
/// any are.
pub(super) fn cut(mut text: String, bytes_max: usize) -> (String, bool) {
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

/// The text on one line: every run of white space and control characters is one space, and what
/// turns the direction of writing is gone, so that a title reads as what it is.
pub(super) fn one_line(text: &str) -> String {
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

/// A JSON pointer's token with RFC 6901's escapes.
pub(super) fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
