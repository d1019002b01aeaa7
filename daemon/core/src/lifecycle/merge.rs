//! Merging: an incident turns out to be part of another, which goes on with its alerts.

use std::sync::Arc;

use crate::event::Event;
use crate::incident::{Counts, Incident, Tally};
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{Actor, IncidentKey, limits};

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

/// Ends an incident in favor of another one. What `into` looks like afterwards is [`absorbed`].
pub(crate) fn merge(
    incident: &Incident,
    tally: &Tally,
    merge: Merge,
    by: &Actor,
) -> Result<Outcome, Refusal> {
    super::decide::must_be_active(incident, "only an open incident can be merged")?;
    let target = merge
        .target
        .filter(|it| merge.may_see || !it.grading.security);
    let target = target.ok_or_else(|| Refusal::Invalid(format!("no incident {}", merge.into)))?;
    if target.id == incident.id {
        let what = "an incident cannot be merged into itself; name another";
        return Err(Refusal::Invalid(what.to_owned()));
    }
    super::decide::must_be_active(&target, "merge into an incident that is open")?;
    may_be_one(incident, &target)?;
    if *by == Actor::Tocsin && !incident.is_unanswered() {
        return Err(Refusal::Stale("the merge"));
    }
    let mut tally = tally.clone();
    tally.mark_merged();
    Ok(Outcome {
        events: vec![Event::Merged {
            into: target.id.clone(),
            number: target.number,
            reason: cut(merge.reason, limits::REASON_BYTES_MAX),
            counts: Counts {
                firing: 0,
                ..tally.counts
            },
        }],
        reply: format!(
            "incident {} is merged into incident {}",
            incident.number, target.number
        ),
        tally: Some(tally),
        ..Outcome::default()
    })
}

/// What happens to an incident that another one is merged into, in the same batch.
#[must_use]
pub fn absorbed(from: &Incident, reason: &str) -> Outcome {
    Outcome::of(vec![Event::Absorbed {
        incident: from.id.clone(),
        number: from.number,
        keys: keys_of(from),
        reason: reason.to_owned(),
    }])
}

/// The keys under which alerts now belong to the incident that an incident is merged into.
#[must_use]
pub fn keys_of(incident: &Incident) -> Vec<IncidentKey> {
    let own = std::iter::once(&incident.about.key);
    own.chain(&incident.absorbed).cloned().collect()
}

/// Whether two incidents may become one.
pub(super) fn may_be_one(incident: &Incident, target: &Incident) -> Result<(), Refusal> {
    let (from, into) = (incident.number, target.number);
    let keys = incident.absorbed.len() + 1;
    let why_not = if incident.grading.security && !target.grading.security {
        format!("incident {from} has the security flag and {into} has not; set it there first")
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
