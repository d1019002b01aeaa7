//! The file of a drill.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tocsin_core::drill::{Goals, INTEGRATION, LABEL, QuestionGoal};
use tocsin_core::{Audience, Fingerprint, Grade, Labels, Sender, Signal, SignalStatus, Timestamp};
use utoipa::ToSchema;

use crate::config::Span;

/// Most steps of a drill.
const STEPS_MAX: usize = 200;
/// Longest text of a step, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 1_000;
/// Longest name of a drill or an alert, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 80;

/// What happens in a drill, and what people should achieve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DrillScenario {
    /// Letters, digits and hyphens.
    pub(crate) name: String,
    /// What it is about, for whoever runs it.
    #[serde(default)]
    pub(crate) title: String,
    /// The right grade in the end.
    #[schema(value_type = String, example = "critical")]
    pub(crate) grade: Grade,
    /// Who must be told how it goes.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) audiences: Vec<Audience>,
    /// How soon somebody should acknowledge. Default `5m`.
    #[serde(default = "five_minutes")]
    #[schema(value_type = String)]
    pub(crate) acknowledge_within: Span,
    /// How soon there should be an operator and, unless it is minor, a spokesperson. Default `10m`.
    #[serde(default = "ten_minutes")]
    #[schema(value_type = String)]
    pub(crate) roles_within: Span,
    /// When the drill ends at the latest.
    #[schema(value_type = String)]
    pub(crate) ends: Span,
    /// In the order of their times.
    pub(crate) steps: Vec<DrillStep>,
}

/// Something that happens: exactly one of `alert`, `end`, `say` and `ask`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DrillStep {
    /// How long after the drill began. Default `0s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) after: Option<Span>,
    /// The title of an alert that fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<String>,
    /// More about the alert.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) summary: String,
    /// The title of an alert that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<String>,
    /// What people hear or find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) say: Option<String>,
    /// What somebody wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ask: Option<String>,
    /// Who must be told the answer by an update, for `ask`. Default `company`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) audience: Option<Audience>,
    /// How soon, for `ask`. Default `10m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) within: Option<Span>,
    /// The labels of an alert, by which the policies route and grade it.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    #[schema(value_type = Object)]
    pub(crate) labels: Labels,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happening<'a> {
    Fires(&'a str),
    Ends(&'a str),
    Says(&'a str),
    Asks(&'a str),
}

/// An alert of a drill that begins or ends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DrillAlert {
    /// Names this run of the drill; letters, digits and hyphens.
    pub(crate) run: String,
    /// The alert's title, which is its identity within the run.
    pub(crate) alert: String,
    #[serde(default)]
    pub(crate) summary: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) labels: Labels,
    pub(crate) firing: bool,
}

/// Why a drill cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FaultyScenario(String);

fn five_minutes() -> Span {
    Span::from_s(300)
}

fn ten_minutes() -> Span {
    Span::from_s(600)
}

impl DrillScenario {
    /// Reads a drill's file.
    ///
    /// # Errors
    /// What is wrong, where, and the remedy.
    pub(crate) fn parse(text: &str) -> Result<Self, FaultyScenario> {
        let mut scenario: Self =
            toml::from_str(text).map_err(|error| FaultyScenario(error.to_string()))?;
        // As the log keeps them.
        for step in &mut scenario.steps {
            let texts = [&mut step.alert, &mut step.end, &mut step.say, &mut step.ask];
            for text in texts.into_iter().flatten() {
                *text = text.trim().to_owned();
            }
        }
        scenario.check().map_err(FaultyScenario)?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        check_name("the drill's name", &self.name)?;
        let (count, max) = (self.steps.len(), STEPS_MAX);
        if count > max {
            return Err(format!("a drill can have {max} steps, but it has {count}"));
        }
        let (mut before, mut firing) = (0, BTreeSet::new());
        for (index, step) in self.steps.iter().enumerate() {
            let in_step = |why: String| format!("step {}: {why}", index + 1);
            let after = step.after_ms();
            if after < before {
                let why = "its `after` is before that of the step above; sort the steps by time";
                return Err(in_step(why.to_owned()));
            }
            before = after;
            match step.happening().map_err(in_step)? {
                Happening::Fires(title) => {
                    firing.insert(title);
                }
                Happening::Ends(title) if !firing.remove(title) => {
                    let why = format!("no alert {title:?} fires; `end` names one of a step above");
                    return Err(in_step(why));
                }
                _ => {}
            }
        }
        if before > self.ends.as_ms() {
            let ends = self.ends;
            return Err(format!(
                "the last step is after the drill has ended; set `ends` later than {ends}"
            ));
        }
        let is_alert = |it: &DrillStep| it.alert.is_some() && it.after_ms() == 0;
        match self.steps.first().is_some_and(is_alert) {
            true => Ok(()),
            false => Err(
                "the first step must be an alert, without `after`; it opens the incident".into(),
            ),
        }
    }

    /// What people should achieve.
    pub(crate) fn goals(&self) -> Goals {
        let question = |it: &DrillStep| {
            Some(QuestionGoal {
                text: it.ask.clone()?,
                audience: it.audience.unwrap_or(Audience::Company),
                within_ms: it.within.unwrap_or_else(ten_minutes).as_ms(),
            })
        };
        Goals {
            grade: self.grade,
            audiences: self.audiences.clone(),
            acknowledge_within_ms: self.acknowledge_within.as_ms(),
            roles_within_ms: self.roles_within.as_ms(),
            questions: self.steps.iter().filter_map(question).collect(),
        }
    }
}

impl DrillStep {
    pub(crate) fn after_ms(&self) -> u64 {
        self.after.map_or(0, Span::as_ms)
    }

    /// What it does.
    ///
    /// # Errors
    /// When it does not do exactly one thing.
    pub(crate) fn happening(&self) -> Result<Happening<'_>, String> {
        let (alert, end) = (self.alert.as_deref(), self.end.as_deref());
        let (say, ask) = (self.say.as_deref(), self.ask.as_deref());
        let text = alert.or(end).or(say).or(ask).unwrap_or_default();
        let is_named = alert.or(end).is_some();
        let max = if is_named {
            NAME_BYTES_MAX
        } else {
            TEXT_BYTES_MAX
        };
        if text.is_empty() || text.len() > max || self.summary.len() > TEXT_BYTES_MAX {
            return Err(format!("its text must have 1 to {max} bytes"));
        }
        if ask.is_none() && (self.audience.is_some() || self.within.is_some()) {
            return Err("only `ask` has `audience` and `within`".to_owned());
        }
        if alert.is_none() && !(self.labels.is_empty() && self.summary.is_empty()) {
            return Err("only `alert` has `labels` and `summary`".to_owned());
        }
        match (alert, end, say, ask) {
            (Some(it), None, None, None) => Ok(Happening::Fires(it)),
            (None, Some(it), None, None) => Ok(Happening::Ends(it)),
            (None, None, Some(it), None) => Ok(Happening::Says(it)),
            (None, None, None, Some(it)) => Ok(Happening::Asks(it)),
            _ => Err("it needs exactly one of `alert`, `end`, `say` and `ask`".to_owned()),
        }
    }
}

