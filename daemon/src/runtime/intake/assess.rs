//! Asks the policies about a firing alert, on a snapshot before the engine decides. If a policy
//! fails, that is reported, and the alert still gets an incident, a grade and somebody to page:
//! user code cannot prevent a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use tocsin_core::command::{Delays, Opening};
use tocsin_core::intake::{AlertGrade, Assessment, Assignment, Known, Needed, Routed, needed};
use tocsin_core::limits::REVIEW_EVERY_MS;
use tocsin_core::standing::Watch;
use tocsin_core::{
    Alert, Draft, Grade, Grading, Incident, Labels, PageTarget, Plan, Route, Signal, SignalStatus,
    Target, Timestamp, Verdict,
};
use tocsin_policy::{
    AlertView, Basis, Context, ContextFacts, Facts, IncidentFacts, IncidentView, Report, fallback,
};

use crate::metrics::Metrics;
use crate::people::ResponderLookup;
use crate::runtime::error::EngineError;
use crate::runtime::intake::around::Around;
use crate::runtime::intake::failures::PolicyFailures;
use crate::runtime::intake::policies::Policies;
use crate::runtime::registry::silences::Silences;
use crate::runtime::state::leases::Leases;
use crate::runtime::state::tables::change::newest_changes;
use crate::runtime::state::view::{IncidentState, View};
use crate::time::policy_time;

mod response;
mod review;

pub struct Assessor {
    /// The policies in force.
    pub policies: Arc<Policies>,
    /// Looks up who steps page.
    pub responders: ResponderLookup,
    /// The silences in force.
    pub silences: Arc<Silences>,
    /// The durable state of incidents and alerts.
    pub view: Arc<View>,
    /// The index of firing alerts.
    pub leases: Arc<Leases>,
    /// The time zone of times in policies.
    pub zone: chrono_tz::Tz,
    /// Who is paged when the escalation policy fails.
    pub fallback: Vec<PageTarget>,
    /// The engine's delays, which decide whether an incident may reopen.
    pub delays: Delays,
    /// Where failures are counted.
    pub metrics: Arc<Metrics>,
    /// The cached context for policies.
    pub context: Mutex<Option<(Timestamp, Context)>>,
    /// Policy calls that failed.
    pub failures: Mutex<PolicyFailures>,
}

/// How old the cached context may be, in milliseconds.
const CONTEXT_MS_MAX: u64 = 1_000;

impl Assessor {
    /// The assessment needed to decide a signal, or `None` if it needs no policy. `whole`: ask all
    /// policies, because an earlier decision lacked a verdict.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails; a policy's failure is no error here.
    pub fn assess(
        &self,
        signal: &Arc<Signal>,
        whole: bool,
        now: Timestamp,
    ) -> Result<Option<Assessment>, EngineError> {
        let snapshot = self.view.snapshot(now)?;
        let (known_alert, home) = snapshot.alert_and_home(signal)?;
        let heir = snapshot.heir(home.as_deref())?;
        let mut known = Known {
            alert: known_alert.as_ref(),
            home: home.as_deref().map(IncidentState::parts),
            heir: heir.as_deref().map(IncidentState::parts),
            ..Known::default()
        };
        let needs = needed(signal, &known, None, whole, now, &self.delays);
        if matches!(needs, Needed::Nothing) {
            return Ok(None);
        }
        let alert = AlertView::new(Arc::clone(signal));
        let again_at = known_alert.as_ref().and_then(Alert::routed_again_at);
        let (route, watch) = self.route(&alert, again_at.is_some_and(|at| at <= now), now);
        let (silenced_by, silences) = self.silences.matching_now(&signal.labels, now)?;
        let target = match route.value.target() {
            Some(target) => snapshot.incident_of_key(&target.key)?,
            None => None,
        };
        known.target = target.as_deref().map(IncidentState::parts);
        let mut routed = Routed {
            route: &route.value,
            is_silenced: !silenced_by.is_empty(),
            grade: None,
        };
        let next = |routed| needed(signal, &known, Some(routed), whole, now, &self.delays);
        let graded = match next(routed) {
            Needed::Grade(assignment) => {
                let (facts, by_person) = facts_of(assignment, signal, now);
                let failed = route.source.fallback.as_deref();
                Some(self.grade(facts, &alert, failed, by_person, self.context(now)))
            }
            _ => None,
        };
        let (grade, graded) = graded.unzip();
        routed.grade = grade.as_ref();
        let needs_opening = matches!(next(routed), Needed::Opening(_));
        let opening = graded.filter(|_| needs_opening).map(|graded| {
            let opening = self.opening(graded, now);
            opening.read_at(snapshot.position().0)
        });
        Ok(Some(Assessment {
            route,
            watch,
            silenced_by,
            silences_at: Some(silences.position.0),
            silences_mark: Some(silences.mark),
            silences_until: self.silences.next_change(now),
            grade,
            opening,
        }))
    }

