//! Removes from a text what must not leave the incident it is from: people, addresses, numbers.

use std::sync::LazyLock;

use regex::Regex;

/// What is replaced, and by what. In this order: an address contains numbers.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        (r"\b[a-z][a-z0-9+.-]*://\S+", "[link]"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "[address]"),
        (r"<?[@#!][\w-]+(\|[^>]*)?>?", "[name]"),
        (r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b", "[address]"),
        (r"\b[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{0,4}){3,7}\b", "[address]"),
        (r"\b[\w-]+(\.[\w-]+)+\.[a-z]{2,}\b", "[host]"),
        (r"\b[A-Za-z_-]*[0-9a-fA-F]{8}[\w-]*\b", "[id]"),
        (r"\b\d{6,}\b", "[number]"),
    ];
    let compiled = patterns.into_iter().filter_map(|(pattern, instead)| {
        // proof: the patterns are constants, and a test compiles all of them
        Some((Regex::new(&format!("(?i){pattern}")).ok()?, instead))
    });
    compiled.collect()
});

/// The text without links, addresses, ids, long numbers and these people's names.
pub(super) fn redacted(text: &str, people: &[String]) -> String {
    let mut text = text.to_owned();
    for (pattern, instead) in PATTERNS.iter() {
        text = pattern.replace_all(&text, *instead).into_owned();
    }
    for name in people.iter().filter(|it| !it.is_empty()) {
        let word = format!(r"(?i)\b{}\b", regex::escape(name));
        if let Ok(pattern) = Regex::new(&word) {
            text = pattern.replace_all(&text, "somebody").into_owned();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_compile() {
        assert_eq!(PATTERNS.len(), 8);
    }

    #[test]
    fn people_addresses_and_ids_are_removed_and_the_rest_stays() {
        let people = ["Ada Lovelace", "ada", "Bob"].map(str::to_owned);
        let cases = [
            ("12 % of checkouts fail", "12 % of checkouts fail"),
            ("Ada Lovelace asked bob", "somebody asked somebody"),
            ("the adapter fails", "the adapter fails"),
            ("<@U0ADA> and @bob see it", "[name] and [name] see it"),
            (
                "see https://grafana.example.com/d/1?x=2 now",
                "see [link] now",
            ),
            ("mail jane.doe@example.com", "mail [address]"),
            ("10.1.2.3:5432 refuses", "[address] refuses"),
            ("fe80:0:0:1::7 refuses", "[address] refuses"),
            ("db-3.internal.example.com is down", "[host] is down"),
            (
                "order 4711999 of customer 12",
                "order [number] of customer 12",
            ),
            ("commit 3eaade88ff broke it", "commit [id] broke it"),
            ("release 2.4 of checkout", "release 2.4 of checkout"),
        ];
        for (text, wanted) in cases {
            assert_eq!(redacted(text, &people), wanted);
        }
    }
}
