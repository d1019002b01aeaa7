//! Makes a drill of an incident: what happened from outside, without names, addresses and ids, and
//! with the long pauses shortened.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::event::LogKind;
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Audience, Event, Grade, Labels, PersonId, Recorded, Timestamp, cut};

use super::redact::Redactor;
use super::scenario::{DrillScenario, DrillStep, NAME_BYTES_MAX, TEXT_BYTES_MAX};
use crate::config::{PersonConfig, Span};
use crate::disclosure::Disclosed;

/// Longest pause between two steps; a longer one is shortened to it.
const PAUSE_MS_MAX: u64 = 8 * MINUTE_MS;
/// Times are rounded down to it.
const ROUNDED_TO_MS: u64 = MINUTE_MS / 2;
/// How long people have after the last step.
const AFTER_LAST_MS: u64 = 15 * MINUTE_MS;
/// The labels that policies need; others name machines.
const LABELS: [&str; 4] = ["service", "severity", "team", "environment"];
/// Most steps that are taken over.
const STEPS_MAX: usize = 60;

/// Why an incident cannot become a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotADrill {
    #[error("only a closed incident can become a drill; close it first")]
    NotClosed,
    #[error(
        "a security incident is not made into a drill; write one by hand, as `tocsin drill show \
         leaked-token`"
    )]
    Security,
    #[error("nothing is known of how the incident began; write the drill by hand")]
    NoAlert,
}

/// The drill of a closed incident.
///
/// # Errors
/// [`NotADrill`].
pub(crate) fn from_incident(
    incident: &Disclosed,
    events: &[Recorded],
    people: &BTreeMap<PersonId, PersonConfig>,
) -> Result<DrillScenario, NotADrill> {
    let line = &incident.line;
    if line.security || incident.is_redacted {
        return Err(NotADrill::Security);
    }
    if !line.status.is_final() {
        return Err(NotADrill::NotClosed);
    }
    let names = people
        .iter()
        .flat_map(|(id, it)| [id.to_string(), it.name.clone()]);
    let mut story = Story::of(Redactor::of(names));
    events.iter().for_each(|it| story.take(it));
    let steps = timed(story.steps);
    let last = steps.last().ok_or(NotADrill::NoAlert)?.after_ms();
    let told = events.iter().filter_map(|it| match &it.event {
        Event::UpdatePosted { audience, .. } => Some(*audience),
        _ => None,
    });
    let told: BTreeSet<Audience> = told.collect();
    let usual = match line.grade {
        Grade::Minor => Vec::new(),
        _ => vec![Audience::Engineering],
    };
    Ok(DrillScenario {
        name: format!("incident-{}", line.number),
        title: story.redactor.redacted(&line.title),
        grade: line.grade,
        audiences: if told.is_empty() {
            usual
        } else {
            told.into_iter().collect()
        },
        acknowledge_within: Span::from_s(300),
        roles_within: Span::from_s(600),
        ends: Span::from_s((last + AFTER_LAST_MS) / 1_000),
        steps,
    })
}

/// What is read from an incident's log: what came from outside, which are alerts and what people
/// saw. What they decided and did is for whoever is in the drill.
struct Story {
    redactor: Redactor,
    labels: Labels,
    firing: BTreeSet<String>,
    steps: Vec<(Timestamp, DrillStep)>,
}

impl Story {
    fn of(redactor: Redactor) -> Self {
        Self {
            redactor,
            labels: Labels::new(),
            firing: BTreeSet::new(),
            steps: Vec::new(),
        }
    }

    fn take(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::Opened(opened) => {
                let kept = |(name, _): &(&String, &String)| LABELS.contains(&name.as_str());
                let labels = opened.labels.iter().filter(kept);
                self.labels = labels
                    .map(|(name, it)| (name.clone(), it.clone()))
                    .collect();
                if !opened.service.is_empty() {
                    let service = opened.service.clone();
                    self.labels.entry("service".to_owned()).or_insert(service);
                }
                self.fires(at, &opened.title, &opened.summary);
            }
            Event::Tallied { counts, sample } => {
                sample.iter().for_each(|it| self.fires(at, it, ""));
                if counts.firing == 0 {
                    for title in std::mem::take(&mut self.firing) {
                        let end = Some(title);
                        self.add(
                            at,
                            DrillStep {
                                end,
                                ..DrillStep::default()
                            },
                        );
                    }
                }
            }
            Event::Logged {
                kind: LogKind::Seen,
                body,
                ..
            } => {
                let say = Some(self.text(body, TEXT_BYTES_MAX));
                self.add(
                    at,
                    DrillStep {
                        say,
                        ..DrillStep::default()
                    },
                );
            }
            _ => {}
        }
    }

    fn fires(&mut self, at: Timestamp, title: &str, summary: &str) {
        let title = self.text(title, NAME_BYTES_MAX);
        if self.firing.insert(title.clone()) {
            let step = DrillStep {
                alert: Some(title),
                summary: self.text(summary, TEXT_BYTES_MAX),
                labels: self.labels.clone(),
                ..DrillStep::default()
            };
            self.add(at, step);
        }
    }

    fn add(&mut self, at: Timestamp, step: DrillStep) {
        if self.steps.len() < STEPS_MAX {
            self.steps.push((at, step));
        }
    }

    fn text(&self, text: &str, bytes: usize) -> String {
        cut(self.redactor.redacted(text), bytes)
    }
}

/// The steps with their times since the first one.
fn timed(happened: Vec<(Timestamp, DrillStep)>) -> Vec<DrillStep> {
    let (mut before, mut after_ms) = (None, 0);
    let mut steps = Vec::new();
    for (at, step) in happened {
        let pause = before.map_or(0, |it| at.since(it)).min(PAUSE_MS_MAX);
        before = Some(at);
        after_ms += pause;
        let rounded = after_ms - after_ms % ROUNDED_TO_MS;
        let after = (rounded > 0).then(|| Span::from_s(rounded / 1_000));
        steps.push(DrillStep { after, ..step });
    }
    steps
}
