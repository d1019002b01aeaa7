//! Asks the policies again about an incident and its alerts, after something that they read has
//! changed.

use std::collections::BTreeSet;

use tocsin_core::alert::Alert;
use tocsin_core::intake::AlertGrade;
use tocsin_core::standing::{AlertGroup, Review, Standing, Watch};
use tocsin_core::{Grading, Incident, IncidentId, PolicySource, Timestamp, Verdict};
use tocsin_policy::{AlertView, Context, IncidentFacts, IncidentView};

use super::{Assessor, Decided, Graded, subject};
use crate::runtime::error::EngineError;
use crate::runtime::state::view::IncidentState;
use crate::time::policy_time;

/// Most firing alerts of an incident that a review asks about.
const ALERTS_MAX: usize = 256;

impl Assessor {
    /// What the policies say of an incident at `now`; `None` when there is no such incident.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails; a policy's failure is no error here.
    pub fn review(&self, id: &IncidentId, now: Timestamp) -> Result<Option<Review>, EngineError> {
        let snapshot = self.view.snapshot(now)?;
        let Some(state) = snapshot.incident(id)? else {
            return Ok(None);
        };
        // A flip is asked about with the time at which it happens, and not a second before.
        let context = self.context(now).at(policy_time(self.zone, now));
        let mut found = self.graded_again(&state, &context)?;
        let incident = &state.incident;
        let highest = found.standing.highest();
        let verdict = found.verdict.take();
        let mut verdict = verdict.unwrap_or_else(|| as_before(incident));
        verdict.value = highest.unwrap_or(verdict.value);
        let facts = IncidentFacts::of(incident, state.tally.counts);
        let graded = Graded {
            incident: IncidentView::new(facts),
            by_person: incident.grading.by_person,
            verdict,
            context,
            policies: found.watch.policies.clone(),
            decided: Decided::FromAll(found.watch),
        };
        Ok(Some(Review {
            version: incident.version,
            before: state.tally.standing.clone(),
            changes: state.tally.changes,
            groups: found.standing.groups,
            opening: self.opening(graded, now).read_at(snapshot.position().0),
        }))
    }

    /// Asks for the grade of the firing alerts, and groups them by what the policy read.
    fn graded_again(&self, state: &IncidentState, context: &Context) -> Result<Found, EngineError> {
        let (incident, counts) = (&state.incident, state.tally.counts);
        let standing = state.tally.standing.clone().unwrap_or_default();
        let mut found = Found::default();
        found.watch.policies = self.in_force();
        let mut alerts = self.firing_alerts(incident, &standing)?;
        let is_whole = |it: &[_]| it.len() as u64 >= counts.firing.min(ALERTS_MAX as u64);
        if !is_whole(&alerts) {
            self.leases.refresh(self.view.store())?;
            alerts = self.firing_alerts(incident, &standing)?;
        }
        let is_whole = is_whole(&alerts);
        for (key, alert) in alerts {
            let facts = IncidentFacts::of(incident, counts);
            let by_person = incident.grading.by_person;
            let (grade, graded) = self.grade(facts, &alert, None, by_person, context.clone());
            found.take(&key, grade, graded, &standing);
        }
        if !is_whole {
            // The index does not know yet of alerts that another engine has received.
            found.watch = found.watch.and(standing.watch.clone());
        }
        found.keep_others(standing, is_whole);
        Ok(found)
    }

    /// The firing alerts of an incident, those that groups are named after first, at most
    /// [`ALERTS_MAX`]; one made from the incident itself if it has had none.
    fn firing_alerts(
        &self,
        incident: &Incident,
        standing: &Standing,
    ) -> Result<Vec<(String, AlertView)>, EngineError> {
        let mut alerts = Vec::new();
        let mut seen = BTreeSet::new();
        let named = standing.groups.iter().map(|it| it.alert.clone());
        let indexed = self.leases.firing_in(&incident.id, ALERTS_MAX);
        for key in named.chain(indexed) {
            if alerts.len() >= ALERTS_MAX || !seen.insert(key.clone()) {
                continue;
            }
            if key.is_empty() {
                alerts.push((key, subject(incident)));
                continue;
            }
            let is_in = |it: &Alert| it.firing && it.incident() == Some(&incident.id);
            if let Some(alert) = self.view.alert(&key)?.filter(is_in) {
                alerts.push((key, AlertView::new(alert.as_signal())));
            }
        }
        Ok(alerts)
    }
}

/// What was found of an incident's alerts so far.
#[derive(Default)]
struct Found {
    standing: Standing,
    /// The highest of the new verdicts.
    verdict: Option<Verdict<Grading>>,
    watch: Watch,
    /// The alerts that were asked about.
    asked: BTreeSet<String>,
}

impl Found {
    /// Takes the verdict on an alert. If the policy failed, the last good one stands.
    fn take(&mut self, key: &str, grade: AlertGrade, graded: Graded, standing: &Standing) {
        self.asked.insert(key.to_owned());
        let watch = graded.watch();
        self.watch = std::mem::take(&mut self.watch).and(watch);
        if graded.verdict.source.fallback.is_some() {
            let known = standing.groups.iter().find(|it| it.alert == key);
            known
                .cloned()
                .into_iter()
                .for_each(|it| self.standing.add(it));
        } else {
            self.standing.add(AlertGroup {
                shape: grade.shape,
                alert: key.to_owned(),
                grading: grade.grading,
                is_over: false,
            });
        }
        let rank = |it: &Verdict<Grading>| {
            let failed = it.source.fallback.is_some();
            (failed, it.value.grade, it.value.security)
        };
        let is_higher = self.verdict.as_ref();
        if is_higher.is_none_or(|it| rank(it) < rank(&graded.verdict)) {
            self.verdict = Some(graded.verdict);
        }
    }

    /// Keeps the groups of alerts that are over: what was said of them stands. `is_whole`: every
    /// firing alert was asked about, so that nothing else of them fires.
    fn keep_others(&mut self, standing: Standing, is_whole: bool) {
        for mut group in standing.groups {
            if !self.asked.contains(&group.alert) {
                group.is_over |= is_whole;
                self.standing.add(group);
            }
        }
    }
}

/// The verdict that stands when nobody was asked.
fn as_before(incident: &Incident) -> Verdict<Grading> {
    Verdict {
        value: incident.grading.in_force(),
        reason: incident.grading.reason.clone(),
        source: PolicySource {
            fallback: incident.grading.failures.first().cloned(),
            ..PolicySource::default()
        },
    }
}
