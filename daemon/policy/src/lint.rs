//! Finds functions and properties that do not exist at load, where Rhai finds them only when a line
//! runs: policies have branches that rarely run, and a typo there must not surface at night.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rhai::{AST, ASTNode, Dynamic, Engine, Expr, Position, Stmt};

use crate::hints::{function_remedy, property_remedy};
use crate::limits::{EXPRESSION_DEPTH_MAX, REPORTS_MAX};
use crate::report::Report;

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

/// The functions and properties that scripts can use.
struct Known {
    /// By name, with the allowed numbers of parameters.
    functions: BTreeMap<String, BTreeSet<usize>>,
    /// By type, with each property's type.
    properties: BTreeMap<String, BTreeMap<String, String>>,
    /// Types that accept any property.
    open: BTreeSet<String>,
}

/// Reports unknown names in a file that parses. `entries` are the functions that the daemon calls,
/// with the types of their parameters.
pub(crate) fn lint(
    engine: &Engine,
    ast: &AST,
    shown: &str,
    text: &str,
    entries: &[(&str, Vec<&'static str>)],
) -> Vec<Report> {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let known = KNOWN.get_or_init(|| Known::of(&engine.gen_fn_signatures(true)));
    let mut faults = unknown_functions(known, ast);
    for (function, types) in entries {
        faults.extend(unknown_properties(known, ast, function, types));
    }
    faults.sort_by_key(|fault| (fault.position.line(), fault.position.position()));
    faults.truncate(REPORTS_MAX);
    let report = |fault: Fault| {
        let report = Report::new(shown, fault.message, fault.remedy);
        match (fault.position.line(), fault.position.position()) {
            (Some(line), column) => report.at(text, line, column.unwrap_or(1)),
            (None, _) => report,
        }
    };
    faults.into_iter().map(report).collect()
}

struct Fault {
    position: Position,
    message: String,
    remedy: String,
}

impl Known {
    /// Parses Rhai's own list, with lines like `label(_: &mut Alert, _: string) -> string`.
    fn of(signatures: &[String]) -> Self {
        let mut known = Self {
            functions: BTreeMap::new(),
            properties: BTreeMap::new(),
            open: BTreeSet::new(),
        };
        for signature in signatures {
            let Some((name, rest)) = signature.split_once('(') else {
                continue;
            };
            let (parameters, answer) = parameters(rest);
            let owner = || {
                let first = parameters.first()?;
                Some(
                    first
                        .rsplit(':')
                        .next()?
                        .trim()
                        .trim_start_matches("&mut ")
                        .to_owned(),
                )
            };
            if let Some(property) = name.strip_prefix("get$") {
                if let Some(owner) = owner() {
                    let of_owner = known.properties.entry(owner).or_default();
                    of_owner.insert(property.to_owned(), answer.to_owned());
                }
            } else if name == "index$get$" {
                known.open.extend(owner());
            } else {
                let counts = known.functions.entry(name.to_owned()).or_default();
                counts.insert(parameters.len());
            }
        }
        known
    }

    fn has_property(&self, owner: &str, property: &str) -> bool {
        self.open.contains(owner)
            || self
                .properties
                .get(owner)
                .is_none_or(|all| all.contains_key(property))
    }
}

/// The parameters of a signature, starting after its opening parenthesis, and its return type.
fn parameters(rest: &str) -> (Vec<&str>, &str) {
    let mut parameters = Vec::new();
    let (mut depth, mut from) = (0_u32, 0);
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '<' | '[' => depth = depth.saturating_add(1),
            ')' if depth == 0 => {
                parameters.extend(rest.get(from..at).filter(|last| !last.trim().is_empty()));
                let after = rest.get(at..).unwrap_or("");
                let answer = after
                    .split_once("-> ")
                    .map_or("", |(_, answer)| answer.trim());
                return (parameters, answer);
            }
            ')' | '>' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parameters.extend(rest.get(from..at));
                from = at.saturating_add(1);
            }
            _ => {}
        }
    }
    (parameters, "")
}

fn unknown_functions(known: &Known, ast: &AST) -> Vec<Fault> {
    let mut own: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for function in ast.iter_functions() {
        own.entry(function.name.to_owned())
            .or_default()
            .insert(function.params.len());
    }
    let Calls { calls, keys } = Calls::of(ast);
    let is_word = |name: &str| name.starts_with(|c: char| c.is_alphabetic() || c == '_');
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
                "pass as many as it takes".to_owned(),
            )
        } else {
            (
                format!("Function not found: {name}"),
                function_remedy(&name),
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
                Some(ASTNode::Expr(Expr::FnCall(call, position))) if !call.is_operator_call() => {
                    calls.push((call.name.to_string(), call.args.len(), None, *position));
                }
                Some(ASTNode::Stmt(Stmt::FnCall(call, position))) if !call.is_operator_call() => {
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

fn unknown_properties(known: &Known, ast: &AST, function: &str, types: &[&str]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for entry in ast.iter_functions().filter(|entry| entry.name == function) {
        let names = entry.params.iter().map(|name| (*name).to_owned());
        let mut typed: BTreeMap<String, &str> = names.zip(types.iter().copied()).collect();
        let mut chains = Vec::new();
        let alone = ast.clone_functions_only_filtered(|_, _, _, name, _| name == function);
        alone.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                // Another variable of that name, whose type is unknown.
                Some(ASTNode::Stmt(Stmt::Var(variable, ..))) => {
                    typed.remove(variable.0.name.as_str());
                }
                Some(ASTNode::Expr(Expr::Dot(pair, ..))) => {
                    if let Expr::Variable(variable, ..) = &pair.lhs {
                        chains.push((variable.1.to_string(), chain(&pair.rhs)));
                    }
                }
                _ => {}
            }
            true
        });
        for (variable, properties) in chains {
            if let Some(owner) = typed.get(&variable) {
                faults.extend(unknown_in_chain(known, owner, &properties));
            }
        }
    }
    faults
}

/// The properties that follow a variable, up to the first element that is not a property.
fn chain(mut rest: &Expr) -> Vec<(String, Position)> {
    let mut properties = Vec::new();
    loop {
        match rest {
            Expr::Property(property, position) => {
                properties.push((property.2.to_string(), *position));
                return properties;
            }
            Expr::Dot(pair, ..) => {
                let Expr::Property(property, position) = &pair.lhs else {
                    return properties;
                };
                properties.push((property.2.to_string(), *position));
                rest = &pair.rhs;
            }
            Expr::Index(pair, ..) => {
                if let Expr::Property(property, position) = &pair.lhs {
                    properties.push((property.2.to_string(), *position));
                }
                return properties;
            }
            _ => return properties,
        }
    }
}

fn unknown_in_chain(known: &Known, owner: &str, chain: &[(String, Position)]) -> Option<Fault> {
    let mut owner = owner.to_owned();
    for (property, position) in chain {
        if !known.has_property(&owner, property) {
            return Some(Fault {
                position: *position,
                message: format!("Unknown property '{property}' of '{owner}'"),
                remedy: property_remedy(&format!("'{owner}'")),
            });
        }
        owner = known.properties.get(&owner)?.get(property)?.clone();
    }
    None
}
