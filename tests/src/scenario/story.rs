//! The pages and events of one run of a scenario, so that two runs can be compared.

use std::fmt;

use super::words::format_span;

/// A page that reached somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Page {
    /// Milliseconds since the scenario's start.
    pub at: u64,
    pub person: String,
    /// `slack` or `mail`.
    pub channel: String,
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
        let at = format_span(*at);
        write!(
            f,
            "at {at} {person} was paged by {channel} for incident {incident}"
        )
    }
}

/// A test page that reached somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestArrived {
    /// Milliseconds since the scenario's start.
    pub at: u64,
    pub person: String,
    /// `slack` or `mail`.
    pub channel: String,
    /// All that it says.
    pub text: String,
}

impl fmt::Display for TestArrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = format_span(self.at);
        write!(f, "at {at} {} got a test by {}", self.person, self.channel)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Every page, in order.
    pub pages: Vec<Page>,
    /// Every test page, in order.
    pub tests: Vec<TestArrived>,
    /// Every event of every incident: time, incident number and text.
    pub events: Vec<(u64, u64, String)>,
}

impl Story {
    /// The lines that two runs must have in common, in no particular order within one instant.
    /// `timed` includes times; after a failed channel they are random because of retries.
    #[must_use]
    pub fn lines(&self, timed: bool) -> Vec<String> {
        let at = |at: u64| {
            if timed {
                format_span(at)
            } else {
                String::new()
            }
        };
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
        for test in &self.tests {
            let (person, channel) = (&test.person, &test.channel);
            let line = format!("{} {channel} brings {person} a test page", at(test.at));
            lines.push((test.at, line));
        }
        for (when, incident, text) in &self.events {
            // Slack's ids differ between runs.
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
    fn an_additional_or_missing_line_is_a_difference() {
        let lines = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let (one, two) = (lines(&["a", "b", "b"]), lines(&["b", "c"]));
        assert_eq!(difference(&one, &two), ["- a", "- b", "+ c"]);
        assert!(difference(&one, &one).is_empty());
    }
}
