//! Opens an incident for an alert or a person: its first event and the plan's first step.

use crate::escalation::take_step;
use crate::event::{Event, Opened, Recorded};
use crate::grading::{AlertGroup, Standing};
use crate::ids::NewIncidentId;
use crate::incident::{Counts, Incident, Tally};
use crate::outcome::{Env, Opening, Outcome};
use crate::paging::skip_unserved;
use crate::refusal::Refusal;
use crate::text::{bounded, cut};
use crate::{Actor, Grade, IncidentKey, Labels, TeamId, limits};

/// The details of an incident opened by a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub title: String,
    pub summary: String,
    /// The affected service.
    pub service: String,
    /// The team that owns it.
    pub team: Option<TeamId>,
    /// `None` means a unique key.
    pub key: Option<IncidentKey>,
    /// `None` means the policy's grade.
    pub grade: Option<Grade>,
    /// Whether only people with clearance may see it, whatever the policy says.
    pub security: bool,
    /// Whether this is a drill, not a real incident.
    pub drill: bool,
}

impl Draft {
    /// The given key, or a unique one.
    #[must_use]
    pub fn key_of(&self, new_id: &NewIncidentId) -> IncidentKey {
        let own = || IncidentKey(format!("by-hand/{}", new_id.id));
        self.key.clone().unwrap_or_else(own)
    }
}

/// Opens an incident manually, unless one is already active under its key: `known` is the
/// incident of [`Draft::key_of`].
///
/// # Errors
/// [`Refusal::Invalid`] when the title is missing or too long.
pub fn open_by_hand(
    draft: Draft,
    known: Option<&Incident>,
    opening: &Opening,
    by: &Actor,
    new_id: &NewIncidentId,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if let Some(incident) = known.filter(|it| it.is_active()) {
        let reply = format!("incident {} is already open", incident.number);
        return Ok(Outcome::reply(reply));
    }
    let key = draft.key_of(new_id);
    let title = bounded("title", draft.title, limits::TITLE_BYTES_MAX)?;
    let (grade, grade_reason, grade_source) = match draft.grade {
        Some(grade) => (grade, format!("{by} graded it"), None),
        None => {
            let verdict = &opening.grading;
            (
                verdict.value.grade,
                verdict.reason.clone(),
                Some(verdict.source.clone()),
            )
        }
    };
    let opened = Opened {
        number: new_id.number,
        key,
        title,
        summary: cut(draft.summary, limits::SUMMARY_BYTES_MAX),
        service: draft.service,
        team: draft.team,
        grade,
        security: draft.security || opening.grading.value.security,
        unsure: grade_source.is_some() && opening.grading.value.unsure,
        grade_reason,
        grade_source,
        route_reason: format!("{by} opened it"),
        route_source: None,
        plan: opening.plan.value.clone(),
        plan_reason: opening.plan.reason.clone(),
        plan_source: Some(opening.plan.source.clone()),
        labels: Labels::new(),
        link: None,
        links: Vec::new(),
        counts: Counts::default(),
        drill: draft.drill,
        merges: Labels::new(),
    };
    let secret = if opened.security {
        "; only people with clearance see it"
    } else {
        ""
    };
    let reply = format!("incident {} is open, graded {grade}{secret}", new_id.number);
    let events = open(new_id, opened, opening, by, env);
    let mut outcome = Outcome {
        events,
        reply,
        tally: Some(Tally {
            standing: Some(standing_by_hand(opening)),
            ..Tally::default()
        }),
        ..Outcome::default()
    };
    skip_unserved(&mut outcome, None, env);
    Ok(outcome)
}

/// The verdicts on an incident without alerts.
fn standing_by_hand(opening: &Opening) -> Standing {
    let group = AlertGroup {
        shape: String::new(),
        alert: String::new(),
        grading: opening.grading.value,
        is_over: false,
    };
    Standing {
        groups: vec![group],
        watch: opening.watch.clone(),
        ..Standing::default()
    }
}

/// The first event of an incident, and the events of the plan's first step, unless that is for
/// later.
pub(crate) fn open(
    new_id: &NewIncidentId,
    opened: Opened,
    opening: &Opening,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    let first = Recorded {
        at: env.now,
        by: by.clone(),
        event: Event::Opened(Box::new(opened)),
    };
    let step = match Incident::begin(&new_id.id, &first) {
        Ok(incident) if incident.escalation.is_due(env.now) => {
            take_step(&incident, &opening.responders, false, env)
        }
        _ => Vec::new(),
    };
    [first.event].into_iter().chain(step).collect()
}
