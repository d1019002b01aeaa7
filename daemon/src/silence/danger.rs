//! Warnings about silences that may hide more than somebody meant: for very long, or nearly
//! everything.

use tocsin_core::time::HOUR_MS;

use super::value::Silence;

const DAY_MS: u64 = 24 * HOUR_MS;
/// A silence that lasts longer than this is warned about, in milliseconds: 30 days.
pub const LONG_MS: u64 = 30 * DAY_MS;

/// Values that have nothing in common: a matcher that all of them meet selects hardly anything.
const UNLIKE_VALUES: [&str; 3] = ["7", "tocsin-4f1b.example:9100", "Überall / anywhere"];

impl Silence {
    /// What is dangerous about it, each as a sentence for whoever created it.
    #[must_use]
    pub fn dangers(&self) -> Vec<String> {
        let mut dangers = Vec::new();
        let lasts_ms = self.ends_at.since(self.starts_at);
        if lasts_ms > LONG_MS {
            dangers.push(format!(
                "it lasts {} days, more than {}: nobody is paged for its alerts until then",
                lasts_ms.div_ceil(DAY_MS),
                LONG_MS / DAY_MS
            ));
        }
        if let Some(names) = self.hides_all_with() {
            dangers.push(format!(
                "it matches nearly every alert that has {names}, whatever its value: nobody is \
                 paged for them while it is active"
            ));
        }
        dangers
    }

    /// The labels that an alert must have to be silenced, if hardly any value is excepted.
    fn hides_all_with(&self) -> Option<String> {
        let is_met = |value: &&str| self.matchers.iter().all(|it| it.matches(value));
        if !UNLIKE_VALUES.iter().all(is_met) {
            return None;
        }
        let needed = self.matchers.iter().filter(|it| !it.matches(""));
        let names: Vec<_> = needed.map(|it| format!("`{}`", it.name())).collect();
        Some(names.join(" and "))
    }
}
