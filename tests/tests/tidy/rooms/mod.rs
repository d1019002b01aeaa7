//! The module dependencies of a crate ("arrows" between "rooms"), computed from the non-test
//! sources. ARCHITECTURE.md lists them; unlisted dependencies, listed ones that no longer exist,
//! and cycles are errors.

mod listed;
mod tests;
mod tokens;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, sources};
use listed::{Listed, lists};
use uses::{Uses, uses};

/// The modules that each module uses; also contains modules that use none.
type Arrows = BTreeMap<String, BTreeSet<String>>;

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
    fn arrows(&self, divided: &BTreeSet<String>) -> (Arrows, BTreeMap<(String, String), String>) {
        let mut found = Arrows::new();
        let mut drawn_by = BTreeMap::new();
        for (module, uses) in &self.0 {
            let from = room(module, divided);
            if is_facade(module, divided) {
                continue;
            }
            found.entry(from.clone()).or_default();
            for path in &uses.paths {
                let owner = self.owner(module, path, HOPS_MAX);
                // An item behind a facade is found at its owner.
                let owner = owner.filter(|it| !is_facade(it, divided));
                let Some(to) = owner.map(|it| room(&it, divided)) else {
                    continue;
                };
                if to != from {
                    let drawn = format!("{} names {}", module.join("/"), path.join("::"));
                    let arrow = (from.clone(), to.clone());
                    drawn_by.entry(arrow).or_insert(drawn);
                    found.entry(from.clone()).or_default().insert(to);
                }
            }
        }
        (found, drawn_by)
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
fn room(module: &[String], divided: &BTreeSet<String>) -> String {
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
fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<String>> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            let to = arrows.get(at).into_iter().flatten();
            next.extend(to.filter(|it| seen.insert((*it).clone())));
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        arrows.keys().map(|it| (it, reach(it))).collect();
    let back = |from: &String| {
        let to = reached[from].iter();
        let circle = to.filter(|it| reached.get(it).is_some_and(|it| it.contains(from)));
        circle.cloned().collect::<BTreeSet<String>>()
    };
    arrows
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
    let (arrows, drawn_by) = modules.arrows(&divided);
    let pairs = |arrows: &Arrows| -> BTreeSet<(String, String)> {
        let pair = |(from, to): (&String, &BTreeSet<String>)| {
            let from = from.clone();
            let to = to.iter().map(move |it| (from.clone(), it.clone()));
            to.collect::<Vec<_>>()
        };
        arrows.iter().flat_map(pair).collect()
    };
    let (has, lists) = (pairs(&arrows), pairs(&listed.arrows));
    let mut found = Vec::new();
    for module in modules.0.iter().filter(|it| it.1.declares) {
        if is_facade(module.0, &divided) {
            let module = module.0.join("/");
            found.push(format!(
                "{root}/{module} has code of its own; move it to a module in the folder"
            ));
        }
    }
    for arrow in has.difference(&lists) {
        let (from, to) = arrow;
        found.push(format!(
            "{root}: {from} -> {to} is not listed: {}",
            drawn_by[arrow]
        ));
    }
    for (from, to) in lists.difference(&has) {
        found.push(format!(
            "{root}: {from} -> {to} is listed, but does not exist"
        ));
    }
    for room in arrows.keys().filter(|it| !listed.arrows.contains_key(*it)) {
        found.push(format!("{root}: the module {room} is not listed"));
    }
    for room in listed.arrows.keys().filter(|it| !arrows.contains_key(*it)) {
        found.push(format!(
            "{root}: the module {room} is listed, but does not exist"
        ));
    }
    let circles = circles(&arrows);
    for circle in circles.difference(&listed.circles) {
        found.push(format!("{root}: a cycle: {}", join(circle)));
    }
    for circle in listed.circles.difference(&circles) {
        found.push(format!("{root}: no longer a cycle: {}", join(circle)));
    }
    found
}

fn join(rooms: &BTreeSet<String>) -> String {
    rooms
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
    ] {
        if !lists.iter().any(|it| it.root == root) {
            found.push(format!("ARCHITECTURE.md has no `arrows` block for {root}"));
        }
    }
    found.extend(lists.iter().flat_map(|it| disagreements(it, &files)));
    found
}