    /// Whether the routing policy no longer keeps an alert out of incidents, or does so for other
    /// reasons.
    #[must_use]
    pub fn is_routed_otherwise(&self, alert: &Alert, now: Timestamp) -> bool {
        let Some(watch) = alert.kept_out_while() else {
            return false;
        };
        let may_differ = |it: &Watch| it.surroundings || it.policies != self.in_force();
        if !watch.is_none_or(may_differ) {
            return false;
        }
        let (route, found) = self.route(&AlertView::new(alert.as_signal()), false, now);
        !may_be_kept_out(&route.value) || watch != Some(&found)
    }

    /// The grade and the plan for an incident opened by hand.
    #[must_use]
    pub fn assess_draft(&self, draft: &Draft, now: Timestamp) -> Opening {
        let target = Target {
            key: draft.key.clone().unwrap_or_default(),
            service: draft.service.clone(),
            team: draft.team.clone(),
            title: Some(draft.title.clone()),
            merges: tocsin_core::Labels::new(),
        };
        let signal = by_hand(&draft.title, &draft.summary, Labels::new(), now);
        let mut facts = IncidentFacts::opening(&target, &signal, now);
        facts.grade = draft.grade;
        facts.security = draft.security;
        facts.drill = draft.drill;
        let (by_person, context) = (draft.grade.is_some(), self.context(now));
        let (_, graded) = self.grade(facts, &AlertView::new(signal), None, by_person, context);
        self.opening(graded, now)
    }

    /// The plan for an incident whose grade a person is about to set.
    #[must_use]
    pub fn replan(&self, state: &IncidentState, grade: Grade, now: Timestamp) -> Opening {
        let mut facts = IncidentFacts::of(&state.incident, state.tally.counts);
        facts.grade = Some(grade);
        let (alert, context) = (subject(&state.incident), self.context(now));
        let (_, graded) = self.grade(facts, &alert, None, true, context);
        self.opening(graded, now)
    }

    /// Where an alert belongs, and what a decision to keep it out depends on. `is_due`: it is asked
    /// because the clock changes the answer now, so a context of a second before will not do.
    fn route(&self, alert: &AlertView, is_due: bool, now: Timestamp) -> (Verdict<Route>, Watch) {
        let mut context = self.context(now);
        if is_due {
            context = context.at(policy_time(self.zone, now));
        }
        // Before the policies are asked: if others come into force meanwhile, they are asked again.
        let policies = self.in_force();
        let asked = self
            .policies
            .route(alert, &context)
            .map(|(mut route, basis)| {
                route.value = match alert.signal().drill() {
                    Some(drill) => route.value.in_drill(drill),
                    None => route.value.outside_drills(),
                };
                (route, basis)
            });
        match asked {
            Ok((route, basis)) if may_be_kept_out(&route.value) => {
                let facts = Facts::of(None, Some(alert), &context);
                let watch = basis.trace.watch(&policies, facts);
                (route, watch)
            }
            Ok((route, _)) => (route, Watch::default()),
            Err(report) => {
                self.report(&report);
                let route = fallback::catch_all_route(&alert.signal().integration, &report);
                (route, Watch::default())
            }
        }
    }

