//! A set of policies, which the daemon evaluates and replaces as a whole when a file changes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use rhai::{Dynamic, Engine};
use tocsin_core::{Grading, Plan, PolicySource, Route, Verdict};

use crate::call::call;
use crate::compiled::Policy;
use crate::kind::Kind;
use crate::load::{Slot, find, load, short_hash};
use crate::report::{Report, Reports};
use crate::verdict::{self, Decoded};
use crate::view::{AlertView, Context, IncidentView};
use crate::{engine, input};

/// The compiled policies of a folder. Clones share everything.
#[derive(Clone)]
pub struct PolicySet(Arc<Inner>);

struct Inner {
    engine: Engine,
    policies: BTreeMap<Slot, Policy>,
    hash: String,
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
        let policies = load(&engine, dir).map_err(Reports)?;
        let mut hasher = blake3::Hasher::new();
        for policy in policies.values() {
            for part in [&policy.file, &policy.text] {
                // Lengths are hashed too, so that different sets cannot have the same input.
                hasher.update(&part.len().to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        let hash = short_hash(&hasher.finalize());
        Ok(Self(Arc::new(Inner {
            engine,
            policies,
            hash,
        })))
    }

    /// A cheap summary of the names, sizes and modification times of the files in `dir`: when it
    /// changes, the policies should be reloaded. An unreadable folder has a summary too.
    #[must_use]
    pub fn fingerprint(dir: &Path) -> String {
        let mut hasher = blake3::Hasher::new();
        match find(dir, ".rhai") {
            Ok(files) => {
                for found in files {
                    hasher.update(found.file.as_bytes());
                    let Ok(metadata) = std::fs::metadata(&found.path) else {
                        continue;
                    };
                    hasher.update(&metadata.len().to_le_bytes());
                    let modified = metadata.modified().ok();
                    let age = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                    hasher.update(&age.map_or(0, |age| age.as_nanos()).to_le_bytes());
                }
            }
            Err(report) => {
                hasher.update(report.message.as_bytes());
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
        self.0.policies.values().map(|policy| policy.file.as_str())
    }

    /// The files of the set with their texts, to store it elsewhere.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let policies = self.0.policies.values();
        policies.map(|policy| (policy.file.as_str(), policy.text.as_str()))
    }

    /// Evaluates the routing policy for an alert.
    ///
    /// # Errors
    /// What stopped the policy, or what is wrong with its result.
    pub fn route(&self, alert: &AlertView, ctx: &Context) -> Result<Verdict<Route>, Report> {
        let question = Question {
            incident: None,
            alert: Some(alert),
            ctx,
        };
        self.ask(Kind::Routing, None, "route", &question, verdict::route)
    }

    /// Like [`route`](Self::route), but without the verdict's input: most alerts join an incident,
    /// and their verdicts are not stored.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    pub fn route_unkept(&self, alert: &AlertView, ctx: &Context) -> Result<Verdict<Route>, Report> {
        let question = Question {
            incident: None,
            alert: Some(alert),
            ctx,
        };
        let asked = self.answer(Kind::Routing, None, "route", &question, verdict::route);
        asked.map(|(verdict, _)| verdict)
    }

    /// The input of a verdict from [`route_unkept`](Self::route_unkept) that is stored after all.
    #[must_use]
    pub fn input_of_route(&self, alert: &AlertView, ctx: &Context) -> serde_json::Value {
        let policy = self.policy(Kind::Routing, None);
        let with_context = policy.is_ok_and(|it| it.takes_context("route"));
        input::bounded(None, Some(alert), with_context.then_some(ctx))
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
        let question = Question {
            incident: Some(incident),
            alert: Some(alert),
            ctx,
        };
        self.ask(
            Kind::Grading,
            team(incident),
            "grade",
            &question,
            verdict::grading,
        )
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
        let question = Question {
            incident: Some(incident),
            alert: None,
            ctx,
        };
        let decode = |answer| {
            let rotations = ctx.0.on_call.keys().map(String::as_str);
            verdict::plan(answer, incident.0.grade, rotations)
        };
        self.ask(
            Kind::Escalation,
            team(incident),
            "escalate",
            &question,
            decode,
        )
    }

    fn ask<T>(
        &self,
        kind: Kind,
        team: Option<&str>,
        function: &'static str,
        question: &Question<'_>,
        decode: impl FnOnce(Dynamic) -> Decoded<T>,
    ) -> Result<Verdict<T>, Report> {
        let (mut verdict, ctx) = self.answer(kind, team, function, question, decode)?;
        let input = input::bounded(question.incident, question.alert, ctx);
        verdict.source.input = Some(input);
        Ok(verdict)
    }

    /// The verdict without its input, and the context if the policy takes it.
    fn answer<'q, T>(
        &self,
        kind: Kind,
        team: Option<&str>,
        function: &'static str,
        question: &Question<'q>,
        decode: impl FnOnce(Dynamic) -> Decoded<T>,
    ) -> Result<(Verdict<T>, Option<&'q Context>), Report> {
        let policy = self.policy(kind, team)?;
        let with_context = policy.takes_context(function);
        let answer = call(
            &self.0.engine,
            policy,
            function,
            question.args(with_context),
        )?;
        let (value, reason) = decode(answer)
            .map_err(|fault| policy.at_function(function, fault.message, fault.example))?;
        let ctx = with_context.then_some(question.ctx);
        let source = PolicySource {
            file: policy.file.clone(),
            hash: policy.hash.clone(),
            ..PolicySource::default()
        };
        let verdict = Verdict {
            value,
            reason,
            source,
        };
        Ok((verdict, ctx))
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

struct Question<'a> {
    incident: Option<&'a IncidentView>,
    alert: Option<&'a AlertView>,
    ctx: &'a Context,
}

impl Question<'_> {
    fn args(&self, with_context: bool) -> Vec<Dynamic> {
        let mut args = Vec::with_capacity(3);
        args.extend(
            self.incident
                .map(|incident| Dynamic::from(incident.clone())),
        );
        args.extend(self.alert.map(|alert| Dynamic::from(alert.clone())));
        if with_context {
            args.push(Dynamic::from(self.ctx.clone()));
        }
        args
    }
}

fn team(incident: &IncidentView) -> Option<&str> {
    incident.0.team.as_ref().map(|team| team.as_str())
}
