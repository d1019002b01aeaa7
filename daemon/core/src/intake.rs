//! `decide_signal`: what a sender's word about an alert comes to. Routing, silences and grades
//! were asked of policies beforehand and arrive as values; when the state has moved so that one
//! is missing, the answer is that it is needed.

use crate::alert::{Alert, Place, Tally, Waiting};
use crate::command::{Command, Delays, Opening, Outcome, Refusal};
use crate::decide::{cut, decide, log_tally, planned, replan_if_raised, take_step};
use crate::event::{Event, Opened, Recorded};
use crate::incident::Incident;
use crate::verdict::{Grading, Route, Target, Verdict};
use crate::{Actor, IncidentId, Signal, SignalStatus, Timestamp, limits};

/// What is known about the alert and the incidents that it concerns.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The alert, if it was heard of.
    pub alert: Option<&'a Alert>,
    /// The incident that the alert is in.
    pub home: Option<(&'a Incident, &'a Tally)>,
    /// The incident of the key that the route names.
    pub target: Option<(&'a Incident, &'a Tally)>,
    /// The alerts that wait under the key that the route names.
    pub waiting: Option<&'a Waiting>,
}

/// What was asked beforehand about a firing alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Where it belongs.
    pub route: Verdict<Route>,
    /// The silences that match it.
    pub silenced_by: Vec<String>,
    /// Its label set as far as grading goes, as a short hash.
    pub shape: String,
    /// What the incident opens, reopens or is regraded with.
    pub opening: Option<Opening>,
}

/// An id and a number for an incident, should one open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncidentId {
    /// The id.
    pub id: IncidentId,
    /// The number.
    pub number: u64,
}

/// What a signal comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intake {
    /// The alert's row, if it changes.
    pub alert: Option<Alert>,
    /// The incident that changes, or opens.
    pub incident: Option<IncidentId>,
    /// Whether that incident opens now.
    pub opens: bool,
    /// What happens to it.
    pub outcome: Outcome,
    /// The alerts that wait under the target's key, if that changes; an empty list removes them.
    pub waiting: Option<Waiting>,
    /// Row keys of waiting alerts that join the incident with this one.
    pub adopt: Vec<String>,
}

/// Decides what a signal comes to.
///
/// # Errors
/// [`Refusal::NeedsVerdict`] when a policy must be asked first.
pub fn decide_signal(
    signal: &Signal,
    known: Known<'_>,
    assessment: Option<&Assessment>,
    new_id: &NewIncidentId,
    now: Timestamp,
    delays: &Delays,
) -> Result<Intake, Refusal> {
    match (signal.status, known.alert) {
        (SignalStatus::Resolved, Some(alert)) if alert.firing => {
            Ok(end(alert, known.home, now, delays))
        }
        (SignalStatus::Resolved, _) => Ok(Intake::default()),
        (SignalStatus::Acknowledged, Some(alert)) => {
            acknowledge(alert, known.home, signal, now, delays)
        }
        (SignalStatus::Acknowledged, None) => Ok(Intake::default()),
        (SignalStatus::Firing, alert) => {
            if alert.is_some_and(|it| is_late(signal, it, now)) {
                return Ok(Intake::default());
            }
            if let Some(alert) = alert
                && is_mere_repeat(alert, known.home, now, delays)
            {
                let alert = Some(alert.clone().repeated(signal, now));
                return Ok(Intake {
                    alert,
                    ..Intake::default()
                });
            }
            let assessment = assessment.ok_or(Refusal::NeedsVerdict)?;
            place(&Firing {
                signal,
                known,
                assessment,
                new_id,
                now,
                delays,
            })
        }
    }
}

/// Whether a firing signal is an old one that was overtaken by the alert's end: a duplicate of
/// another replica, or a retry. Only for a short while after the end, and only without a lease
/// and with the same beginning: what fires again in earnest must never be taken for late. So no
/// signal is late by a clock that was set back, since then its order is unknown.
fn is_late(signal: &Signal, alert: &Alert, now: Timestamp) -> bool {
    let is_ordered = alert.changed_at <= now && alert.starts_at <= now;
    is_ordered
        && !alert.firing
        && signal.ends_at.is_none()
        && signal.starts_at <= alert.starts_at
        && now.since(alert.changed_at) < limits::LATE_FIRING_MS
}

/// A firing alert that must find its place.
struct Firing<'a> {
    signal: &'a Signal,
    known: Known<'a>,
    assessment: &'a Assessment,
    new_id: &'a NewIncidentId,
    now: Timestamp,
    delays: &'a Delays,
}

