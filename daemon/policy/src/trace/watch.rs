//! What the core must know of a trace to have a policy asked again in time.

use std::cmp::Ordering;
use std::sync::Arc;

use tocsin_core::standing::{Bounds, Seen, Watch};

use crate::text::short_hash;

use super::{AgeOf, Facts, IncidentField, LabelsOf, Quantity, Read, Trace};

/// From what a verdict was decided.
#[derive(Clone, Debug)]
pub struct Basis {
    pub trace: Arc<Trace>,
    /// A digest of what was read of the alert, in hex: alerts with the same have the same verdict
    /// about the same incident at the same time.
    pub shape: Arc<str>,
}

impl Trace {
    /// What the verdict was decided from, apart from the alert. `policies` names what is in force.
    #[must_use]
    pub fn watch(&self, policies: &str, facts: Facts<'_>) -> Watch {
        let mut watch = Watch {
            policies: policies.to_owned(),
            flips_at: self.flips_at(facts),
            // What is missing from a trace may be anything.
            surroundings: self.is_cut,
            ..Watch::default()
        };
        for (read, _) in &self.reads {
            add(&mut watch, read, facts);
        }
        watch
    }

    /// A digest of what was read of the alert; first 16 digits.
    pub(crate) fn shape(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (read, answer) in self.reads.iter().filter(|(read, _)| read.is_of_alert()) {
            let pair = serde_json::to_vec(&(read, answer)).unwrap_or_default();
            hasher.update(&pair.len().to_le_bytes());
            hasher.update(&pair);
        }
        short_hash(&hasher.finalize())
    }
}

/// Adds what a read depends on.
fn add(watch: &mut Watch, read: &Read, facts: Facts<'_>) {
    match read {
        Read::Exactly(quantity) => bound(watch, quantity, facts, |value| equals(value, value)),
        Read::AtLeast(quantity, than) => {
            let than = u64::try_from(*than).unwrap_or(0);
            bound(watch, quantity, facts, |value| at_least(value, than));
        }
        Read::Equals(quantity, other) => match u64::try_from(*other) {
            Ok(other) => bound(watch, quantity, facts, |value| equals(value, other)),
            // Never equal, whatever the number.
            Err(_) => bound(watch, quantity, facts, |_| Bounds::default()),
        },
        Read::Incident(field) => watch.seen.extend(field.seen(facts)),
        Read::OnCall(_)
        | Read::Changes(..)
        | Read::IsOpen(_)
        | Read::Candidates
        | Read::Candidate(..)
        | Read::IsCandidate(_) => watch.surroundings = true,
        Read::Alert(_)
        | Read::Label(..)
        | Read::HasLabel(..)
        | Read::LabelNames(_)
        | Read::Now(_)
        // An incident that comes back is assessed anew.
        | Read::Next(..)
        // The clock's part is in `flips_at`.
        | Read::Again(..)
        | Read::Within(..)
        | Read::HasRotations
        | Read::HasRotation(_) => {}
    }
}

fn bound(watch: &mut Watch, of: &Quantity, facts: Facts<'_>, bounds: impl Fn(u64) -> Bounds) {
    let value = of.value(facts).unwrap_or(0);
    let value = u64::try_from(value).unwrap_or(0);
    match of {
        Quantity::AlertsFiring => watch.firing = watch.firing.and(bounds(value)),
        Quantity::AlertsTotal => watch.total = watch.total.and(bounds(value)),
        Quantity::Load(_)
        | Quantity::Firing(_)
        | Quantity::Began(..)
        | Quantity::Distinct(..)
        | Quantity::Flaps(_) => watch.surroundings = true,
        // The clock's part is in `flips_at`.
        Quantity::Age(..) | Quantity::Labels(_) => {}
    }
}

/// For which numbers `>= than` answers as for `value`.
fn at_least(value: u64, than: u64) -> Bounds {
    match value >= than {
        true => Bounds {
            from: than,
            ..Bounds::default()
        },
        false => Bounds {
            below: than,
            ..Bounds::default()
        },
    }
}

/// For which numbers around `value` `== other` answers as for it.
fn equals(value: u64, other: u64) -> Bounds {
    let all = Bounds::default();
    match value.cmp(&other) {
        Ordering::Greater => Bounds {
            from: other.saturating_add(1),
            ..all
        },
        Ordering::Less => Bounds {
            below: other,
            ..all
        },
        Ordering::Equal => Bounds {
            from: other,
            below: other.saturating_add(1),
        },
    }
}

impl Read {
    fn is_of_alert(&self) -> bool {
        match self {
            Self::Alert(_) => true,
            Self::Label(of, _) | Self::HasLabel(of, _) | Self::LabelNames(of) => of.is_of_alert(),
            Self::Exactly(quantity) | Self::AtLeast(quantity, _) | Self::Equals(quantity, _) => {
                quantity.is_of_alert()
            }
            _ => false,
        }
    }
}

impl Quantity {
    fn is_of_alert(&self) -> bool {
        match self {
            Self::Labels(of) => of.is_of_alert(),
            Self::Age(of, _) => *of == AgeOf::Alert,
            Self::Flaps(_) => true,
            _ => false,
        }
    }
}

impl LabelsOf {
    fn is_of_alert(self) -> bool {
        self != Self::Incident
    }
}

impl IncidentField {
    /// What may change while an incident is active; the rest stays as it was when it opened.
    fn seen(self, facts: Facts<'_>) -> Option<Seen> {
        let incident = facts.incident?.facts();
        Some(match self {
            Self::Grade => Seen::Grade(incident.grade),
            Self::Security => Seen::Security(incident.security),
            Self::Status => Seen::Status(incident.status),
            Self::Acknowledged => Seen::Acknowledged(incident.acknowledged),
            Self::Id
            | Self::Number
            | Self::Key
            | Self::Title
            | Self::Service
            | Self::Team
            | Self::OpenedAt
            | Self::Drill => return None,
        })
    }
}
