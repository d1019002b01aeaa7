//! Names of war rooms. Slack allows at most 80 characters: lowercase letters, digits, hyphens and
//! underscores.

use tocsin_plugin_sdk::config;
use tocsin_plugin_sdk::types::Incident;

/// The longest channel name that Slack accepts.
const NAME_CHARS_MAX: usize = 80;
/// Longer titles would make unreadable names.
const TITLE_CHARS_MAX: usize = 50;

/// What the names of rooms begin with: those of drills say so.
pub(crate) fn prefix(is_drill: bool) -> String {
    match is_drill {
        true => "drill".into(),
        false => config::get("channel-prefix").unwrap_or_else(|| "inc".into()),
    }
}

/// What the name of an incident's room says of it: of a private one only the code name.
pub(crate) fn title(incident: &Incident, private: bool) -> &str {
    match (private, &incident.public_title) {
        (false, _) => &incident.title,
        (true, Some(code_name)) => code_name,
        (true, None) => "private",
    }
}

/// The name of an incident's room, e.g. `inc-42-checkout-is-down`. While that name is taken,
/// `taken` counts up and the name ends with a number.
pub(crate) fn room(prefix: &str, number: u64, title: &str, taken: u32) -> String {
    let title = slug(title);
    let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
    let prefix: String = slug(prefix).chars().take(8).collect();
    let end = if taken == 0 {
        String::new()
    } else {
        format!("-{}", taken + 1)
    };
    let number = number.to_string();
    let parts = [prefix.as_str(), &number, title.trim_end_matches('-')];
    let parts: Vec<&str> = parts.into_iter().filter(|it| !it.is_empty()).collect();
    let start: String = parts
        .join("-")
        .chars()
        .take(NAME_CHARS_MAX - end.len())
        .collect();
    format!("{start}{end}")
}

/// Lowercase ASCII letters and digits, everything else as single hyphens between them.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::testing;

    #[test]
    fn a_room_is_named_after_number_and_title() {
        let cases = [
            ("Checkout is down", 0, "inc-42-checkout-is-down"),
            ("Checkout is down", 1, "inc-42-checkout-is-down-2"),
            ("  5xx > 20 % (EU) ", 0, "inc-42-5xx-20-eu"),
            ("Größe überschritten", 0, "inc-42-gr-e-berschritten"),
            ("障害", 0, "inc-42"),
            ("", 2, "inc-42-3"),
        ];
        for (title, taken, expected) in cases {
            assert_eq!(room("inc", 42, title, taken), expected);
        }
    }

    #[test]
    fn a_private_rooms_name_reveals_nothing() {
        let mut incident = testing::incident();
        assert_eq!(title(&incident, false), incident.title);
        assert_eq!(title(&incident, true), "private");
        incident.public_title = Some("Juniper".into());
        assert_eq!(title(&incident, true), "Juniper");
    }

    #[test]
    fn a_name_follows_slacks_rules_for_any_title() {
        let titles = [
            "x".repeat(500),
            "É-".repeat(100),
            "a b".repeat(60),
            "-".repeat(90),
        ];
        for title in titles {
            for taken in [0, 1, 19] {
                let name = room(&"prefix".repeat(9), u64::MAX, &title, taken);
                assert!(name.len() <= NAME_CHARS_MAX, "{name}");
                let fits = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
                assert!(name.chars().all(fits), "{name}");
            }
        }
    }
}