/// Whether a firing alert only repeats what is known: it is in an active incident, or a person
/// resolved its incident a short while ago and that still stands.
fn is_mere_repeat(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    now: Timestamp,
    delays: &Delays,
) -> bool {
    if !alert.firing || alert.incident().is_none() {
        return false;
    }
    home.is_some_and(|(incident, _)| {
        let held = incident
            .lifecycle
            .resolved_at
            .is_some_and(|at| now.since(at) < delays.reopen_within_ms);
        incident.is_active() || held
    })
}

fn end(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    now: Timestamp,
    delays: &Delays,
) -> Intake {
    let mut intake = Intake {
        alert: Some(alert.clone().ended(now)),
        ..Intake::default()
    };
    if let Some((incident, tally)) = home {
        let mut tally = tally.clone();
        tally.end(delays.resolve_after_ms, now);
        intake.incident = Some(incident.id.clone());
        intake
            .outcome
            .events
            .extend(log_tally(incident, &mut tally, now));
        intake.outcome.tally = Some(tally);
    }
    intake
}

fn acknowledge(
    alert: &Alert,
    home: Option<(&Incident, &Tally)>,
    signal: &Signal,
    now: Timestamp,
    delays: &Delays,
) -> Result<Intake, Refusal> {
    let Some((incident, tally)) = home.filter(|(incident, _)| incident.is_unanswered()) else {
        return Ok(Intake::default());
    };
    let by = Actor::Integration(alert.integration.clone());
    let via = signal.integration.to_string();
    let outcome = decide(
        incident,
        tally,
        Command::Acknowledge { via },
        &by,
        now,
        delays,
    )?;
    Ok(Intake {
        incident: Some(incident.id.clone()),
        outcome,
        ..Intake::default()
    })
}

fn place(it: &Firing<'_>) -> Result<Intake, Refusal> {
    if !it.assessment.silenced_by.is_empty() {
        return Ok(it.aside(Place::Silenced {
            by: it.assessment.silenced_by.clone(),
        }));
    }
    match &it.assessment.route.value {
        Route::Ignore => Ok(it.aside(Place::Ignored {
            reason: it.assessment.route.reason.clone(),
        })),
        Route::Incident(target) => it.enter(target, Vec::new()),
        Route::Wait {
            target,
            count,
            window_ms,
        } => {
            if it
                .known
                .target
                .is_some_and(|(incident, _)| incident.is_active())
            {
                return it.enter(target, Vec::new());
            }
            it.wait(target, *count, *window_ms)
        }
    }
}

