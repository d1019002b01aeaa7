//! The names that a configuration has, and those in policies that it does not have.

use std::collections::BTreeSet;

use rhai::{ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::compiled::Policy;
use crate::hints::nearest;
use crate::report::Report;

/// Most names that a remedy lists.
const LISTED_MAX: usize = 8;

/// Whom the configuration names, so that a policy that names somebody else is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub people: BTreeSet<String>,
    pub teams: BTreeSet<String>,
    pub rotations: BTreeSet<String>,
}

/// Who is named by the text that a function is called with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Person,
    Team,
    Rotation,
}

/// A name that a script writes out.
struct Written {
    of: Of,
    name: String,
    position: Position,
}

impl Names {
    /// The names in a policy that are not among these.
    pub(crate) fn unknown_in(&self, policy: &Policy) -> Vec<Report> {
        let (written, asked_for) = written(policy);
        let unknown = written.into_iter().filter(|it| {
            let known = self.of(it.of);
            // Without any rotation, the daemon accepts every one.
            let is_open =
                it.of == Of::Rotation && (known.is_empty() || asked_for.contains(&it.name));
            !is_open && !known.contains(&it.name)
        });
        let report = |it: Written| {
            let (what, name) = (it.of.noun(), &it.name);
            let message = format!("the configuration has no {what} `{name}`");
            let report = Report::new(&policy.shown, message, self.remedy(it.of, name));
            policy.at(report, it.position)
        };
        unknown.map(report).collect()
    }

    /// The report of a folder under `teams` for a team that does not exist.
    pub(crate) fn unknown_folder(&self, shown: &str, team: &str) -> Option<Report> {
        if self.teams.contains(team) {
            return None;
        }
        let message = format!("the configuration has no team `{team}`, so nobody uses this folder");
        Some(Report::new(shown, message, self.remedy(Of::Team, team)))
    }

    fn of(&self, of: Of) -> &BTreeSet<String> {
        match of {
            Of::Person => &self.people,
            Of::Team => &self.teams,
            Of::Rotation => &self.rotations,
        }
    }

    fn remedy(&self, of: Of, name: &str) -> String {
        let known = self.of(of);
        let section = match of {
            Of::Person => "people",
            Of::Team => "teams",
            Of::Rotation => "rotations",
        };
        if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
            return format!("did you mean `{near}`? Otherwise add [{section}.{name}]");
        }
        let listed: Vec<&str> = known.iter().map(String::as_str).take(LISTED_MAX).collect();
        match listed.is_empty() {
            true => format!("add [{section}.{name}]"),
            false => format!("add [{section}.{name}], or use {}", listed.join(", ")),
        }
    }
}

impl Of {
    fn noun(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Team => "team",
            Self::Rotation => "rotation",
        }
    }

    /// By the name of a function, and whether it is a method.
    fn by_call(function: &str, is_method: bool) -> Option<Self> {
        match (function, is_method) {
            ("person", false) | ("load", true) => Some(Self::Person),
            ("team", false) => Some(Self::Team),
            ("oncall", false) | ("on_call", true) => Some(Self::Rotation),
            _ => None,
        }
    }
}

/// The names that a script writes out, and the rotations that it asks for before it uses them.
fn written(policy: &Policy) -> (Vec<Written>, BTreeSet<String>) {
    let (mut written, mut asked_for) = (Vec::new(), BTreeSet::new());
    let mut note = |call: &FnCallExpr, is_method: bool| {
        let [Expr::StringConstant(name, position)] = call.args.as_slice() else {
            return;
        };
        if is_method && call.name == "has_rotation" {
            asked_for.insert(name.to_string());
        }
        if let Some(of) = Of::by_call(&call.name, is_method) {
            written.push(Written {
                of,
                name: name.to_string(),
                position: *position,
            });
        }
    };
    policy.ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => {
                note(call, false)
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, _))) => note(call, true),
            _ => {}
        }
        true
    });
    (written, asked_for)
}