impl DrillAlert {
    /// The message about the alert, as if its sender had sent it.
    ///
    /// # Errors
    /// When a name is not valid.
    pub(crate) fn into_signal(self, now: Timestamp) -> Result<Signal, FaultyScenario> {
        check_name("the run's name", &self.run).map_err(FaultyScenario)?;
        if self.alert.is_empty() || self.alert.len() > NAME_BYTES_MAX {
            let max = NAME_BYTES_MAX;
            return Err(FaultyScenario(format!(
                "`alert` must have 1 to {max} bytes"
            )));
        }
        let mut labels = self.labels;
        labels.insert(LABEL.to_owned(), self.run.clone());
        let status = match self.firing {
            true => SignalStatus::Firing,
            false => SignalStatus::Resolved,
        };
        Ok(Signal {
            integration: INTEGRATION.into(),
            fingerprint: Fingerprint::from(format!("{}/{}", self.run, self.alert)),
            status,
            title: self.alert,
            summary: self.summary,
            labels,
            annotations: Labels::new(),
            starts_at: now,
            ends_at: (!self.firing).then_some(now),
            link: None,
            // Nobody repeats it: whoever resolves the incident also ends it.
            sender: Sender {
                repeats: false,
                resolves: true,
            },
            fires_at: None,
        })
    }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    let is_valid = |it: char| it.is_ascii_alphanumeric() || it == '-';
    match !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_valid) {
        true => Ok(()),
        false => Err(format!(
            "{what} must have 1 to {NAME_BYTES_MAX} letters, digits and hyphens"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"x\"\ngrade = \"major\"\nends = \"10m\"\n";
    const FIRST: &str = "[[steps]]\nalert = \"Down\"\n";

    fn fault(steps: &str) -> String {
        let parsed = DrillScenario::parse(&format!("{HEAD}{steps}"));
        parsed.map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn a_faulty_drill_is_refused_with_the_step_and_the_remedy() {
        let cases = [
            ("steps = []", "the first step must be an alert"),
            (
                "[[steps]]\nafter = \"1m\"\nalert = \"Down\"",
                "the first step must be",
            ),
            (
                "[[steps]]\nalert = \"A\"\nsay = \"b\"",
                "step 1: it needs exactly one of",
            ),
            ("[[steps]]\n", "step 1: its text must have"),
            (
                "[[steps]]\nsay = \"a\"\nwithin = \"1m\"",
                "step 1: only `ask` has",
            ),
            (
                "[[steps]]\nend = \"Down\"",
                "step 1: no alert \"Down\" fires",
            ),
            ("[[steps]]\nalrt = \"Down\"", "unknown field `alrt`"),
        ];
        for (steps, wanted) in cases {
            assert!(fault(steps).contains(wanted), "{steps}: {}", fault(steps));
        }
        let unsorted =
            format!("{FIRST}[[steps]]\nafter = \"2m\"\nsay = \"a\"\n[[steps]]\nsay = \"b\"");
        assert!(fault(&unsorted).starts_with("step 3: its `after` is before"));
        let late = format!("{FIRST}[[steps]]\nafter = \"11m\"\nsay = \"a\"");
        assert!(fault(&late).contains("set `ends` later than 10m"));
    }
}
