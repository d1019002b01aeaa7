//! Makes text from guests safe for terminals and logs.

/// Longest cleaned text before truncation, in bytes.
const CLEAN_BYTES_MAX: usize = 4 << 10;

/// Escapes control characters: a guest must not control a terminal or forge log lines.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::new();
    for character in text.chars() {
        if clean.len() > CLEAN_BYTES_MAX {
            break;
        }
        if character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
        {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Truncates at a character boundary and marks that.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        let mut end = bytes_max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}
