//! Asks the communication policy, which a set need not have.

use tocsin_core::{Cadence, PolicySource, Response, Verdict};

use super::{PolicySet, team};
use crate::candidate::Candidates;
use crate::fallback;
use crate::kind::Kind;
use crate::report::Report;
use crate::trace::{Basis, Facts, Known, recorded};
use crate::verdict;
use crate::view::{Context, IncidentView};

impl PolicySet {
    /// Evaluates how soon each audience of an incident hears more, with what that was decided
    /// from. Without a communication policy, as is usual for the grade.
    ///
    /// # Errors
    /// What stopped the policy, or what is wrong with its result.
    pub fn cadence_with_basis(
        &self,
        incident: &IncidentView,
        ctx: &Context,
    ) -> Result<(Verdict<Cadence>, Basis), Report> {
        let facts = Facts {
            incident: Some(incident),
            ..ctx.as_facts()
        };
        if !self.has(Kind::Communication, incident) {
            return Ok(usual(fallback::CADENCE_REASON, || fallback::cadence(facts)));
        }
        let known = &self.0.known.cadences;
        self.ask(Kind::Communication, "cadence", facts, known, |it, _| {
            verdict::cadence(it)
        })
    }

    /// Evaluates who is asked to take the other roles of an incident, with what that was decided
    /// from. Without a communication policy, the least busy.
    ///
    /// # Errors
    /// What stopped the policy, or what is wrong with its result, including somebody who is no
    /// candidate.
    pub fn respond_with_basis(
        &self,
        incident: &IncidentView,
        candidates: &Candidates,
        ctx: &Context,
    ) -> Result<(Verdict<Response>, Basis), Report> {
        let facts = Facts {
            incident: Some(incident),
            candidates: Some(candidates),
            ..ctx.as_facts()
        };
        if !self.has(Kind::Communication, incident) {
            return Ok(usual(fallback::RESPONSE_REASON, || {
                fallback::response(facts)
            }));
        }
        let known = &self.0.known.responses;
        let decode = verdict::response;
        self.ask(Kind::Communication, "respond", facts, known, decode)
    }

    fn has(&self, kind: Kind, incident: &IncidentView) -> bool {
        self.policy(kind, team(incident)).is_ok()
    }
}

/// The built-in verdict of a set that has no such policy.
fn usual<T: Clone>(reason: &str, answer: impl FnOnce() -> T) -> (Verdict<T>, Basis) {
    let (value, trace) = recorded(answer);
    let known = Known::new(value, reason.to_owned(), None, trace);
    let source = PolicySource {
        file: PolicySource::BUILTIN.to_owned(),
        input: Some(known.input),
        ..PolicySource::default()
    };
    let verdict = Verdict {
        value: known.value,
        reason: known.reason,
        source,
    };
    (verdict, known.basis)
}
