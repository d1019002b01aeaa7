//! What scripts can use, from Rhai's own list of what is registered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::engine;

/// The functions and properties that scripts can use.
pub(crate) struct Known {
    /// By name, with the allowed numbers of parameters.
    pub(crate) functions: BTreeMap<String, BTreeSet<usize>>,
    /// By type, with each property's type.
    properties: BTreeMap<String, BTreeMap<String, String>>,
    /// What they return, by name and the type of their first parameter; none for any value.
    returns: BTreeMap<(String, String), String>,
    /// Types that accept any property.
    open: BTreeSet<String>,
}

impl Known {
    /// What every engine of policies has.
    pub(crate) fn get() -> &'static Self {
        static KNOWN: OnceLock<Known> = OnceLock::new();
        KNOWN.get_or_init(|| Self::parse(&engine::new().gen_fn_signatures(true)))
    }

    /// Parses Rhai's own list, with lines like `label(_: &mut Alert, _: string) -> string`.
    fn parse(signatures: &[String]) -> Self {
        let mut known = Self {
            functions: BTreeMap::new(),
            properties: BTreeMap::new(),
            returns: BTreeMap::new(),
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
                if let Some(owner) = owner() {
                    let key = (name.to_owned(), owner);
                    known.returns.insert(key, answer.to_owned());
                }
            }
        }
        known
    }

    pub(crate) fn has_property(&self, owner: &str, property: &str) -> bool {
        let known = self.properties.get(owner);
        self.open.contains(owner) || known.is_none_or(|all| all.contains_key(property))
    }

    /// The type of a property; `None` when it can have any.
    pub(crate) fn property(&self, owner: &str, property: &str) -> Option<&str> {
        named(self.properties.get(owner)?.get(property)?)
    }

    /// The type of what a method returns; `None` when it can be any.
    pub(crate) fn method(&self, owner: &str, method: &str) -> Option<&str> {
        named(self.returns.get(&(method.to_owned(), owner.to_owned()))?)
    }

    /// The properties of all types.
    pub(crate) fn all_properties(&self) -> impl Iterator<Item = &str> {
        self.properties
            .values()
            .flat_map(|all| all.keys().map(String::as_str))
    }
}

/// A type of ours, by its name in scripts.
fn named(answer: &str) -> Option<&str> {
    answer.starts_with(char::is_uppercase).then_some(answer)
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
