//! A set of policies, which the daemon evaluates and replaces as a whole when a file changes.

mod communication;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use rhai::{Dynamic, Engine};
use tocsin_core::{Cadence, Grading, Plan, PolicySource, Response, Route, Verdict};

use crate::bind::candidates;
use crate::call::call;
use crate::compiled::{Libs, Place, Policy};
use crate::engine;
use crate::kind::Kind;
use crate::limits::{WALL_MS_MAX, WATCHED_WALL_MS_MAX};
use crate::load::{Found, Policies, Slot, add_to_hash, find, find_libs, load, load_valid};
use crate::locate::{in_answer, last_places, line_of_answer};
use crate::report::{Report, Reports};
use crate::text::short_hash;
use crate::trace::{Basis, Cache, CacheStats, Facts, Known, Trace, recorded};
use crate::verdict::{self, Decoded};
use crate::view::{AlertView, Context, IncidentView};

/// The compiled policies of a folder. Clones share everything.
#[derive(Clone)]
pub struct PolicySet(Arc<Inner>);

struct Inner {
    engine: Engine,
    policies: BTreeMap<Slot, Policy>,
    libs: Arc<Libs>,
    hash: String,
    known: KnownVerdicts,
    /// Whether every call runs, so that what it runs can be noted.
    is_watched: bool,
}

/// What was answered before, by the function that answered.
#[derive(Default)]
struct KnownVerdicts {
    routes: Cache<Route>,
    gradings: Cache<Grading>,
    plans: Cache<Plan>,
    cadences: Cache<Cadence>,
    responses: Cache<Response>,
}

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files: Vec<&str> = self.files().collect();
        f.debug_struct("PolicySet")
            .field("hash", &self.0.hash)
            .field("files", &files)
            .finish()
    }
}

impl PolicySet {
    /// Compiles the policies in `dir`, all or nothing.
    ///
    /// # Errors
    /// All faults, at most [`REPORTS_MAX`](crate::limits::REPORTS_MAX): a file that is missing,
    /// unreadable or misnamed, does not parse, or lacks its function.
    pub fn load(dir: &Path) -> Result<Self, Reports> {
        let engine = engine::new();
        let loaded = load(&engine, dir).map_err(Reports)?;
        Ok(Self::of(engine, loaded, false))
    }

    /// The policies in `dir` that have no fault, in an engine that notes what runs, and the faults
    /// of the others.
    pub(crate) fn watched(dir: &Path) -> (Self, Vec<Report>) {
        let engine = engine::watching();
        let (policies, libs, faults) = load_valid(&engine, dir);
        (Self::of(engine, (policies, libs), true), faults)
    }

    fn of(engine: Engine, (policies, libs): (Policies, Arc<Libs>), is_watched: bool) -> Self {
        let mut hasher = blake3::Hasher::new();
        for script in libs.scripts.values().chain(policies.values()) {
            add_to_hash(&mut hasher, script);
        }
        let hash = short_hash(&hasher.finalize());
        Self(Arc::new(Inner {
            engine,
            policies,
            libs,
            hash,
            known: KnownVerdicts::default(),
            is_watched,
        }))
    }

    /// A cheap summary of the names, sizes and modification times of the files in `dir`: when it
    /// changes, the policies should be reloaded. An unreadable folder has a summary too.
    #[must_use]
    pub fn fingerprint(dir: &Path) -> String {
        let mut hasher = blake3::Hasher::new();
        // Tests count too: a set whose tests fail may be put in force once they are mended.
        for files in [find(dir, ".rhai"), find_libs(dir), find(dir, ".test.toml")] {
            match files {
                Ok(files) => files.iter().for_each(|found| summarize(found, &mut hasher)),
                Err(report) => {
                    hasher.update(report.message.as_bytes());
                }
            }
        }
        short_hash(&hasher.finalize())
    }

