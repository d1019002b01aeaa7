//! What policies can ask about other alerts and incidents, as it is when they ask.

use std::fmt;
use std::sync::Arc;

use tocsin_core::{IncidentKey, Labels, Timestamp};
use tocsin_policy::{AlertIndex, Starts};

use crate::runtime::state::leases::Leases;
use crate::runtime::state::view::View;

/// The alerts and incidents around a question.
pub(super) struct Around {
    pub(super) leases: Arc<Leases>,
    pub(super) view: Arc<View>,
}

impl fmt::Debug for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").finish_non_exhaustive()
    }
}

impl AlertIndex for Around {
    fn firing(&self, labels: &Labels, except: Option<&str>) -> u64 {
        self.leases.counts(|it| it.firing(labels, except))
    }

    fn began(
        &self,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        limit: usize,
    ) -> Vec<Timestamp> {
        self.leases
            .counts(|it| it.began(labels, since, except, limit))
    }

    fn began_by(
        &self,
        of: &str,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        also: Option<(&str, Timestamp)>,
        limit: usize,
    ) -> Vec<Timestamp> {
        self.leases
            .counts(|it| it.began_by(of, labels, since, except, also, limit))
    }

    fn starts(&self, key: &str) -> Starts {
        self.leases.counts(|it| it.starts(key))
    }

    fn is_open(&self, key: &IncidentKey) -> bool {
        self.view.is_open(key).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read an incident's key; policies see none open");
            false
        })
    }
}
