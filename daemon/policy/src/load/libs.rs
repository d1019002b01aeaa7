//! Compiles the files in lib/, those first that others import.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rhai::{Engine, Module, Scope, Shared};

use super::{Found, entries, reports_of, script, shown};
use crate::compiled::{Libs, Policy};
use crate::engine;
use crate::fault::eval_report;
use crate::imports::{Import, exports, imports, statements, unknown_uses};
use crate::libs;
use crate::limits::{IMPORT_DEPTH_MAX, LIBS_MAX, WALL_MS_MAX};
use crate::lint::lint;
use crate::report::Report;

/// The files in lib/, sorted by name.
pub(crate) fn find(dir: &Path) -> Result<Vec<Found>, Report> {
    let folder = dir.join(libs::FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let named = entries(dir, &folder)?.into_iter();
    let files = named.filter(|(name, path)| name.ends_with(".rhai") && path.is_file());
    let files: Vec<Found> = files
        .map(|(name, path)| Found {
            path,
            file: format!("{}/{name}", libs::FOLDER),
            team: None,
        })
        .collect();
    if LIBS_MAX < files.len() {
        return Err(Report::new(
            &shown(dir, libs::FOLDER),
            format!("{} files; at most {LIBS_MAX} are allowed", files.len()),
            "put functions that belong together in one file",
        ));
    }
    Ok(files)
}

/// Test files in lib/, which nothing runs.
pub(crate) fn misplaced_tests(dir: &Path) -> Vec<Report> {
    let folder = dir.join(libs::FOLDER);
    if !folder.is_dir() {
        return Vec::new();
    }
    // A folder that cannot be read is reported when it is loaded.
    let files = entries(dir, &folder).unwrap_or_default().into_iter();
    let tests = files.filter(|(name, _)| name.ends_with(".test.toml"));
    let report = |(name, _): (String, _)| {
        Report::new(
            &shown(dir, &format!("{}/{name}", libs::FOLDER)),
            "files in lib/ have no tests of their own",
            "test what they do in the tests of a policy that imports them, such as \
             routing.test.toml",
        )
    };
    tests.map(report).collect()
}

/// Shared code, and what is wrong with it.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) libs: Arc<Libs>,
    /// The names of all files, also of those with a fault.
    pub(super) names: BTreeSet<String>,
    pub(super) faults: Vec<Report>,
}

/// Compiles every file in lib/.
pub(super) fn load(engine: &Engine, dir: &Path) -> Loaded {
    let files = match find(dir) {
        Ok(files) => files,
        Err(report) => {
            return Loaded {
                faults: vec![report],
                ..Loaded::default()
            };
        }
    };
    let names = files.iter().filter_map(|found| libs::name(&found.file));
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    let mut loading = Loading {
        engine,
        parsed: BTreeMap::new(),
        libs: Libs::default(),
        faults: Vec::new(),
    };
    for found in &files {
        loading.parse(dir, found, &names);
    }
    for name in &names {
        loading.visit(name, &mut Vec::new());
    }
    Loaded {
        libs: Arc::new(loading.libs),
        names,
        faults: loading.faults,
    }
}

struct Loading<'a> {
    engine: &'a Engine,
    /// Those without a fault so far, which are not compiled yet.
    parsed: BTreeMap<String, (Policy, Vec<Import>)>,
    libs: Libs,
    faults: Vec<Report>,
}

impl Loading<'_> {
    fn parse(&mut self, dir: &Path, found: &Found, names: &BTreeSet<String>) {
        let script = match script(self.engine, dir, found) {
            Ok(script) => script,
            Err(report) => return self.faults.push(report),
        };
        let known = names.iter().map(String::as_str).collect();
        let (imports, mut faults) = imports(&script.ast, &known);
        faults.append(&mut statements(&script.ast));
        let mut reports = reports_of(&script, faults);
        if reports.is_empty() {
            reports = lint(&script, &[]);
        }
        match libs::name(&found.file) {
            Some(name) if reports.is_empty() => {
                self.parsed.insert(name.to_owned(), (script, imports));
            }
            _ => self.faults.append(&mut reports),
        }
    }

    /// Compiles a file after those that it imports. `path` has the files that import it.
    fn visit(&mut self, name: &str, path: &mut Vec<String>) {
        let Some((_, imports)) = self.parsed.get(name) else {
            return;
        };
        let next: Vec<_> = imports
            .iter()
            .map(|it| (it.name.clone(), it.position))
            .collect();
        path.push(name.to_owned());
        for (imported, position) in next {
            let circle = path.iter().position(|it| *it == imported);
            let message = match circle {
                Some(from) => format!(
                    "lib/{imported}.rhai imports itself: {} → {imported}",
                    path.get(from..).unwrap_or_default().join(" → ")
                ),
                None if path.len() >= IMPORT_DEPTH_MAX => {
                    format!("imports are nested more than {IMPORT_DEPTH_MAX} deep")
                }
                None => {
                    self.visit(&imported, path);
                    continue;
                }
            };
            let Some((script, _)) = self.parsed.remove(name) else {
                break;
            };
            let remedy = "move what both need to a file that imports neither";
            let report = Report::new(&script.shown, message, remedy);
            self.faults.push(script.place(report, "", position));
            break;
        }
        path.pop();
        if let Some((script, imports)) = self.parsed.remove(name) {
            self.add(name, script, &imports);
        }
    }

    /// Compiles a file whose imports are compiled. If one of them is not, that was reported.
    fn add(&mut self, name: &str, script: Policy, imports: &[Import]) {
        let is_known = |import: &Import| self.libs.scripts.contains_key(&import.name);
        if !imports.iter().all(is_known) {
            return;
        }
        let of = |name: &str| self.libs.exports.get(name);
        let faults = unknown_uses(&script.ast, imports, of);
        if !faults.is_empty() {
            return self.faults.append(&mut reports_of(&script, faults));
        }
        let module = match module(self.engine, &script, &self.libs) {
            Ok(module) => module,
            Err(report) => return self.faults.push(report),
        };
        let needed = self.libs.needed(imports.iter().map(|it| it.name.as_str()));
        let needed = needed.into_iter().map(str::to_owned).collect();
        let modules = Arc::make_mut(&mut self.libs.modules);
        modules.insert(name.to_owned(), module);
        self.libs.uses.insert(name.to_owned(), needed);
        self.libs
            .exports
            .insert(name.to_owned(), exports(&script.ast));
        self.libs.scripts.insert(name.to_owned(), script);
    }
}

/// Runs what a file does outside of functions, its constants and imports, within the limits.
fn module(engine: &Engine, script: &Policy, known: &Libs) -> Result<Shared<Module>, Report> {
    let run = || Module::eval_ast_as_new(Scope::new(), &script.ast, engine);
    let guarded = || catch_unwind(AssertUnwindSafe(run));
    let wall = Duration::from_millis(WALL_MS_MAX);
    match libs::with(&known.modules, || engine::within(wall, guarded)) {
        Ok(Ok(module)) => Ok(module.into()),
        Ok(Err(error)) => Err(eval_report(script, &script.file, &error)),
        Err(_) => Err(Report::new(
            &script.shown,
            "the policy engine panicked on this file",
            "revert the last change to it, and report this as a bug in tocsin",
        )),
    }
}
