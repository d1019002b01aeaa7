//! Remedies for names that do not exist: suggestions of what was probably meant.

use crate::bind::PROPERTIES;
use crate::helpers::NAMES;

/// Functions whose last argument is a duration.
const WITH_DURATION: [&str; 4] = ["changes", "count", "count_distinct", "flaps"];

/// The remedy for a property that a type does not have.
pub(crate) fn property_remedy(owner: &str, property: &str) -> String {
    let Some((_, properties)) = PROPERTIES.iter().find(|(name, _)| *name == owner) else {
        return "check the name and the value before the dot".to_owned();
    };
    let names = properties
        .split(';')
        .next()
        .unwrap_or(properties)
        .split(", ");
    match nearest(property, names) {
        Some(near) => format!("did you mean `{near}`? {owner} has {properties}"),
        None => format!("{owner} has {properties}"),
    }
}

/// The remedy for a property that cannot be read or written as Rhai's message says, which quotes
/// the property and the type.
pub(crate) fn dot_remedy(message: &str) -> String {
    let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    let owner = PROPERTIES.iter().find(|(name, _)| quoted.contains(name));
    match owner {
        Some((name, properties)) if message.contains("setter") || message.contains("read-only") => {
            format!("{name} is read-only: keep your own value in a `let`; it has {properties}")
        }
        Some((name, _)) => property_remedy(name, quoted.first().unwrap_or(&"")),
        None => "check the name and the value before the dot".to_owned(),
    }
}

/// The remedy for a function that is called on a value and does not exist.
pub(crate) fn method_remedy(owner: &str, name: &str) -> String {
    let Some((_, has)) = PROPERTIES.iter().find(|(it, _)| *it == owner) else {
        return function_remedy(name);
    };
    let its = has.split([',', ';']).filter_map(|it| {
        let it = it.trim().trim_start_matches("and ");
        it.strip_suffix("(…)")
    });
    let owner = if owner == "Context" { "`ctx`" } else { owner };
    match nearest(name, its.chain(NAMES.iter().copied())) {
        Some(near) => format!("did you mean `{near}`? {owner} has {has}"),
        None => format!("{owner} has {has}"),
    }
}

/// The remedy for a call of a function that does not exist.
pub(crate) fn function_remedy(signature: &str) -> String {
    let name = signature.split(['(', ' ']).next().unwrap_or(signature);
    let last = signature.trim_end_matches(')').rsplit(", ").next();
    if WITH_DURATION.contains(&name) && last != Some("Duration") {
        return "give a duration, such as `hours(1)`, `minutes(5)` or `seconds(30)`".to_owned();
    }
    if NAMES.contains(&name) {
        return format!(
            "`{name}` exists, but not for these arguments: check their number \
             and types"
        );
    }
    match nearest(name, NAMES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "define it with `fn` in the same file, or import it from a file in lib/".to_owned(),
    }
}

/// The nearest candidate whose edit distance from `name` is at most a third of its length.
#[must_use]
pub fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let mistyped = letters(name);
    let scored = among.map(|candidate| match letters(candidate) == mistyped {
        // The right letters in a wrong order are one mistake.
        true => (1, candidate),
        false => (distance(name, candidate), candidate),
    });
    let near = scored.min_by_key(|(distance, _)| *distance)?;
    (near.0 <= near.1.len().div_ceil(3)).then_some(near.1)
}

// The Levenshtein distance, with a one-row table.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        for (slot, to) in row.iter_mut().skip(1).zip(&b) {
            let cost = usize::from(from != *to);
            let above = *slot;
            left = (diagonal.saturating_add(cost))
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            diagonal = above;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(0)
}