impl Firing<'_> {
    /// The alert in its new place; a repeat keeps what is known of it.
    fn alert_in(&self, place: Place) -> Alert {
        match self.known.alert {
            Some(alert) if alert.firing => {
                let mut alert = alert.clone().repeated(self.signal, self.now);
                alert.labels.clone_from(&self.signal.labels);
                alert.place = place;
                alert
            }
            Some(alert) => {
                let mut again = Alert::begin(self.signal, place, self.now);
                again.first_seen = alert.first_seen;
                again.repeats = alert.repeats;
                again
            }
            None => Alert::begin(self.signal, place, self.now),
        }
    }

    fn aside(&self, place: Place) -> Intake {
        Intake {
            alert: Some(self.alert_in(place)),
            ..Intake::default()
        }
    }

    fn wait(&self, target: &Target, count: u32, window_ms: u64) -> Result<Intake, Refusal> {
        let key = Alert::row_key(&self.signal.integration, &self.signal.fingerprint);
        let oldest = self.now.minus_ms(window_ms);
        let mut waiting = self.known.waiting.cloned().unwrap_or_default();
        waiting.members.retain(|(_, since)| *since >= oldest);
        let is_member = waiting.members.iter().any(|(member, _)| *member == key);
        let fires_on = self.known.alert.is_some_and(|alert| alert.firing);
        if !is_member && !fires_on {
            waiting.members.push((key.clone(), self.now));
        }
        let count = count.clamp(2, limits::WAIT_COUNT_MAX) as usize;
        let bytes: usize = waiting
            .members
            .iter()
            .map(|(member, _)| member.len() + 32)
            .sum();
        if waiting.members.len() < count && bytes < limits::WAIT_BYTES_MAX {
            let mut intake = self.aside(Place::Waiting {
                key: target.key.clone(),
            });
            intake.waiting = Some(waiting);
            return Ok(intake);
        }
        let others = waiting.members.into_iter().map(|(member, _)| member);
        let mut intake = self.enter(target, others.filter(|member| *member != key).collect())?;
        intake.waiting = Some(Waiting::default());
        Ok(intake)
    }

    fn enter(&self, target: &Target, adopt: Vec<String>) -> Result<Intake, Refusal> {
        match self.known.target {
            Some((incident, tally)) if incident.is_active() => self.join(incident, tally),
            Some((incident, tally))
                if incident.may_reopen(self.now, self.delays.reopen_within_ms) =>
            {
                self.reopen(incident, tally, adopt)
            }
            _ => self.open(target, adopt),
        }
    }

    fn join(&self, incident: &Incident, tally: &Tally) -> Result<Intake, Refusal> {
        let mut tally = tally.clone();
        let mut events = Vec::new();
        if !tally.knows_shape(&self.assessment.shape) {
            let opening = self.opening()?;
            events = regrade(incident, opening, self.now, self.delays);
            tally.note_shape(&self.assessment.shape);
        }
        tally.begin(&self.signal.title, self.is_first_in(incident), self.now);
        events.extend(log_tally(incident, &mut tally, self.now));
        Ok(self.entered(incident.id.clone(), events, tally, Vec::new()))
    }

    fn reopen(
        &self,
        incident: &Incident,
        tally: &Tally,
        adopt: Vec<String>,
    ) -> Result<Intake, Refusal> {
        let opening = self.opening()?;
        let mut tally = tally.clone();
        tally.begin(&self.signal.title, self.is_first_in(incident), self.now);
        tally.note_shape(&self.assessment.shape);
        let reason = format!("`{}` fires again", self.signal.title);
        let mut events = vec![Event::Reopened { reason }];
        events.extend(raise(incident, &opening.grading));
        events.push(planned(opening));
        let after = self.after(incident.clone(), &events);
        events.extend(take_step(
            &after,
            &opening.responders,
            self.now,
            self.delays,
        ));
        Ok(self.entered(incident.id.clone(), events, tally, adopt))
    }

    fn open(&self, target: &Target, adopt: Vec<String>) -> Result<Intake, Refusal> {
        let opening = self.opening()?;
        let mut tally = Tally::default();
        tally.begin(&self.signal.title, true, self.now);
        tally.note_shape(&self.assessment.shape);
        tally.mark_logged(self.now);
        let opened = self.opened(target, opening, &tally);
        let mut events = vec![Event::Opened(Box::new(opened))];
        let first = self.recorded(events[0].clone());
        if let Ok(incident) = Incident::begin(&self.new_id.id, &first) {
            events.extend(take_step(
                &incident,
                &opening.responders,
                self.now,
                self.delays,
            ));
        }
        let mut intake = self.entered(self.new_id.id.clone(), events, tally, adopt);
        intake.opens = true;
        Ok(intake)
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

    /// Whether the alert was never in this incident before.
    fn is_first_in(&self, incident: &Incident) -> bool {
        self.known.alert.and_then(Alert::incident) != Some(&incident.id)
    }

    fn recorded(&self, event: Event) -> Recorded {
        let by = Actor::Integration(self.signal.integration.clone());
        Recorded {
            at: self.now,
            by,
            event,
        }
    }

    fn after(&self, incident: Incident, events: &[Event]) -> Incident {
        events
            .iter()
            .fold(incident, |it, event| it.fold(&self.recorded(event.clone())))
    }

    fn entered(
        &self,
        id: IncidentId,
        events: Vec<Event>,
        tally: Tally,
        adopt: Vec<String>,
    ) -> Intake {
        Intake {
            alert: Some(self.alert_in(Place::Incident { id: id.clone() })),
            incident: Some(id),
            outcome: Outcome {
                events,
                tally: Some(tally),
                ..Outcome::default()
            },
            adopt,
            ..Intake::default()
        }
    }
}

/// The events of a new kind of alert in an active incident: a policy raises a grade and never
/// lowers it, a person's grade stands, and who is still waited for is replaced by the new plan.
fn regrade(incident: &Incident, opening: &Opening, now: Timestamp, delays: &Delays) -> Vec<Event> {
    let mut events: Vec<Event> = raise(incident, &opening.grading).into_iter().collect();
    replan_if_raised(incident, &mut events, opening, &Actor::Tocsin, now, delays);
    events
}

fn raise(incident: &Incident, grading: &Verdict<Grading>) -> Option<Event> {
    let Grading { grade, security } = grading.value;
    let security = security || incident.grading.security;
    let reason = grading.reason.clone();
    if grade <= incident.grading.grade && security == incident.grading.security {
        return None;
    }
    if incident.grading.by_person && grade > incident.grading.grade {
        return Some(Event::GradeProposed { grade, reason });
    }
    let grade = grade.max(incident.grading.grade);
    Some(Event::Graded {
        grade,
        security,
        reason,
        source: Some(grading.source.clone()),
    })
}
