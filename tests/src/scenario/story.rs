//! What happened in a telling of a scenario, so that two tellings can be compared.

use std::fmt;

use super::words::told;

/// A page that reached somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    /// When, in milliseconds since the story's beginning.
    pub at: u64,
    pub person: String,
    /// Through what: `slack` or `mail`.
    pub channel: String,
    /// About which incident.
    pub incident: u64,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            person,
            channel,
            incident,
        } = self;
        let at = told(*at);
        write!(
            f,
            "at {at} {person} was paged by {channel} for incident {incident}"
        )
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Every page, in order.
    pub pages: Vec<Page>,
    /// Every event of every incident: when, whose, and in words.
    pub events: Vec<(u64, u64, String)>,
}

impl Story {
    /// What two tellings must have in common, a line each. What happens at one instant has no
    /// order. `timed`: also when; a channel that failed is tried again at random times.
    #[must_use]
    pub fn lines(&self, timed: bool) -> Vec<String> {
        let at = |at: u64| if timed { told(at) } else { String::new() };
        let mut lines: Vec<(u64, String)> = Vec::new();
        for page in &self.pages {
            let (person, channel) = (&page.person, &page.channel);
            let incident = page.incident;
            let line = format!(
                "{} incident {incident}: {channel} brings {person} a page",
                at(page.at)
            );
            lines.push((page.at, line));
        }
        for (when, incident, text) in &self.events {
            // Ids that Slack gives out differ from telling to telling.
            let text = text.split("?channel=").next().unwrap_or_default();
            lines.push((*when, format!("{} incident {incident}: {text}", at(*when))));
        }
        if timed {
            lines.sort();
        } else {
            lines.sort_by(|a, b| a.1.cmp(&b.1));
        }
        lines.into_iter().map(|it| it.1).collect()
    }
}

/// Lines that only one of two sorted lists has, with `-` for the first and `+` for the second.
pub(super) fn difference(first: &[String], second: &[String]) -> Vec<String> {
    let without = |these: &[String], those: &[String], mark: &str| -> Vec<String> {
        let mut those: Vec<&String> = those.iter().collect();
        let mut left = Vec::new();
        for line in these {
            match those.iter().position(|it| *it == line) {
                Some(at) => drop(those.swap_remove(at)),
                None => left.push(format!("{mark} {line}")),
            }
        }
        left
    };
    let mut found = without(first, second, "-");
    found.extend(without(second, first, "+"));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_more_or_less_is_a_difference() {
        let lines = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let (one, two) = (lines(&["a", "b", "b"]), lines(&["b", "c"]));
        assert_eq!(difference(&one, &two), ["- a", "- b", "+ c"]);
        assert!(difference(&one, &one).is_empty());
    }
}
