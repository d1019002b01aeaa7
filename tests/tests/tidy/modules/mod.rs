//! The module dependencies of a crate, computed from the non-test sources. ARCHITECTURE.md lists
//! them; unlisted dependencies, listed ones that no longer exist, and cycles are errors.

mod listed;
mod tests;
mod tokens;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, sources};
use listed::{Listed, lists};
use uses::{Uses, uses};

/// The modules that each module uses; also contains modules that use none.
type Dependencies = BTreeMap<String, BTreeSet<String>>;

/// Most re-exports that are followed for one name.
const HOPS_MAX: usize = 8;

/// The modules of a crate by path; the crate root has the empty path.
struct Modules(BTreeMap<Vec<String>, Uses>);

impl Modules {
    /// Reads the files under `root` that are not tests.
    fn read(root: &str, files: &[Source]) -> Self {
        let mut found = BTreeMap::new();
        for file in files.iter().filter(|it| !it.is_test(0)) {
            let inside = file
                .path
                .strip_prefix(root)
                .and_then(|it| it.strip_prefix('/'));
            let Some(path) = inside.and_then(|it| it.strip_suffix(".rs")) else {
                continue;
            };
            let mut path: Vec<String> = path.split('/').map(str::to_owned).collect();
            if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
                path.pop();
            }
            found.insert(path, uses(&file.text));
        }
        Self(found)
    }

    /// The module that owns the item at `path`, as seen from `module`; `None` for other crates.
    fn owner(&self, module: &[String], path: &[String], hops: usize) -> Option<Vec<String>> {
        let (head, mut rest) = path.split_first()?;
        let mut at = match head.as_str() {
            // The program refers to the library by its name.
            "crate" | "tocsin" => Vec::new(),
            "self" => module.to_vec(),
            "super" => parent(module)?,
            name => return self.inside(module, name, rest, hops),
        };
        while let Some((first, others)) = rest.split_first() {
            if first == "super" {
                at = parent(&at)?;
                rest = others;
                continue;
            }
            return self.inside(&at, first, others, hops).or(Some(at));
        }
        Some(at)
    }

    /// The owner of `name::rest` within a module: in a child module, or behind a re-export.
    fn inside(
        &self,
        module: &[String],
        name: &str,
        rest: &[String],
        hops: usize,
    ) -> Option<Vec<String>> {
        let child = [module, &[name.to_owned()]].concat();
        if self.0.contains_key(&child) {
            let Some((first, others)) = rest.split_first() else {
                return Some(child);
            };
            return self.inside(&child, first, others, hops).or(Some(child));
        }
        let import = self.0.get(module)?.imports.get(name)?;
        if hops == 0 || import.first().is_some_and(|it| it == name) {
            return None;
        }
        self.owner(module, &[import, rest].concat(), hops - 1)
    }

    /// The dependencies, where the modules of `divided` folders count separately, and for each its
    /// first use, as `module names path`.
    fn dependencies(
        &self,
        divided: &BTreeSet<String>,
    ) -> (Dependencies, BTreeMap<(String, String), String>) {
        let mut found = Dependencies::new();
        let mut found_at = BTreeMap::new();
        for (module, uses) in &self.0 {
            let from = unit(module, divided);
            if is_facade(module, divided) {
                continue;
            }
            found.entry(from.clone()).or_default();
            for path in &uses.paths {
                let owner = self.owner(module, path, HOPS_MAX);
                // An item behind a facade is found at its owner.
                let owner = owner.filter(|it| !is_facade(it, divided));
                let Some(to) = owner.map(|it| unit(&it, divided)) else {
                    continue;
                };
                if to != from {
                    let place = format!("{} names {}", module.join("/"), path.join("::"));
                    let dependency = (from.clone(), to.clone());
                    found_at.entry(dependency).or_insert(place);
                    found.entry(from.clone()).or_default().insert(to);
                }
            }
        }
        (found, found_at)
    }
}

/// Whether a module only re-exports items of the modules in it.
fn is_facade(module: &[String], divided: &BTreeSet<String>) -> bool {
    match module {
        [] => true,
        [folder] => divided.contains(folder),
        _ => false,
    }
}

