//! Places a firing alert: in an incident, waiting for others, or in neither.

use crate::event::{Event, Opened};
use crate::grading::{AlertGroup, Standing, Watch};
use crate::incident::{self, Counted, Incident, Tally, log_tally};
use crate::intake::alert::RoutedBy;
use crate::intake::needed::is_included;
use crate::intake::waiting::Wait;
use crate::intake::{
    Alert, AlertGrade, Assessment, Assignment, IncidentChange, Intake, Known, NewIncidentId,
    Otherwise, Place, Route, Target, Waiting,
};
use crate::links::links_of;
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{
    Actor, IncidentId, IncidentKey, Signal, escalation, grading, lifecycle, limits, paging,
};

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
    /// With fewer than the policy waits for, as their names fill a row.
    WithTooMany,
    /// With fewer than the policy waits for, as its window is over.
    WithTooFew,
}

impl Firing<'_> {
    pub(crate) fn place(&self) -> Result<Intake, Refusal> {
        let mut intake = self.placed()?;
        intake.waiting.extend(self.waits_no_longer(&intake));
        Ok(intake)
    }

    /// The list of waiting alerts that the alert leaves.
    fn waits_no_longer(&self, intake: &Intake) -> Option<(IncidentKey, Waiting)> {
        let before = self.known.alert?;
        let key = before.waits_under()?;
        if intake.waiting.iter().any(|(changed, _)| changed == key) {
            return None;
        }
        let waiting = self.known.waiting_under(key)?.clone();
        Some((key.clone(), waiting.without(&before.key())))
    }

    fn placed(&self) -> Result<Intake, Refusal> {
        if let Some(assignment) = self.known.moves() {
            return self.assign(None, assignment, Who::Alone);
        }
        let Assessment {
            route, silenced_by, ..
        } = self.assessment;
        if !silenced_by.is_empty() {
            let by = silenced_by.clone();
            return Ok(self.aside(Place::Silenced { by }));
        }
        let Some(target) = route.value.target() else {
            let place = Place::Ignored {
                reason: route.reason.clone(),
                waited_under: None,
                watch: Some(self.watch()),
            };
            return Ok(self.aside(place));
        };
        let Env { now, delays, .. } = self.env;
        let assignment = Assignment::of(target, self.known.target, now, delays);
        match route.value {
            Route::Wait { .. } if !matches!(assignment, Assignment::Join(..)) => {
                self.wait(target, assignment)
            }
            _ => self.assign(Some(&target.key), assignment, Who::Alone),
        }
    }

    fn wait(&self, target: &Target, assignment: Assignment<'_>) -> Result<Intake, Refusal> {
        let Route::Wait {
            count,
            window_ms,
            otherwise,
            ..
        } = self.assessment.route.value
        else {
            return Err(Refusal::NeedsVerdict);
        };
        let (key, now) = (target.key.clone(), self.env.now);
        let waiting = Waiting::with(self.signal, &self.known, (&key, window_ms), now);
        let place = match (waiting.of(self.signal, count, window_ms), otherwise) {
            (Wait::Enough, _) => return self.assign(Some(&key), assignment, Who::WithWaiting),
            (Wait::Full, _) => return self.assign(Some(&key), assignment, Who::WithTooMany),
            (Wait::InVain, Otherwise::Open) => {
                return self.assign(Some(&key), assignment, Who::WithTooFew);
            }
            (Wait::InVain, Otherwise::Ignore) => Place::Ignored {
                reason: self.route_reason(Who::WithTooFew),
                waited_under: Some(key.clone()),
                watch: Some(self.watch()),
            },
            (Wait::Until(until), _) => Place::Waiting {
                key: key.clone(),
                until: Some(until),
                watch: Some(self.watch()),
            },
        };
        Ok(Intake {
            waiting: vec![(key, waiting)],
            ..self.aside(place)
        })
    }

    /// What keeping the alert out of an incident depends on. The clock has the policy asked again
    /// at most once in [`REVIEW_EVERY_MS`](limits::REVIEW_EVERY_MS).
    fn watch(&self) -> Box<Watch> {
        let mut watch = self.assessment.watch.clone();
        let asked_at = self.known.alert.and_then(Alert::routed_again_at);
        if asked_at.is_some_and(|at| at <= self.env.now) {
            let earliest = self.env.now.plus_ms(limits::REVIEW_EVERY_MS);
            watch.flips_at = watch.flips_at.map(|at| at.max(earliest));
        }
        Box::new(watch)
    }

    /// Why the alert goes where it goes.
    fn route_reason(&self, who: Who) -> String {
        let reason = &self.assessment.route.reason;
        let Route::Wait { count, .. } = self.assessment.route.value else {
            return reason.clone();
        };
        let why = match who {
            Who::Alone | Who::WithWaiting => return reason.clone(),
            Who::WithTooFew => format!("fewer than {count} alerts came in time"),
            Who::WithTooMany => format!("the names of {count} alerts do not fit into the store"),
        };
        let reason_bytes_max = limits::REASON_BYTES_MAX - why.len() - 2;
        format!("{}; {why}", cut(reason.clone(), reason_bytes_max))
    }

    /// `key`: that of the route, under which alerts may wait.
    fn assign(
        &self,
        key: Option<&IncidentKey>,
        assignment: Assignment<'_>,
        who: Who,
    ) -> Result<Intake, Refusal> {
        let (change, resolves) = match assignment {
            Assignment::Stay(incident, tally) | Assignment::Join(incident, tally) => {
                (self.join(incident, tally)?, incident.lifecycle.resolves)
            }
            Assignment::Reopen(incident, tally) => {
                (self.reopen(incident, tally)?, incident.lifecycle.resolves)
            }
            Assignment::Open(target) => (self.open(target, who)?, 0),
        };
        let mut intake = self.assigned(change, key.filter(|_| who != Who::Alone));
        for alert in &mut intake.alerts {
            alert.after_resolves = resolves;
        }
        Ok(intake)
    }

    /// A repeat whose alert is in an active incident, graded as its sender describes it now.
    pub(crate) fn graded_anew(&self, mut repeated: Intake) -> Result<Intake, Refusal> {
        let (incident, before) = self.known.home.ok_or(Refusal::NeedsVerdict)?;
        let change = repeated.incidents.first();
        let counted = change.and_then(|it| it.outcome.tally.clone());
        let mut tally = counted.unwrap_or_else(|| before.clone());
        // It may have joined a group that a review under way takes to be over.
        tally.changes += 1;
        let mut events = self.graded(incident, &mut tally)?;
        events.extend(log_tally(incident, &mut tally, self.env.now));
        let mut outcome = changed(events, tally);
        paging::skip_unserved(&mut outcome, Some(incident), self.env);
        repeated.incidents = vec![IncidentChange::of(incident, outcome)];
        Ok(repeated)
    }

    fn join(&self, incident: &Incident, tally: &Tally) -> Result<IncidentChange, Refusal> {
        let mut tally = tally.clone();
        let mut events = self.graded(incident, &mut tally)?;
        events.extend(lifecycle::fires_again(incident, &tally, self.env.now));
        self.count(&mut tally, Some(incident));
        events.extend(log_tally(incident, &mut tally, self.env.now));
        Ok(IncidentChange::of(incident, changed(events, tally)))
    }

    /// The events of what grading says of the alert in an active incident; the tally gets it.
    fn graded(&self, incident: &Incident, tally: &mut Tally) -> Result<Vec<Event>, Refusal> {
        let grade = self.grade()?;
        if is_included(tally.standing.as_ref(), grade) {
            return Ok(Vec::new());
        }
        let opening = self.opening()?;
        let is_only = tally.counts.total <= 1 && !self.is_first_in(incident);
        let standing = tally.standing.as_ref().filter(|_| is_only);
        let before = standing.and_then(Standing::highest);
        let events = grading::regrade(incident, before, opening, self.env);
        self.stand(tally, opening, is_only)?;
        Ok(events)
    }

    /// Keeps a verdict on the alert with those that stand.
    fn stand(&self, tally: &mut Tally, opening: &Opening, is_only: bool) -> Result<(), Refusal> {
        let grade = self.grade()?;
        let group = AlertGroup {
            shape: grade.shape.clone(),
            alert: Alert::row_key(&self.signal.integration, &self.signal.fingerprint),
            grading: grade.grading,
            is_over: false,
        };
        let standing = tally.standing.take();
        let watch = match &standing {
            Some(it) if !is_only => it.watch.clone().and(opening.watch.clone()),
            _ => opening.watch.clone(),
        };
        let mut standing = standing.unwrap_or_default();
        standing.enter(group, is_only);
        standing.watch = watch;
        tally.standing = Some(standing);
        Ok(())
    }

    fn reopen(&self, incident: &Incident, tally: &Tally) -> Result<IncidentChange, Refusal> {
        let opening = self.opening()?;
        let mut tally = tally.clone();
        self.count(&mut tally, Some(incident));
        self.stand(&mut tally, opening, false)?;
        let resolved = incident.resolved_by_whom(self.env.now);
        let reason = format!("`{}` fires again{resolved}", self.signal.title);
        let mut events = vec![Event::Reopened { reason }];
        events.extend(grading::settle(incident, None, opening));
        let events = escalation::replan(incident, events, opening, &self.by(), self.env);
        Ok(IncidentChange::of(incident, changed(events, tally)))
    }

    fn open(&self, target: &Target, who: Who) -> Result<IncidentChange, Refusal> {
        let opening = self.opening()?;
        let mut tally = Tally::default();
        self.count(&mut tally, None);
        self.stand(&mut tally, opening, true)?;
        tally.mark_logged(self.env.now);
        let opened = Opened {
            route_reason: self.route_reason(who),
            ..self.opened(target, opening, &tally)
        };
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
            unsure: opening.grading.value.unsure,
            grade_reason: opening.grading.reason.clone(),
            grade_source: Some(opening.grading.source.clone()),
            route_reason: self.assessment.route.reason.clone(),
            route_source: Some(self.assessment.route.source.clone()),
            plan: opening.plan.value.clone(),
            plan_reason: opening.plan.reason.clone(),
            plan_source: Some(opening.plan.source.clone()),
            labels: self.signal.labels.clone(),
            link: self.signal.link.clone(),
            links: links_of(
                &self.signal.annotations,
                &self.signal.labels,
                self.signal.link.as_deref(),
            ),
            counts: tally.counts,
            drill: self.signal.drill().is_some(),
            merges: target.merges.clone(),
        }
    }

    fn grade(&self) -> Result<&AlertGrade, Refusal> {
        self.assessment.grade.as_ref().ok_or(Refusal::NeedsVerdict)
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

    /// Counts the alert in the incident that it enters, unless it fires there already.
    fn count(&self, tally: &mut Tally, incident: Option<&Incident>) {
        let id = incident.map(|it| &it.id);
        let is_its = |it: &&Alert| id.is_some() && it.incident() == id;
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
        tally.begin(alert, !self.was_counted(self.known.alert, id), self.env.now);
    }

    /// Whether an incident has counted an alert before.
    fn was_counted(&self, alert: Option<&Alert>, id: Option<&IncidentId>) -> bool {
        id.is_some() && alert.and_then(Alert::counted_in) == id
    }

    fn by(&self) -> Actor {
        Actor::Integration(self.signal.integration.clone())
    }

    /// The alert's place in the changed incident, together with the alerts that waited with it.
    fn assigned(&self, mut change: IncidentChange, waited_under: Option<&IncidentKey>) -> Intake {
        let place = Place::Incident {
            id: change.id.clone(),
        };
        let mut alerts = vec![self.alert_in(place.clone())];
        let mut waiting = Vec::new();
        if let Some(key) = waited_under {
            waiting.push((key.clone(), Waiting::default()));
            let joining = self.known.joining.iter();
            for alert in joining.filter(|it| it.waits_under() == Some(key)) {
                if let Some(tally) = &mut change.outcome.tally {
                    let is_new = !self.was_counted(Some(alert), Some(&change.id));
                    tally.begin(alert.counted(), is_new, self.env.now);
                    // Policies were not asked about it.
                    tally.standing.iter_mut().for_each(Standing::ask_again);
                }
                alerts.push(Alert {
                    place: place.clone(),
                    counted_in: None,
                    ..(*alert).clone()
                });
            }
        }
        let mut all = self.known.target.into_iter().chain(self.known.heir);
        let known = all.find(|it| it.0.id == change.id).map(|it| it.0);
        paging::skip_unserved(&mut change.outcome, known, self.env);
        Intake {
            incidents: self.left(&place).into_iter().chain([change]).collect(),
            alerts,
            waiting,
            ..Intake::default()
        }
    }

    fn aside(&self, place: Place) -> Intake {
        Intake {
            incidents: self.left(&place).into_iter().collect(),
            alerts: vec![self.alert_in(place)],
            ..Intake::default()
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
        let routed_by = RoutedBy::of(&self.assessment.route, &place);
        let alert = match self.known.alert {
            Some(alert) if ended(alert) => alert.again(signal, place, now),
            // The sweep's own signal: its sender has said nothing.
            Some(alert) if self.known.unless_observed_since.is_some() => Alert {
                place,
                ends_when_resolved: signal.sender.ends_when_resolved(),
                ..alert.clone()
            },
            Some(alert) => Alert {
                place,
                ..alert.clone().repeated(signal, now)
            },
            None => Alert::begin(signal, place, now),
        };
        let counted_in = match alert.place {
            Place::Incident { .. } => None,
            _ => self.known.alert.and_then(Alert::counted_in).cloned(),
        };
        Alert {
            silences_at: self.assessment.silences_at,
            routed_by: Some(routed_by),
            counted_in,
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
