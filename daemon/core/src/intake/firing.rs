//! Places a firing alert: in an incident, waiting for others, or in neither.

use crate::event::{Event, Opened};
use crate::incident::{self, Counted, Incident, Tally, log_tally};
use crate::intake::waiting::waits_under;
use crate::intake::{
    Alert, Assessment, Assignment, IncidentChange, Intake, Known, NewIncidentId, Place, Route,
    Target, Waiting,
};
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{Actor, Signal, escalation, grading, limits, paging};

/// A firing alert that must be placed.
pub(crate) struct Firing<'a> {
    pub(crate) signal: &'a Signal,
    pub(crate) known: Known<'a>,
    pub(crate) assessment: &'a Assessment,
    pub(crate) new_id: &'a NewIncidentId,
    pub(crate) env: Env<'a>,
}

/// Which alerts enter an incident.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Alone,
    WithWaiting,
}

impl Firing<'_> {
    pub(crate) fn place(&self) -> Result<Intake, Refusal> {
        let Assessment {
            route, silenced_by, ..
        } = self.assessment;
        if !silenced_by.is_empty() {
            let by = silenced_by.clone();
            return Ok(self.aside(Place::Silenced { by }));
        }
        let Some(target) = route.value.target() else {
            let reason = route.reason.clone();
            return Ok(self.aside(Place::Ignored { reason }));
        };
        let Env { now, delays, .. } = self.env;
        let assignment = Assignment::of(target, self.known.target, now, delays);
        match route.value {
            Route::Wait {
                count, window_ms, ..
            } if !matches!(assignment, Assignment::Join(..)) => {
                let waiting = Waiting::with(self.signal, &self.known, window_ms, now);
                self.wait(target, waiting, count, assignment)
            }
            _ => self.assign(target, assignment, Who::Alone),
        }
    }

    fn wait(
        &self,
        target: &Target,
        waiting: Waiting,
        count: u32,
        assignment: Assignment<'_>,
    ) -> Result<Intake, Refusal> {
        if waiting.is_complete(count) {
            let assigned = self.assign(target, assignment, Who::WithWaiting)?;
            return Ok(Intake {
                waiting: Some(Waiting::default()),
                ..assigned
            });
        }
        let key = target.key.clone();
        Ok(Intake {
            waiting: Some(waiting),
            ..self.aside(Place::Waiting { key })
        })
    }

    fn assign(
        &self,
        target: &Target,
        assignment: Assignment<'_>,
        who: Who,
    ) -> Result<Intake, Refusal> {
        let (change, resolves) = match assignment {
            Assignment::Join(incident, tally) => {
                (self.join(incident, tally)?, incident.lifecycle.resolves)
            }
            Assignment::Reopen(incident, tally) => {
                (self.reopen(incident, tally)?, incident.lifecycle.resolves)
            }
            Assignment::Open(target) => (self.open(target)?, 0),
        };
        let mut intake = self.assigned(change, target, who);
        for alert in &mut intake.alerts {
            alert.after_resolves = resolves;
        }
        Ok(intake)
    }

    fn join(&self, incident: &Incident, tally: &Tally) -> Result<IncidentChange, Refusal> {
        let mut tally = tally.clone();
        let mut events = Vec::new();
        if !tally.is_shape_graded(&self.assessment.shape) {
            events = grading::regrade(incident, self.opening()?, self.env);
            tally.record_shape(&self.assessment.shape);
        }
        self.count(&mut tally, Some(incident));
        events.extend(log_tally(incident, &mut tally, self.env.now));
        Ok(IncidentChange::of(incident, changed(events, tally)))
    }

    fn reopen(&self, incident: &Incident, tally: &Tally) -> Result<IncidentChange, Refusal> {
        let opening = self.opening()?;
        let mut tally = tally.clone();
        self.count(&mut tally, Some(incident));
        tally.record_shape(&self.assessment.shape);
        let resolved = incident.resolved_by_whom(self.env.now);
        let reason = format!("`{}` fires again{resolved}", self.signal.title);
        let mut events = vec![Event::Reopened { reason }];
        events.extend(grading::raise(incident, &opening.grading));
        let events = escalation::replan(incident, events, opening, &self.by(), self.env);
        Ok(IncidentChange::of(incident, changed(events, tally)))
    }

    fn open(&self, target: &Target) -> Result<IncidentChange, Refusal> {
        let opening = self.opening()?;
        let mut tally = Tally::default();
        self.count(&mut tally, None);
        tally.record_shape(&self.assessment.shape);
        tally.mark_logged(self.env.now);
        let opened = self.opened(target, opening, &tally);
        let events = incident::open(self.new_id, opened, opening, &self.by(), self.env);
        Ok(IncidentChange {
            id: self.new_id.id.clone(),
            opens: true,
            outcome: changed(events, tally),
        })
    }

    fn opened(&self, target: &Target, opening: &Opening, tally: &Tally) -> Opened {
        let title = target
            .title
            .clone()
            .unwrap_or_else(|| self.signal.title.clone());
        Opened {
            number: self.new_id.number,
            key: target.key.clone(),
            title: cut(title, limits::TITLE_BYTES_MAX),
            summary: self.signal.summary.clone(),
            service: target.service.clone(),
            team: target.team.clone(),
            grade: opening.grading.value.grade,
            security: opening.grading.value.security,
            grade_reason: opening.grading.reason.clone(),
            grade_source: Some(opening.grading.source.clone()),
            route_reason: self.assessment.route.reason.clone(),
            route_source: Some(self.assessment.route.source.clone()),
            plan: opening.plan.value.clone(),
            plan_reason: opening.plan.reason.clone(),
            plan_source: Some(opening.plan.source.clone()),
            labels: self.signal.labels.clone(),
            link: self.signal.link.clone(),
            counts: tally.counts,
            drill: false,
        }
    }

    fn opening(&self) -> Result<&Opening, Refusal> {
        self.assessment
            .opening
            .as_ref()
            .ok_or(Refusal::NeedsVerdict)
    }

    /// Counts the alert in the incident that it enters, unless it fires there already.
    fn count(&self, tally: &mut Tally, incident: Option<&Incident>) {
        let is_its = |it: &&Alert| incident.is_some_and(|own| it.incident() == Some(&own.id));
        let before = self.known.alert.filter(is_its);
        let ends_when_resolved = self.signal.sender.ends_when_resolved();
        if let Some(before) = before.filter(|it| it.firing) {
            tally.recount(before.ends_when_resolved, ends_when_resolved);
            tally.reopen_due = None;
            return;
        }
        let alert = Counted {
            title: &self.signal.title,
            ends_when_resolved,
        };
        tally.begin(alert, before.is_none(), self.env.now);
    }

    fn by(&self) -> Actor {
        Actor::Integration(self.signal.integration.clone())
    }

    /// The alert's place in the changed incident, together with the alerts that waited with it.
    fn assigned(&self, mut change: IncidentChange, target: &Target, who: Who) -> Intake {
        let place = Place::Incident {
            id: change.id.clone(),
        };
        let mut alerts = vec![self.alert_in(place.clone())];
        if who == Who::WithWaiting {
            let joining = self.known.joining.iter();
            for alert in joining.filter(|it| waits_under(it, &target.key)) {
                if let Some(tally) = &mut change.outcome.tally {
                    tally.begin(alert.counted(), true, self.env.now);
                }
                alerts.push(Alert {
                    place: place.clone(),
                    ..(*alert).clone()
                });
            }
        }
        let known = self.known.target.map(|it| it.0);
        paging::skip_unserved(&mut change.outcome, known, self.env);
        Intake {
            incidents: self.left(&place).into_iter().chain([change]).collect(),
            alerts,
            waiting: None,
        }
    }

    fn aside(&self, place: Place) -> Intake {
        Intake {
            incidents: self.left(&place).into_iter().collect(),
            alerts: vec![self.alert_in(place)],
            waiting: None,
        }
    }

    /// A firing alert that moves no longer counts as firing in its previous incident, which is
    /// over: if that incident reopens, it must not wait for an alert that never ends there.
    fn left(&self, place: &Place) -> Option<IncidentChange> {
        let alert = self
            .known
            .alert
            .filter(|it| it.firing && it.place != *place)?;
        let (incident, tally) = self.known.home.filter(|_| alert.incident().is_some())?;
        let mut tally = tally.clone();
        tally.end(
            alert.counted(),
            self.env.delays.resolve_after_ms,
            self.env.now,
        );
        Some(IncidentChange::of(incident, changed(Vec::new(), tally)))
    }

    /// The alert in its new place, with its history.
    fn alert_in(&self, place: Place) -> Alert {
        let (signal, now) = (self.signal, self.env.now);
        let ended = |it: &Alert| {
            let home = self.known.home;
            !it.firing || home.is_some_and(|(incident, _)| it.is_ended_by(incident))
        };
        let alert = match self.known.alert {
            Some(alert) if ended(alert) => alert.again(signal, place, now),
            Some(alert) => Alert {
                place,
                ..alert.clone().repeated(signal, now)
            },
            None => Alert::begin(signal, place, now),
        };
        Alert {
            silences_at: self.assessment.silences_at,
            ..alert
        }
    }
}

fn changed(events: Vec<Event>, tally: Tally) -> Outcome {
    Outcome {
        events,
        tally: Some(tally),
        ..Outcome::default()
    }
}