    /// Asks for the grade of an alert in an incident. An alert that could not be routed goes to the
    /// catch-all incident, which is major. `by_person`: the grade in the facts was set by a person,
    /// so the plan uses it instead of the policy's.
    fn grade(
        &self,
        facts: IncidentFacts,
        alert: &AlertView,
        route_failed: Option<&str>,
        by_person: bool,
        context: Context,
    ) -> (AlertGrade, Graded) {
        let incident = IncidentView::new(facts);
        let policies = self.in_force();
        let asked = match route_failed {
            Some(why) => Err(fallback_grading(why)),
            None => {
                let asked = self.policies.grade(&incident, alert, &context);
                asked.map_err(|report| {
                    self.report(&report);
                    fallback::catch_all_grading(&report)
                })
            }
        };
        let (verdict, shape, decided) = match asked {
            Ok((verdict, basis)) => {
                let shape = basis.shape.to_string();
                (verdict, shape, Decided::From(basis, alert.clone()))
            }
            Err(verdict) => (verdict, digest(alert.signal()), Decided::ByNone),
        };
        let grade = AlertGrade {
            shape,
            grading: verdict.value,
        };
        let graded = Graded {
            incident,
            by_person,
            verdict,
            context,
            decided,
            policies,
        };
        (grade, graded)
    }

    /// Asks for a plan for the grade that is in force after this verdict.
    fn opening(&self, graded: Graded, now: Timestamp) -> Opening {
        let (policies, watch_of_grade) = (self.in_force(), graded.watch());
        let (facts, grading) = (graded.incident.facts(), graded.verdict);
        let standing = facts.grade.map(|grade| Grading {
            grade,
            security: facts.security,
            unsure: false,
        });
        let in_force = grading.value.over(standing, graded.by_person);
        let incident = IncidentView::new(facts.clone().graded(in_force));
        let (plan, watch) = match self.policies.escalate(&incident, &graded.context) {
            Ok((plan, basis)) => {
                let facts = Facts::of(Some(&incident), None, &graded.context);
                (plan, basis.trace.watch(&policies, facts))
            }
            Err(report) => {
                self.report(&report);
                let plan = self.fallback_plan(&report);
                (plan, asked_again_soon(&policies, now))
            }
        };
        let responders = self.responders.of_step(plan.value.steps.first(), now);
        Opening {
            grading,
            plan,
            responders,
            watch: watch_of_grade.and(watch),
        }
    }

    /// The policies in force, and the rotations that they can ask for, as a short name.
    pub(crate) fn in_force(&self) -> String {
        let hash = self.policies.hash().unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(hash.as_bytes());
        for rotation in self.responders.rosters.now().rotations.keys() {
            hasher.update(&[0xff]);
            hasher.update(rotation.as_bytes());
        }
        hasher.finalize().to_hex().as_str()[..16].to_owned()
    }

    fn fallback_plan(&self, report: &Report) -> Verdict<Plan> {
        fallback::fallback_plan(self.fallback.clone(), report)
    }

    /// The context for policies, rebuilt once a second: who is on call and how busy people are does
    /// not change from one alert of a storm to the next. How busy they are is read from memory,
    /// which even an idle engine brings up to date once a second.
    fn context(&self, now: Timestamp) -> Context {
        let mut made = self.context.lock();
        if let Some((at, context)) = made.as_ref()
            && now.since(*at) < CONTEXT_MS_MAX
            && *at <= now
        {
            return context.clone();
        }
        let context = self.make_context(now);
        *made = Some((now, context.clone()));
        context
    }

    fn make_context(&self, now: Timestamp) -> Context {
        let mut on_call = BTreeMap::new();
        for (name, rotation) in &self.responders.rosters.now().rotations {
            on_call.insert(name.clone(), rotation.on_call(now));
        }
        let mut load: BTreeMap<_, u32> = BTreeMap::new();
        for state in self.view.in_memory() {
            if let Some(person) = state.incident.keeps_busy() {
                *load.entry(person.clone()).or_default() += 1;
            }
        }
        let changes = newest_changes(self.view.store.as_ref(), now).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read changes; policies get none");
            Vec::new()
        });
        let now = policy_time(self.zone, now);
        Context::new(ContextFacts {
            now,
            on_call,
            load,
            changes,
        })
        .with_alerts(Arc::new(Around {
            leases: Arc::clone(&self.leases),
            view: Arc::clone(&self.view),
        }))
    }

    fn report(&self, report: &Report) {
        self.metrics.policy_failed(&report.file);
        // Whoever reads the log may not see what the alert says.
        let text = report.without_values().to_string();
        if self.failures.lock().record(&text) {
            tracing::error!("a policy failed; the built-in verdict applies: {text}");
        }
    }
}