fn parent(module: &[String]) -> Option<Vec<String>> {
    let (_, parent) = module.split_last()?;
    Some(parent.to_vec())
}

/// The unit of a module: its first folder or file, or the second in a divided folder.
fn unit(module: &[String], divided: &BTreeSet<String>) -> String {
    let deep = module.first().is_some_and(|it| divided.contains(it));
    let length = if deep { 2 } else { 1 };
    module
        .iter()
        .take(length)
        .cloned()
        .collect::<Vec<_>>()
        .join("/")
}

/// The cycles: for each module that reaches itself, the modules of its cycle.
fn cycles(dependencies: &Dependencies) -> BTreeSet<BTreeSet<String>> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            let to = dependencies.get(at).into_iter().flatten();
            next.extend(to.filter(|it| seen.insert((*it).clone())));
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        dependencies.keys().map(|it| (it, reach(it))).collect();
    let back = |from: &String| {
        let to = reached[from].iter();
        let cycle = to.filter(|it| reached.get(it).is_some_and(|it| it.contains(from)));
        cycle.cloned().collect::<BTreeSet<String>>()
    };
    dependencies
        .keys()
        .map(back)
        .filter(|it| !it.is_empty())
        .collect()
}

/// The differences between the code and a list of ARCHITECTURE.md.
fn disagreements(listed: &Listed, files: &[Source]) -> Vec<String> {
    let root = &listed.root;
    let divided = listed.divided();
    let modules = Modules::read(root, files);
    let (dependencies, found_at) = modules.dependencies(&divided);
    let pairs = |dependencies: &Dependencies| -> BTreeSet<(String, String)> {
        let pair = |(from, to): (&String, &BTreeSet<String>)| {
            let from = from.clone();
            let to = to.iter().map(move |it| (from.clone(), it.clone()));
            to.collect::<Vec<_>>()
        };
        dependencies.iter().flat_map(pair).collect()
    };
    let (has, lists) = (pairs(&dependencies), pairs(&listed.dependencies));
    let mut found = Vec::new();
    for module in modules.0.iter().filter(|it| it.1.declares) {
        if is_facade(module.0, &divided) {
            let module = module.0.join("/");
            found.push(format!(
                "{root}/{module} has code of its own; move it to a module in the folder"
            ));
        }
    }
    for dependency in has.difference(&lists) {
        let (from, to) = dependency;
        found.push(format!(
            "{root}: {from} -> {to} is not listed: {}",
            found_at[dependency]
        ));
    }
    for (from, to) in lists.difference(&has) {
        found.push(format!(
            "{root}: {from} -> {to} is listed, but does not exist"
        ));
    }
    for module in dependencies
        .keys()
        .filter(|it| !listed.dependencies.contains_key(*it))
    {
        found.push(format!("{root}: the module {module} is not listed"));
    }
    for module in listed
        .dependencies
        .keys()
        .filter(|it| !dependencies.contains_key(*it))
    {
        found.push(format!(
            "{root}: the module {module} is listed, but does not exist"
        ));
    }
    let cycles = cycles(&dependencies);
    for cycle in cycles.difference(&listed.cycles) {
        found.push(format!("{root}: a cycle: {}", join(cycle)));
    }
    for cycle in listed.cycles.difference(&cycles) {
        found.push(format!("{root}: no longer a cycle: {}", join(cycle)));
    }
    found
}

fn join(names: &BTreeSet<String>) -> String {
    names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// All differences between the code and ARCHITECTURE.md.
pub(crate) fn wrong(architecture: &str) -> Vec<String> {
    let files = sources();
    let lists = lists(architecture);
    let mut found: Vec<String> = Vec::new();
    for root in [
        "daemon/src",
        "daemon/core/src",
        "daemon/plugin-host/src",
        "daemon/policy/src",
        "daemon/store/src",
    ] {
        if !lists.iter().any(|it| it.root == root) {
            found.push(format!(
                "ARCHITECTURE.md has no `dependencies` block for {root}"
            ));
        }
    }
    found.extend(lists.iter().flat_map(|it| disagreements(it, &files)));
    found
}
