//! The links of an alert for people: its runbook, its dashboard and whatever else its annotations
//! and labels contain.

use serde::{Deserialize, Serialize};

use crate::limits::{ALERT_LINKS_BYTES_MAX, ALERT_LINKS_MAX};
use crate::signal::Labels;
use crate::text::cut;

/// Longest title of a link, in bytes.
const TITLE_BYTES_MAX: usize = 60;
/// Parts of names, in the order of what helps at night; what is named otherwise comes before the
/// last two.
const KNOWN: [&str; 6] = [
    "runbook",
    "playbook",
    "dashboard",
    "panel",
    "silence",
    "image",
];
/// The place among [`KNOWN`] of what is named otherwise.
const OTHERS: usize = 4;
/// Endings of names that say only that it is a link.
const ENDINGS: [&str; 7] = ["_url", "_link", "_uri", "-url", "-link", "URL", "Url"];

/// A link of an alert for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLink {
    /// "Runbook".
    pub title: String,
    /// An http or https URL.
    pub url: String,
}

/// The links in an alert's annotations and labels, the most helpful first, at most
/// [`ALERT_LINKS_MAX`] with [`ALERT_LINKS_BYTES_MAX`]; without `main`, the alert's own link.
#[must_use]
pub fn links_of(annotations: &Labels, labels: &Labels, main: Option<&str>) -> Vec<AlertLink> {
    let named = annotations.iter().chain(labels);
    let mut found: Vec<_> = named
        .filter(|(_, url)| is_url(url) && main != Some(url.as_str()))
        .map(|(name, url)| (rank(name), title(name, annotations), url))
        .collect();
    found.sort_by_key(|(rank, ..)| *rank);
    let mut links: Vec<AlertLink> = Vec::new();
    let mut left = ALERT_LINKS_BYTES_MAX;
    for (_, title, url) in found {
        let size = title.len() + url.len();
        let is_known = links.iter().any(|it| it.url == *url);
        if is_known || size > left || links.len() == ALERT_LINKS_MAX {
            continue;
        }
        left -= size;
        links.push(AlertLink {
            title,
            url: url.clone(),
        });
    }
    links
}

/// Whether a value is one URL and nothing else.
fn is_url(value: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|it| value.strip_prefix(it));
    rest.is_some_and(|it| !it.is_empty())
        && !value.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn rank(name: &str) -> usize {
    let name = name.to_lowercase();
    let known = KNOWN.iter().position(|it| name.contains(it));
    known.map_or(OTHERS * 2, |place| match place < OTHERS {
        true => place,
        false => OTHERS * 2 + place,
    })
}

/// From the name: `runbook_url` is "Runbook". PagerDuty's `links.0.href` has its text beside it.
fn title(name: &str, annotations: &Labels) -> String {
    if let Some((list, "href" | "src")) = name.rsplit_once('.') {
        let text = ["text", "alt"]
            .iter()
            .find_map(|it| annotations.get(&format!("{list}.{it}")));
        return cut(
            text.map_or("Link", String::as_str).to_owned(),
            TITLE_BYTES_MAX,
        );
    }
    let short = ENDINGS.iter().find_map(|it| name.strip_suffix(it));
    let words = short.filter(|it| !it.is_empty()).unwrap_or(name);
    let words = words.replace(['_', '-', '.'], " ");
    let mut letters = words.trim().chars();
    let first = letters.next().map(|it| it.to_uppercase().to_string());
    let title = first.unwrap_or_default() + letters.as_str();
    cut(title, TITLE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn found(annotations: &[(&str, &str)]) -> Vec<(String, String)> {
        let links = links_of(
            &labels(annotations),
            &Labels::new(),
            Some("https://e.com/main"),
        );
        links.into_iter().map(|it| (it.title, it.url)).collect()
    }

    #[test]
    fn the_runbook_comes_first_and_pictures_last() {
        let links = found(&[
            ("dashboard_url", "https://e.com/d"),
            ("image_url", "https://e.com/i"),
            ("logs", "https://e.com/l"),
            ("runbookURL", "https://e.com/r"),
        ]);
        let titles: Vec<_> = links.iter().map(|(title, _)| title.as_str()).collect();
        assert_eq!(titles, ["Runbook", "Dashboard", "Logs", "Image"]);
    }

    #[test]
    fn a_link_of_pagerduty_has_its_text_as_its_title() {
        let links = found(&[
            ("links.0.href", "https://e.com/0"),
            ("links.0.text", "Trace of the request"),
            ("links.1.href", "https://e.com/1"),
        ]);
        let titles: Vec<_> = links.iter().map(|(title, _)| title.as_str()).collect();
        assert_eq!(titles, ["Trace of the request", "Link"]);
    }

    #[test]
    fn only_whole_urls_count_and_each_once() {
        let links = found(&[
            ("a", "see https://e.com/a"),
            ("b", "https://e.com/b c"),
            ("c", "javascript:alert(1)"),
            ("d", "https://"),
            ("e", "https://e.com/main"),
            ("f", "https://e.com/f"),
            ("g", "https://e.com/f"),
        ]);
        assert_eq!(links, [("F".to_owned(), "https://e.com/f".to_owned())]);
    }

    #[test]
    fn their_number_and_their_bytes_are_limited() {
        let url = |at: u8, bytes: usize| format!("https://e.com/{at}/{}", "x".repeat(bytes));
        let of = |count: u8, bytes: usize| {
            let named = (0..count).map(|at| (format!("l{at:03}"), url(at, bytes)));
            links_of(&named.collect(), &Labels::new(), None)
        };
        assert_eq!(of(200, 1).len(), ALERT_LINKS_MAX);
        let long = of(200, ALERT_LINKS_BYTES_MAX / 3);
        assert_eq!(long.len(), 2);
        assert!(of(200, ALERT_LINKS_BYTES_MAX).is_empty());
    }
}
