//! Removes from a text what must not leave the incident it is from: people, addresses, numbers.

use std::sync::LazyLock;

use regex::Regex;

/// A shorter part of a name may be an initial.
const NAME_PART_BYTES_MIN: usize = 3;

/// What is replaced, and by what. In this order: an address contains numbers.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        (r"\b[a-z][a-z0-9+.-]*://\S+", "[link]"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "[address]"),
        (r"<?[@#!][\w-]+(\|[^>]*)?>?", "[name]"),
        (r"\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b", "[address]"),
        (r"\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){3,7}\b", "[address]"),
        (
            r"\b[0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,6}::([0-9a-f]{1,4}\b)?",
            "[address]",
        ),
        (r"\+\d[\d ()/.-]{5,}\d\b", "[number]"),
        (r"\b[\w-]*[a-z][\w-]*(\.[\w-]+)*\.[a-z]{2,}\b", "[host]"),
        (r"\b[A-Za-z_-]*[0-9a-fA-F]{8}[\w-]*\b", "[id]"),
        (r"\b\d{6,}\b", "[number]"),
    ];
    let compiled = patterns.into_iter().filter_map(|(pattern, instead)| {
        // proof: the patterns are constants, and a test compiles all of them
        Some((Regex::new(&format!("(?i){pattern}")).ok()?, instead))
    });
    compiled.collect()
});

/// Redacts texts that may name some people.
pub(super) struct Redactor(Vec<Regex>);

impl Redactor {
    /// Of these people's names and ids. Parts of a name count as written: somebody is called Will.
    pub(super) fn of(people: impl Iterator<Item = String>) -> Self {
        let mut names: Vec<(String, &str)> = Vec::new();
        for name in people.filter(|it| !it.is_empty()) {
            let parts = name
                .split_whitespace()
                .filter(|it| it.len() >= NAME_PART_BYTES_MIN);
            names.extend(parts.map(|it| (it.to_owned(), "")));
            names.push((name, "(?i)"));
        }
        // "Ada Lovelace" before "Ada".
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let word = |(name, how): &(String, &str)| {
            Regex::new(&format!(r"{how}\b{}\b", regex::escape(name))).ok()
        };
        Self(names.iter().filter_map(word).collect())
    }

    /// The text without links, addresses, ids, long numbers and those names.
    pub(super) fn redacted(&self, text: &str) -> String {
        let names = self.0.iter().map(|it| (it, "somebody"));
        let patterns = PATTERNS.iter().map(|(it, instead)| (it, *instead));
        let mut text = text.to_owned();
        for (pattern, instead) in patterns.chain(names) {
            text = pattern.replace_all(&text, instead).into_owned();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_compile() {
        assert_eq!(PATTERNS.len(), 10);
    }

    #[test]
    fn people_addresses_and_ids_are_removed_and_the_rest_stays() {
        let people = ["ada", "Ada Lovelace", "Bob"].map(str::to_owned);
        let redactor = Redactor::of(people.into_iter());
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
            (
                "2001:db8::1 and fe80:: refuse",
                "[address] and [address] refuse",
            ),
            ("at 14:02:31 it began", "at 14:02:31 it began"),
            ("call +49 171 1234567 or", "call [number] or"),
            ("ask Lovelace, not lovelace", "ask somebody, not lovelace"),
            ("db3.internal and db3 are down", "[host] and db3 are down"),
            ("db-3.internal.example.com is down", "[host] is down"),
            (
                "order 4711999 of customer 12",
                "order [number] of customer 12",
            ),
            ("commit 3eaade88ff broke it", "commit [id] broke it"),
            ("release 2.4 of checkout", "release 2.4 of checkout"),
        ];
        for (text, wanted) in cases {
            assert_eq!(redactor.redacted(text), wanted);
        }
    }
}