/// What grading says of an alert, and what the plan is asked with.
struct Graded {
    incident: IncidentView,
    by_person: bool,
    verdict: Verdict<Grading>,
    context: Context,
    decided: Decided,
    /// The policies in force before they were asked.
    policies: String,
}

/// What a grade was decided from.
enum Decided {
    From(Basis, AlertView),
    /// The policy failed.
    ByNone,
    /// Several verdicts.
    FromAll(Watch),
}

impl Graded {
    /// What the verdict depends on. Most alerts of a storm change nothing and need none.
    fn watch(&self) -> Watch {
        let policies = &self.policies;
        match &self.decided {
            Decided::From(basis, alert) => {
                let facts = Facts::of(Some(&self.incident), Some(alert), &self.context);
                basis.trace.watch(policies, facts)
            }
            Decided::ByNone => asked_again_soon(policies, self.context.facts().now.utc),
            Decided::FromAll(watch) => watch.clone(),
        }
    }
}

/// The incident that an alert enters, as it is with that alert, or the one that it is in; and
/// whether a person graded it.
fn facts_of(assignment: Assignment<'_>, signal: &Signal, now: Timestamp) -> (IncidentFacts, bool) {
    let is_reopened = matches!(assignment, Assignment::Reopen(..));
    let (incident, counts) = match assignment {
        Assignment::Stay(incident, tally) => (incident, tally.counts),
        Assignment::Join(incident, tally) | Assignment::Reopen(incident, tally) => {
            (incident, tally.counts.with_one_more())
        }
        Assignment::Open(target) => return (IncidentFacts::opening(target, signal, now), false),
    };
    let mut facts = IncidentFacts::of(incident, counts);
    if is_reopened {
        facts.active_since = now;
    }
    (facts, incident.grading.by_person)
}

/// What a built-in verdict depends on: the policy may answer the next time.
fn asked_again_soon(policies: &str, now: Timestamp) -> Watch {
    Watch {
        policies: policies.to_owned(),
        flips_at: Some(now.plus_ms(REVIEW_EVERY_MS)),
        ..Watch::default()
    }
}

fn may_be_kept_out(route: &Route) -> bool {
    match route {
        Route::Ignore | Route::Wait { .. } => true,
        Route::Incident(_) => false,
    }
}

/// A digest of all that a policy can read of an alert.
fn digest(signal: &Signal) -> String {
    let content = (
        &signal.labels,
        &signal.annotations,
        &signal.title,
        &signal.summary,
    );
    let json = serde_json::to_vec(&content).unwrap_or_default();
    blake3::hash(&json).to_hex().as_str()[..16].to_owned()
}

fn fallback_grading(why: &str) -> Verdict<Grading> {
    let source = tocsin_core::PolicySource {
        file: tocsin_core::PolicySource::BUILTIN.to_owned(),
        fallback: Some(why.to_owned()),
        ..tocsin_core::PolicySource::default()
    };
    let value = Grading {
        grade: tocsin_core::Grade::Major,
        security: false,
        unsure: false,
    };
    let reason = "the alert could not be routed, so it counts as major".to_owned();
    Verdict {
        value,
        reason,
        source,
    }
}

/// The alert that policies get for an incident that has none.
fn subject(incident: &Incident) -> AlertView {
    let about = &incident.about;
    let (title, summary) = (&about.title, &about.summary);
    let opened_at = incident.lifecycle.opened_at;
    AlertView::new(by_hand(title, summary, about.labels.clone(), opened_at))
}

/// The alert that policies get for an incident opened by hand.
fn by_hand(title: &str, summary: &str, labels: Labels, now: Timestamp) -> Signal {
    Signal {
        integration: "by-hand".into(),
        fingerprint: "by-hand".into(),
        status: SignalStatus::Firing,
        title: title.to_owned(),
        summary: summary.to_owned(),
        labels,
        annotations: Labels::new(),
        starts_at: now,
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

#[cfg(test)]
mod tests;
