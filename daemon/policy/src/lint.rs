//! Finds functions and properties that do not exist at load, where Rhai finds them only when a line
//! runs: policies have branches that rarely run, and a typo there must not surface at night.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Dynamic, Expr, FnCallExpr, Position, Stmt};

use crate::compiled::Policy;
use crate::hints::{function_remedy, method_remedy, nearest, property_remedy};
use crate::known::Known;
use crate::limits::{EXPRESSION_DEPTH_MAX, REPORTS_MAX};
use crate::report::Report;
use crate::script::key;
use crate::types::{Entry, Types, Untyped};

/// Names that the parser does not treat as calls of registered functions.
const KEYWORDS: [&str; 6] = [
    "Fn",
    "call",
    "type_of",
    "is_def_var",
    "is_def_fn",
    "is_shared",
];

/// Deepest constant that is checked, in levels.
const CONSTANT_DEPTH_MAX: usize = EXPRESSION_DEPTH_MAX;

/// Reports unknown names in a file that parses. `entries` are the functions that the daemon calls,
/// with the types of their parameters.
pub(crate) fn lint(policy: &Policy, entries: &[Entry<'_>]) -> Vec<Report> {
    let known = Known::get();
    let types = Types::of(known, &policy.ast, entries);
    let mut faults = unknown_functions(known, &policy.ast, &types);
    faults.extend(types.unknown().into_iter().map(|it| Fault {
        position: it.position,
        message: format!("Unknown property '{}' of '{}'", it.property, it.owner),
        remedy: property_remedy(&it.owner, &it.property),
    }));
    faults.sort_by_key(|fault| (fault.position.line(), fault.position.position()));
    faults.truncate(REPORTS_MAX);
    let report = |it: Fault| {
        let report = Report::new(&policy.shown, it.message, it.remedy);
        policy.at(report, it.position)
    };
    faults.into_iter().map(report).collect()
}

/// The keys of the maps in some scripts.
pub(crate) fn keys_of_maps<'a>(scripts: impl Iterator<Item = &'a Policy>) -> BTreeSet<String> {
    scripts.flat_map(|it| Calls::of(&it.ast).keys).collect()
}

/// Reports properties that nothing has: neither a value of the daemon nor a map, which have `keys`.
/// The types of what they are read from are not known, so a file that passes labels on, which
/// have any property, is left alone.
pub(crate) fn found_nowhere(
    policy: &Policy,
    entries: &[Entry<'_>],
    keys: &BTreeSet<String>,
) -> Vec<Report> {
    let known = Known::get();
    let types = Types::of(known, &policy.ast, entries);
    let mut names: BTreeSet<&str> = known.all_properties().collect();
    names.extend(keys.iter().map(String::as_str));
    let report = |it: Untyped| {
        let remedy = match nearest(&it.property, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "check the name; no value and no map has it".to_owned(),
        };
        let message = format!("nothing has a property `{}`", it.property);
        policy.at(Report::new(&policy.shown, message, remedy), it.position)
    };
    let untyped = types.untyped().into_iter();
    untyped
        .filter(|it| !names.contains(it.property.as_str()))
        .map(report)
        .collect()
}

struct Fault {
    position: Position,
    message: String,
    remedy: String,
}

fn unknown_functions(known: &Known, ast: &AST, types: &Types) -> Vec<Fault> {
    let mut own: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for function in ast.iter_functions() {
        own.entry(function.name.to_owned())
            .or_default()
            .insert(function.params.len());
    }
    let Calls { calls, keys } = Calls::of(ast);
    let is_word = |name: &str| name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let receivers = types.receivers();
    let mut faults = Vec::new();
    for (name, count, with_object, position) in calls {
        if !is_word(&name) || KEYWORDS.contains(&name.as_str()) || keys.contains(&name) {
            continue;
        }
        let takes = |functions: &BTreeMap<String, BTreeSet<usize>>, count: usize| {
            functions
                .get(&name)
                .is_some_and(|counts| counts.contains(&count))
        };
        if takes(&own, count) || takes(&known.functions, with_object.unwrap_or(count)) {
            continue;
        }
        let exists = own.contains_key(&name) || known.functions.contains_key(&name);
        let (message, remedy) = if exists {
            (
                format!("`{name}` does not take {count} arguments"),
                takes_remedy(
                    own.get(&name),
                    known.functions.get(&name),
                    with_object.is_some(),
                ),
            )
        } else {
            let owner = key(position).and_then(|it| receivers.get(&it));
            (
                format!("Function not found: {name}"),
                owner.map_or_else(|| function_remedy(&name), |it| method_remedy(it, &name)),
            )
        };
        faults.push(Fault {
            position,
            message,
            remedy,
        });
    }
    faults
}

/// How many arguments a function of the script or of ours takes; the receiver of a method is one
/// of ours.
fn takes_remedy(
    own: Option<&BTreeSet<usize>>,
    known: Option<&BTreeSet<usize>>,
    is_method: bool,
) -> String {
    let receiver = usize::from(is_method);
    let known = known.into_iter().flatten();
    let known = known.filter_map(|count| count.checked_sub(receiver));
    let all: BTreeSet<usize> = own.into_iter().flatten().copied().chain(known).collect();
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    format!("it takes {}", all.join(" or "))
}

/// The function calls in a script.
struct Calls {
    /// Name, number of arguments, the number including the receiver, and position.
    calls: Vec<(String, usize, Option<usize>, Position)>,
    /// Keys of its maps: a map may contain a function under any of them.
    keys: BTreeSet<String>,
}

impl Calls {
    fn of(ast: &AST) -> Self {
        let mut keys = BTreeSet::new();
        let mut calls = Vec::new();
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::Map(map, _))) => {
                    keys.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
                }
                // A map of constants is one constant.
                Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) => {
                    map_keys(value, CONSTANT_DEPTH_MAX, &mut keys);
                }
                Some(ASTNode::Expr(Expr::FnCall(call, position))) if is_own(call) => {
                    calls.push((call.name.to_string(), call.args.len(), None, *position));
                }
                Some(ASTNode::Stmt(Stmt::FnCall(call, position))) if is_own(call) => {
                    calls.push((call.name.to_string(), call.args.len(), None, *position));
                }
                Some(ASTNode::Expr(Expr::MethodCall(call, position))) => {
                    let count = call.args.len();
                    calls.push((
                        call.name.to_string(),
                        count,
                        Some(count.saturating_add(1)),
                        *position,
                    ));
                }
                _ => {}
            }
            true
        });
        Self { calls, keys }
    }
}

/// Whether it calls a function of the script or of ours, neither an operator nor one of an import.
fn is_own(call: &FnCallExpr) -> bool {
    !call.is_operator_call() && !call.is_qualified()
}

fn map_keys(value: &Dynamic, depth_left: usize, keys: &mut BTreeSet<String>) {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return;
    };
    if let Ok(map) = value.as_map_ref() {
        for (key, value) in map.iter() {
            keys.insert(key.to_string());
            map_keys(value, depth_left, keys);
        }
    }
    if let Ok(items) = value.as_array_ref() {
        items
            .iter()
            .for_each(|item| map_keys(item, depth_left, keys));
    }
}