    /// BLAKE3 of all names and texts in hex, first 16 digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    /// The files of the set, relative to its folder.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.texts().map(|(file, _)| file)
    }

    /// The files of the set with their texts, to store it elsewhere.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.scripts()
            .map(|script| (script.file.as_str(), script.text.as_str()))
    }

    /// Evaluates the routing policy for an alert.
    ///
    /// # Errors
    /// What stopped the policy, or what is wrong with its result.
    pub fn route(&self, alert: &AlertView, ctx: &Context) -> Result<Verdict<Route>, Report> {
        self.route_with_basis(alert, ctx).map(|it| it.0)
    }

    /// As [`route`](Self::route), with what the verdict was decided from.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub fn route_with_basis(
        &self,
        alert: &AlertView,
        ctx: &Context,
    ) -> Result<(Verdict<Route>, Basis), Report> {
        let facts = Facts {
            alert: Some(alert),
            ..ctx.as_facts()
        };
        let known = &self.0.known.routes;
        self.ask(Kind::Routing, "route", facts, known, |it, _| {
            verdict::route(it)
        })
    }

    /// Evaluates the grading policy for an incident; its team's own policy if there is one.
    ///
    /// # Errors
    /// What stopped the policy, or what is wrong with its result.
    pub fn grade(
        &self,
        incident: &IncidentView,
        alert: &AlertView,
        ctx: &Context,
    ) -> Result<Verdict<Grading>, Report> {
        self.grade_with_basis(incident, alert, ctx).map(|it| it.0)
    }

    /// As [`grade`](Self::grade), with what the verdict was decided from.
    ///
    /// # Errors
    /// As [`grade`](Self::grade).
    pub fn grade_with_basis(
        &self,
        incident: &IncidentView,
        alert: &AlertView,
        ctx: &Context,
    ) -> Result<(Verdict<Grading>, Basis), Report> {
        let facts = Facts {
            alert: Some(alert),
            incident: Some(incident),
            ..ctx.as_facts()
        };
        let known = &self.0.known.gradings;
        self.ask(Kind::Grading, "grade", facts, known, |it, _| {
            verdict::grading(it)
        })
    }

    /// Evaluates the escalation policy for an incident; its team's own policy if there is one.
    ///
    /// # Errors
    /// What stopped the policy, or what is wrong with its result, including a rotation that is
    /// not in the context, if that has any.
    pub fn escalate(
        &self,
        incident: &IncidentView,
        ctx: &Context,
    ) -> Result<Verdict<Plan>, Report> {
        self.escalate_with_basis(incident, ctx).map(|it| it.0)
    }

    /// As [`escalate`](Self::escalate), with what the verdict was decided from.
    ///
    /// # Errors
    /// As [`escalate`](Self::escalate).
    pub fn escalate_with_basis(
        &self,
        incident: &IncidentView,
        ctx: &Context,
    ) -> Result<(Verdict<Plan>, Basis), Report> {
        let facts = Facts {
            incident: Some(incident),
            ..ctx.as_facts()
        };
        let known = &self.0.known.plans;
        self.ask(Kind::Escalation, "escalate", facts, known, verdict::plan)
    }

    /// How often an answer was known without running the policy, and how much is known.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        let known = &self.0.known;
        let pages = known.routes.stats() + known.gradings.stats() + known.plans.stats();
        pages + known.cadences.stats() + known.responses.stats()
    }

    /// Empties the cache, as a reload does.
    pub fn forget_verdicts(&self) {
        let known = &self.0.known;
        known.routes.forget();
        known.gradings.forget();
        known.plans.forget();
        known.cadences.forget();
        known.responses.forget();
    }

    /// The verdict, from the cache if an earlier call read the same.
    fn ask<T: Clone>(
        &self,
        kind: Kind,
        function: &'static str,
        facts: Facts<'_>,
        cache: &Cache<T>,
        decode: impl FnOnce(Dynamic, Facts<'_>) -> Decoded<T>,
    ) -> Result<(Verdict<T>, Basis), Report> {
        let team = facts.incident.and_then(team).filter(|_| kind.per_team());
        let policy = self.policy(kind, team)?;
        let known = Some(cache).filter(|_| !self.0.is_watched);
        let known = known.and_then(|cache| cache.get(&policy.file, facts));
        let known = match known {
            Some(known) => known,
            None => {
                let (answer, trace) = self.run(policy, function, facts, decode);
                let (value, reason) = answer?;
                let line = line_of_answer(policy, &self.last_places(policy, function, facts));
                cache.add(&policy.file, Known::new(value, reason, line, trace))
            }
        };
        let source = PolicySource {
            file: policy.file.clone(),
            hash: policy.hash.clone(),
            line: known.line,
            input: Some(Arc::clone(&known.input)),
            ..PolicySource::default()
        };
        let verdict = Verdict {
            value: known.value.clone(),
            reason: known.reason.clone(),
            source,
        };
        Ok((verdict, known.basis.clone()))
    }

    /// Runs a function, and says what it read.
    fn run<T>(
        &self,
        policy: &Policy,
        function: &str,
        facts: Facts<'_>,
        decode: impl FnOnce(Dynamic, Facts<'_>) -> Decoded<T>,
    ) -> (Result<(T, String), Report>, Trace) {
        recorded(|| {
            let args = args(facts, policy.takes_context(function));
            let answer =
                call(&self.0.engine, self.wall_ms(), policy, function, args).map_err(|report| {
                    let stopped = report.limit.is_some();
                    let places = stopped.then(|| self.last_places(policy, function, facts));
                    match places.as_ref().and_then(|places| places.last()) {
                        Some(place) => policy.at_place(report, place),
                        None => report,
                    }
                })?;
            decode(answer, facts).map_err(|fault| {
                let places = self.last_places(policy, function, facts);
                let place = in_answer(policy, &places, &fault);
                let report = policy.at_function(function, fault.message, fault.example);
                match place {
                    Some(place) => policy.at_place(report, &place),
                    None => report,
                }
            })
        })
    }

    /// Where such a call was last.
    fn last_places(&self, policy: &Policy, function: &str, facts: Facts<'_>) -> Vec<Place> {
        let args = args(facts, policy.takes_context(function));
        last_places(|| {
            let _same = call(engine::locating(), self.wall_ms(), policy, function, args);
        })
    }

    /// The longest time of a call, in milliseconds.
    fn wall_ms(&self) -> u64 {
        match self.0.is_watched {
            true => WATCHED_WALL_MS_MAX,
            false => WALL_MS_MAX,
        }
    }

    /// The policies, by team and kind.
    pub(crate) fn policies(&self) -> &Policies {
        &self.0.policies
    }

    /// The files in lib/.
    pub(crate) fn libs(&self) -> impl Iterator<Item = &Policy> {
        self.0.libs.scripts.values()
    }

    /// All files.
    pub(crate) fn scripts(&self) -> impl Iterator<Item = &Policy> {
        self.0.policies.values().chain(self.libs())
    }

    /// Runs a policy that the daemon asks, whether it is this incident's or not: what it read, and
    /// its fault if it has one.
    pub(crate) fn try_out(
        &self,
        function: &str,
        policy: &Policy,
        facts: Facts<'_>,
    ) -> (Result<(), Report>, Trace) {
        fn only_fault<T>(ran: (Result<T, Report>, Trace)) -> (Result<(), Report>, Trace) {
            (ran.0.map(drop), ran.1)
        }
        match function {
            "route" => only_fault(self.run(policy, "route", facts, |it, _| verdict::route(it))),
            "grade" => only_fault(self.run(policy, "grade", facts, |it, _| verdict::grading(it))),
            "escalate" => only_fault(self.run(policy, "escalate", facts, verdict::plan)),
            "cadence" => {
                only_fault(self.run(policy, "cadence", facts, |it, _| verdict::cadence(it)))
            }
            "respond" => only_fault(self.run(policy, "respond", facts, verdict::response)),
            _ => (Ok(()), Trace::default()),
        }
    }

    fn policy(&self, kind: Kind, team: Option<&str>) -> Result<&Policy, Report> {
        let of_team = team.and_then(|team| self.0.policies.get(&(Some(team.to_owned()), kind)));
        of_team
            .or_else(|| self.0.policies.get(&(None, kind)))
            .ok_or_else(|| {
                Report::new(
                    kind.file(),
                    "the set has no such policy",
                    "add the file and reload",
                )
            })
    }
}

/// The name, size and modification time of a file.
fn summarize(found: &Found, hasher: &mut blake3::Hasher) {
    hasher.update(found.file.as_bytes());
    let Ok(metadata) = std::fs::metadata(&found.path) else {
        return;
    };
    hasher.update(&metadata.len().to_le_bytes());
    let modified = metadata.modified().ok();
    let age = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    hasher.update(&age.map_or(0, |age| age.as_nanos()).to_le_bytes());
}

fn args(facts: Facts<'_>, with_context: bool) -> Vec<Dynamic> {
    let mut args = Vec::with_capacity(4);
    args.extend(facts.incident.cloned().map(Dynamic::from));
    args.extend(facts.alert.cloned().map(Dynamic::from));
    args.extend(facts.candidates.map(candidates));
    args.extend(
        facts
            .context
            .cloned()
            .map(|ctx| Dynamic::from(ctx.about(facts.alert)))
            .filter(|_| with_context),
    );
    args
}

fn team(incident: &IncidentView) -> Option<&str> {
    incident.0.team.as_ref().map(|team| team.as_str())
}
