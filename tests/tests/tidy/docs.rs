//! Finds doc comments that only repeat the name.

use std::collections::BTreeSet;

use crate::source::Source;

const FILLERS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "by", "every", "for", "from", "has", "how", "in",
    "is", "it", "its", "of", "on", "one", "that", "the", "their", "this", "to", "was", "what",
    "when", "where", "which", "who", "whom", "whose", "why", "with",
];

/// One-line doc comments whose words are all in the item's line. Those of the command line are its
/// help texts and exempt.
pub(crate) fn repeating(file: &Source) -> Vec<String> {
    if file.path.starts_with("daemon/src/cli/") || file.path.starts_with("benches/") {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let doc = |index: usize| lines.get(index)?.strip_prefix("/// ");
    let mut found = Vec::new();
    for index in 0..lines.len() {
        let Some(text) = doc(index) else { continue };
        let alone = index.checked_sub(1).and_then(doc).is_none() && doc(index + 1).is_none();
        let item = lines[index + 1..].iter().find(|it| !it.starts_with("#["));
        let named = words(item.unwrap_or(&""));
        if alone && !text.contains('`') && words(text).is_subset(&named) {
            found.push(format!("{}:{}: {text}", file.path, index + 1));
        }
    }
    found
}

/// The significant words of a text or of names, in lower case and without a plural's `s`.
fn words(text: &str) -> BTreeSet<String> {
    let mut spaced = String::new();
    for char in text.chars() {
        if char.is_uppercase() {
            spaced.push(' ');
        }
        spaced.push(if char.is_alphanumeric() { char } else { ' ' });
    }
    let words = spaced.split_whitespace().map(str::to_lowercase);
    let telling = words.filter(|it| !FILLERS.contains(&it.as_str()) && it != "s");
    telling
        .map(|it| it.trim_end_matches('s').to_owned())
        .collect()
}

#[test]
fn a_doc_comment_that_repeats_the_name_is_found() {
    let found = |text: &str| repeating(&Source::new("a.rs", text)).len();
    assert_eq!(found("/// The grade.\ngrade: Grade,"), 1);
    assert_eq!(
        found("/// The key of an alert's row.\n#[must_use]\nfn alert_row_key() {}"),
        1
    );
    assert_eq!(found("/// The grade, at most major.\ngrade: Grade,"), 0);
    assert_eq!(found("/// In seconds.\ndelay: u32,"), 0);
    assert_eq!(
        found("/// The grade.\n/// It only rises.\ngrade: Grade,"),
        0
    );
}
