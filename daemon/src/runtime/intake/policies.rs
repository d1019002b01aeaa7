//! The policies in force. They are replaced as a whole when the folder changes; while the folder
//! is broken the last good set stays in force, even over a restart. A daemon that never had a good
//! set runs with the built-in verdicts, which page somebody, and says so, instead of refusing to
//! start: also when the set only fails its own tests, as it may page nobody then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tocsin_core::{Cadence, Grading, Plan, Response, Route, Verdict};
use tocsin_policy::{
    AlertView, Basis, CacheStats, Candidates, Context, IncidentView, PolicySet, Report, Reports,
    testing,
};

use crate::runtime::intake::last_good::LastGood;

/// The policies in force.
pub struct Policies {
    folder: PathBuf,
    /// Whether only a set whose tests pass is put in force.
    requires_tests: bool,
    last_good: Option<LastGood>,
    in_force: ArcSwap<InForce>,
    seen: Mutex<String>,
}

struct InForce {
    set: Option<PolicySet>,
    faults: Option<Reports>,
}

/// The result of checking the folder for changes.
#[derive(Debug)]
pub enum Reload {
    /// The folder has not changed.
    Same,
    /// A new set is in force, with this hash.
    Loaded(String),
    /// The folder is broken; the previous set stays in force.
    Failed(Reports),
}

impl Policies {
    /// Loads the policies in `folder`; `kept` is where the last good ones are stored. A broken
    /// folder is not an error here: see [`faults`](Self::faults); the last good set is in force.
    /// With `requires_tests`, a folder whose tests fail is broken too.
    #[must_use]
    pub fn load(folder: &Path, kept: Option<&Path>, requires_tests: bool) -> Self {
        let it = Self {
            folder: folder.to_owned(),
            requires_tests,
            last_good: kept.map(|kept| LastGood::new(kept.to_owned())),
            in_force: ArcSwap::from_pointee(InForce {
                set: None,
                faults: None,
            }),
            seen: Mutex::new(String::new()),
        };
        it.reload();
        it
    }

    /// Loads the folder if it has changed since the last call.
    pub fn reload(&self) -> Reload {
        let mut seen = self.seen.lock();
        let fingerprint = PolicySet::fingerprint(&self.folder);
        if *seen == fingerprint {
            return Reload::Same;
        }
        *seen = fingerprint;
        match self.load_set() {
            Ok(set) => {
                let hash = set.hash().to_owned();
                if let Some(Err(error)) = self.last_good.as_ref().map(|it| it.keep(&set)) {
                    tracing::warn!(%error, "cannot store these policies for a restart");
                }
                self.in_force.store(Arc::new(InForce {
                    set: Some(set),
                    faults: None,
                }));
                Reload::Loaded(hash)
            }
            Err(reports) => {
                let set = self.in_force.load().set.clone();
                let set = set.or_else(|| self.last_good.as_ref()?.load());
                let faults = Some(reports.clone());
                self.in_force.store(Arc::new(InForce { set, faults }));
                Reload::Failed(reports)
            }
        }
    }

    fn load_set(&self) -> Result<PolicySet, Reports> {
        let set = PolicySet::load(&self.folder)?;
        if self.requires_tests {
            testing::require_tests(&set, &self.folder)?;
        }
        Ok(set)
    }

    /// What is currently wrong in the folder.
    #[must_use]
    pub fn faults(&self) -> Option<Reports> {
        self.in_force.load().faults.clone()
    }

    /// The hash of the set in force; `None` if none ever loaded.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        self.in_force
            .load()
            .set
            .as_ref()
            .map(|set| set.hash().to_owned())
    }

    /// How often a verdict was known without running a script, since the set was loaded.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        let in_force = self.in_force.load();
        in_force
            .set
            .as_ref()
            .map_or_else(CacheStats::default, PolicySet::cache_stats)
    }

    /// Asks the routing policy; the answer comes with what it was decided from.
    ///
    /// # Errors
    /// The policy's report, or the folder's when no set ever loaded.
    pub fn route(
        &self,
        alert: &AlertView,
        context: &Context,
    ) -> Result<(Verdict<Route>, Basis), Report> {
        self.set()?.route_with_basis(alert, context)
    }

    /// Asks the grading policy; the answer comes with what it was decided from.
    ///
    /// # Errors
    /// The policy's report, or the folder's when no set ever loaded.
    pub fn grade(
        &self,
        incident: &IncidentView,
        alert: &AlertView,
        context: &Context,
    ) -> Result<(Verdict<Grading>, Basis), Report> {
        self.set()?.grade_with_basis(incident, alert, context)
    }

    /// Asks the escalation policy; the answer comes with what it was decided from.
    ///
    /// # Errors
    /// The policy's report, or the folder's when no set ever loaded.
    pub fn escalate(
        &self,
        incident: &IncidentView,
        context: &Context,
    ) -> Result<(Verdict<Plan>, Basis), Report> {
        self.set()?.escalate_with_basis(incident, context)
    }

    /// Asks the communication policy how soon each audience hears more.
    ///
    /// # Errors
    /// The policy's report, or the folder's when no set ever loaded.
    pub fn cadence(
        &self,
        incident: &IncidentView,
        context: &Context,
    ) -> Result<Verdict<Cadence>, Report> {
        self.set()?
            .cadence_with_basis(incident, context)
            .map(|it| it.0)
    }

    /// Asks the communication policy who takes the roles besides the operator.
    ///
    /// # Errors
    /// The policy's report, or the folder's when no set ever loaded.
    pub fn respond(
        &self,
        incident: &IncidentView,
        candidates: &Candidates,
        context: &Context,
    ) -> Result<Verdict<Response>, Report> {
        self.set()?
            .respond_with_basis(incident, candidates, context)
            .map(|it| it.0)
    }

    fn set(&self) -> Result<PolicySet, Report> {
        let in_force = self.in_force.load();
        if let Some(set) = &in_force.set {
            return Ok(set.clone());
        }
        let first = in_force
            .faults
            .as_ref()
            .and_then(|reports| reports.0.first().cloned());
        Err(first.unwrap_or_else(|| Report {
            file: self.folder.display().to_string(),
            line: None,
            column: None,
            message: "no policies are loaded".to_owned(),
            source_line: None,
            remedy: "set [policy] path to their folder".to_owned(),
            asked: None,
            limit: None,
        }))
    }
}

#[cfg(test)]
mod tests;
