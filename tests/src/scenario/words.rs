//! Splits a line into words and parses them.

use tocsin::config::Span;

const ADVICE: &str = "write it as 90s, 5m1s or 2h";

/// The words of a line. Double quotes, which are removed, allow spaces in a word.
///
/// # Errors
/// When a quote is not closed.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut begun) = (false, false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            ' ' | '\t' if !quoted => {
                if begun {
                    found.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            '#' if !quoted && !begun => return Ok(found),
            c => {
                word.push(c);
                begun = true;
            }
        }
    }
    if quoted {
        return Err("missing closing \"".to_owned());
    }
    if begun {
        found.push(word);
    }
    Ok(found)
}

/// A time of the scenario or a duration, in milliseconds.
///
/// # Errors
/// When it is invalid.
pub(super) fn span(text: &str) -> Result<u64, String> {
    if text == "0s" {
        return Ok(0);
    }
    let parsed = text.parse::<Span>();
    parsed
        .map(|it| it.as_ms())
        .map_err(|_| format!("`{text}` is not a time; {ADVICE}"))
}

/// A whole number.
///
/// # Errors
/// When it is invalid.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let plain = text.replace('_', "");
    plain
        .parse()
        .map_err(|_| format!("`{text}` is not a whole number"))
}

/// `name=value`.
///
/// # Errors
/// When there is no `=`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("`{text}` must be NAME=VALUE"))
}

/// A duration in the format of scenarios: `1h2m3s`, with milliseconds if they are not zero.
#[must_use]
pub(super) fn format_span(ms: u64) -> String {
    let parts = [
        (ms / 86_400_000, "d"),
        (ms / 3_600_000 % 24, "h"),
        (ms / 60_000 % 60, "m"),
        (ms / 1_000 % 60, "s"),
        (ms % 1_000, "ms"),
    ];
    let shown: String = parts
        .iter()
        .filter(|it| it.0 > 0)
        .map(|it| format!("{}{}", it.0, it.1))
        .collect();
    if shown.is_empty() {
        "0s".to_owned()
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_part_keeps_its_spaces_and_a_comment_is_ignored() {
        let line = r#"rotation weekly ada,bob handover="monday 09:00" # a comment"#;
        let wanted = ["rotation", "weekly", "ada,bob", "handover=monday 09:00"];
        assert_eq!(words(line), Ok(wanted.map(str::to_owned).to_vec()));
        assert!(words("say \"half").is_err());
    }

    #[test]
    fn formatted_times_parse_back() {
        for text in ["0s", "4m59s", "1h", "2d3h", "30s1ms"] {
            assert_eq!(span(text).map(format_span), Ok(text.to_owned()));
        }
        assert!(span("5").is_err());
    }
}
