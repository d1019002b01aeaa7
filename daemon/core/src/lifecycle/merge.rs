//! Merging: an incident turns out to be part of another, which goes on with its alerts.

use std::sync::Arc;

use crate::event::Event;
use crate::incident::{Counts, Incident, Tally};
use crate::lifecycle::must_be_active;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{Actor, IncidentKey, changes, limits, promises, tasks};

/// A request to merge an incident into another.
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// The number of the incident that goes on.
    pub into: u64,
    /// Whether the caller may see it if it has the security flag.
    pub may_see: bool,
    pub reason: String,
    /// That incident; the engine looks it up.
    pub target: Option<Arc<Incident>>,
}

impl Merge {
    /// The daemon's own request: routing said that incidents such as this one are part of `into`.
    #[must_use]
    pub fn as_routed(into: &Incident) -> Self {
        Self {
            into: into.number,
            may_see: false,
            reason: format!("routing says that it is part of `{}`", into.about.service),
            target: None,
        }
    }
}

/// Ends an incident in favor of another one. What `into` looks like afterwards is [`absorbed`]. The
/// daemon itself merges only what nobody has touched, and proposes it otherwise.
pub(crate) fn merge(
    incident: &Incident,
    tally: &Tally,
    merge: Merge,
    by: &Actor,
) -> Result<Outcome, Refusal> {
    let target = merge
        .target
        .filter(|it| merge.may_see || !it.grading.security);
    let target = target.ok_or_else(|| {
        Refusal::Invalid(format!(
            "there is no incident {}; name one that is open, as in `merge into 42`",
            merge.into
        ))
    })?;
    let reason = cut(merge.reason, limits::REASON_BYTES_MAX);
    let into = incident.lifecycle.merged_into.as_ref();
    if into.is_some_and(|it| it.id == target.id) {
        let (from, into) = (incident.number, target.number);
        let reply = format!("incident {from} is already merged into incident {into}");
        return Ok(Outcome::reply(reply));
    }
    must_be_apart(incident, &target)?;
    must_be_active(incident, "only an open incident can be merged")?;
    must_be_active(&target, "merge into an incident that is open")?;
    may_be_one(incident, &target)?;
    if *by == Actor::Tocsin && !incident.is_untouched() {
        return propose(incident, &target, reason);
    }
    let mut tally = tally.clone();
    tally.mark_merged();
    let (from, number) = (incident.number, target.number);
    Ok(Outcome {
        events: vec![Event::Merged {
            into: target.id.clone(),
            number,
            reason,
            counts: Counts {
                firing: 0,
                ..tally.counts
            },
        }],
        reply: format!("incident {from} is merged into incident {number}"),
        tally: Some(tally),
        ..Outcome::default()
    })
}

/// What happens to an incident that another one is merged into, in the same batch.
#[must_use]
pub fn absorbed(from: &Incident, into: &Incident, reason: &str) -> Outcome {
    let absorbed = Event::Absorbed {
        incident: from.id.clone(),
        number: from.number,
        keys: keys_of(from),
        services: from.services(),
        reason: reason.to_owned(),
    };
    let mut follow_ups = changes::taken_over(from, into);
    follow_ups.extend(promises::taken_over(from, into));
    follow_ups.extend(tasks::taken_over(from, into));
    Outcome {
        events: vec![absorbed],
        follow_ups,
        ..Outcome::default()
    }
}

/// The keys under which alerts now belong to the incident that an incident is merged into.
#[must_use]
pub fn keys_of(incident: &Incident) -> Vec<IncidentKey> {
    let own = std::iter::once(&incident.about.key);
    own.chain(&incident.absorbed).cloned().collect()
}

impl Incident {
    /// Whether routing said that it is part of another incident, and it opened in the hour before.
    /// What somebody has touched is proposed to them, once.
    #[must_use]
    pub fn is_part_of(&self, other: &Self) -> bool {
        let labels = &self.about.labels;
        let mut wanted = other.about.merges.iter();
        let (began, other_began) = (self.lifecycle.active_since, other.lifecycle.active_since);
        self.is_active()
            && other.is_active_beside(self)
            && self.about.merges.is_empty()
            && !other.about.merges.is_empty()
            && wanted.all(|(name, value)| labels.get(name) == Some(value))
            && began <= other_began
            && other_began.since(began) <= limits::MERGES_BACK_MS
            && (self.is_untouched() || self.may_be_told_of(other))
            && !other.grading.security
            && may_be_one(self, other).is_ok()
    }

    /// Whether it is over and took over a key: alerts under it reopen this incident only as long as
    /// no other one has its own key.
    #[must_use]
    pub fn has_borrowed(&self, key: &IncidentKey) -> bool {
        !self.is_active() && self.about.key != *key
    }

    /// Whether it is active, and no person has done anything about it.
    fn is_untouched(&self) -> bool {
        let is_owned = self.grading.by_person || self.roles.operator.is_some();
        self.is_unanswered() && !is_owned && !self.lifecycle.is_touched
    }

    /// Whether nobody has proposed to merge it into this incident, or into a later one.
    fn may_be_told_of(&self, other: &Self) -> bool {
        self.lifecycle.merge_proposed < Some(other.number)
    }
}

fn propose(incident: &Incident, target: &Incident, reason: String) -> Result<Outcome, Refusal> {
    if !incident.may_be_told_of(target) {
        return Err(Refusal::Stale("the merge"));
    }
    Ok(Outcome::of(vec![Event::MergeProposed {
        number: target.number,
        reason,
    }]))
}

/// Neither is the other, nor has been merged.
fn must_be_apart(incident: &Incident, target: &Incident) -> Result<(), Refusal> {
    let (from, into) = (incident.number, target.number);
    let went = |it: &Incident| it.lifecycle.merged_into.as_ref().map(|it| it.number);
    let why_not = match (went(incident), went(target)) {
        _ if incident.id == target.id => {
            "an incident cannot be merged into itself; name another".to_owned()
        }
        (Some(went), _) => format!("incident {from} was merged into {went}; merge {went} instead"),
        (_, Some(went)) if went == from => {
            format!("incident {into} is already part of {from}, which goes on")
        }
        (_, Some(went)) => format!("incident {into} was merged into {went}; merge into {went}"),
        (None, None) => return Ok(()),
    };
    Err(Refusal::Invalid(why_not))
}

/// Whether two incidents may become one.
fn may_be_one(incident: &Incident, target: &Incident) -> Result<(), Refusal> {
    let (from, into) = (incident.number, target.number);
    let (grade, target_grade) = (incident.grading.grade, target.grading.grade);
    let keys = incident.absorbed.len() + 1;
    let why_not = if incident.grading.security && !target.grading.security {
        format!("incident {from} has the security flag and {into} has not; set it there first")
    } else if incident.grading.by_person && grade > target_grade {
        format!(
            "a person graded incident {from} {grade}, and {into} is {target_grade}; \
             grade {into} first"
        )
    } else if incident.about.drill != target.about.drill {
        format!("only one of the incidents {from} and {into} is a drill; resolve it instead")
    } else if keys > limits::KEYS_PER_MERGE_MAX {
        format!("too many incidents were merged into incident {from}; merge the other way around")
    } else if target.absorbed.len() + keys > limits::ABSORBED_KEYS_MAX {
        format!("too many incidents were merged into incident {into}; resolve this one instead")
    } else {
        return Ok(());
    };
    Err(Refusal::Invalid(why_not))
}
