//! Which lines of the policies the tests ran.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::compiled::Policy;
use crate::script::{functions, units};
use crate::watch::Ran;

/// The lines of a file that hold statements, or results of a `switch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileCoverage {
    pub file: String,
    /// How many there are.
    pub lines: usize,
    /// How many of them ran completely.
    pub ran: usize,
    /// Those of which nothing ran, in ranges from the first to the last line.
    pub never: Vec<(usize, usize)>,
    /// Those of which a part did not run, such as one side of an `if`.
    pub partly: Vec<usize>,
}

impl FileCoverage {
    pub(super) fn of(policy: &Policy, ran: &Ran) -> Self {
        // By line: how many statements begin there, and how many of them ran.
        let mut lines: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for (key, unit) in functions(&policy.ast).iter().flat_map(units) {
            let line = unit.start.line().unwrap_or(key.0);
            let (all, done) = lines.entry(line).or_default();
            *all = all.saturating_add(1);
            *done = done.saturating_add(usize::from(ran.has(&policy.file, key)));
        }
        let mut coverage = Self {
            file: policy.shown.clone(),
            lines: lines.len(),
            ran: 0,
            never: Vec::new(),
            partly: Vec::new(),
        };
        let mut goes_on = false;
        for (line, (all, done)) in lines {
            match coverage.never.last_mut() {
                Some((_, last)) if done == 0 && goes_on => *last = line,
                _ if done == 0 => coverage.never.push((line, line)),
                _ if done < all => coverage.partly.push(line),
                _ => coverage.ran = coverage.ran.saturating_add(1),
            }
            goes_on = done == 0;
        }
        coverage
    }
}

impl fmt::Display for FileCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {} lines ran", self.file, self.ran, self.lines)?;
        let range = |(first, last): &(usize, usize)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        if !self.never.is_empty() {
            let never: Vec<String> = self.never.iter().map(range).collect();
            write!(f, "; never: {}", never.join(", "))?;
        }
        if !self.partly.is_empty() {
            let partly: Vec<String> = self.partly.iter().map(ToString::to_string).collect();
            write!(f, "; in part: {}", partly.join(", "))?;
        }
        Ok(())
    }
}
