//! Compiles a folder of policy files, all or nothing: a mix of old and new files would be a set
//! that nobody has tested.

mod libs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rhai::Engine;

use crate::compiled::{Libs, Policy};
use crate::fault::parse_report;
use crate::hints::nearest;
use crate::imports::{self, Import};
use crate::kind::Kind;
use crate::limits::{FILE_BYTES_MAX, REPORTS_MAX, TEAMS_MAX};
use crate::lint::lint;
use crate::report::Report;
use crate::switches::{self, Compiled};
use crate::text::short_hash;

pub(crate) use libs::{find as find_libs, misplaced_tests};

/// Identifies a policy by its team, or none if shared, and its kind.
pub(crate) type Slot = (Option<String>, Kind);

/// A file of a set, with its team and kind.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// Relative to the folder, with `/`.
    pub(crate) file: String,
    pub(crate) team: Option<String>,
}

/// The policies of a folder.
pub(crate) type Policies = BTreeMap<Slot, Policy>;

/// Compiles every policy in `dir`.
pub(crate) fn load(engine: &Engine, dir: &Path) -> Result<(Policies, Arc<Libs>), Vec<Report>> {
    match load_valid(engine, dir) {
        (policies, libs, faults) if faults.is_empty() => Ok((policies, libs)),
        (.., faults) => Err(faults),
    }
}

/// Compiles every policy in `dir` and its shared code: what has no fault, and the faults of the
/// others.
pub(crate) fn load_valid(engine: &Engine, dir: &Path) -> (Policies, Arc<Libs>, Vec<Report>) {
    let mut policies = BTreeMap::new();
    let files = match find(dir, ".rhai") {
        Ok(files) => files,
        Err(report) => return (policies, Arc::default(), vec![report]),
    };
    let mut shared = libs::load(engine, dir);
    let mut reports = std::mem::take(&mut shared.faults);
    for found in &files {
        match policy(engine, dir, found, &shared) {
            Ok((kind, policy)) => {
                policies.insert((found.team.clone(), kind), policy);
            }
            Err(mut faults) => reports.append(&mut faults),
        }
    }
    for kind in Kind::ALL.into_iter().filter(|kind| kind.required()) {
        let file = kind.file();
        if !files.iter().any(|found| found.file == file) {
            reports.push(Report::new(
                &shown(dir, file),
                format!(
                    "the file is missing; it must define `{}`",
                    kind.signatures()
                ),
                "write it, or use the one that `tocsin init` writes",
            ));
        }
    }
    reports.truncate(REPORTS_MAX);
    (policies, shared.libs, reports)
}

/// The files of a set whose name ends in `suffix`, sorted by name: the shared ones, then those of
/// each team.
pub(crate) fn find(dir: &Path, suffix: &str) -> Result<Vec<Found>, Report> {
    let mut files = Vec::new();
    for (name, path) in entries(dir, dir)? {
        if name.ends_with(suffix) && path.is_file() {
            files.push(Found {
                path,
                file: name,
                team: None,
            });
        }
    }
    let teams = dir.join("teams");
    if !teams.is_dir() {
        return Ok(files);
    }
    let folders = entries(dir, &teams)?;
    if TEAMS_MAX < folders.len() {
        return Err(Report::new(
            &shown(dir, "teams"),
            format!(
                "{} teams have their own policies; at most {TEAMS_MAX} are allowed",
                folders.len()
            ),
            "let small teams use the shared policies",
        ));
    }
    for (team, folder) in folders.into_iter().filter(|(_, folder)| folder.is_dir()) {
        for (name, path) in entries(dir, &folder)? {
            if name.ends_with(suffix) && path.is_file() {
                let file = format!("teams/{team}/{name}");
                files.push(Found {
                    path,
                    file,
                    team: Some(team.clone()),
                });
            }
        }
    }
    Ok(files)
}

/// Reads a text file up to a maximum size.
pub(crate) fn read(shown: &str, path: &Path) -> Result<String, Report> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Report::new(
            shown,
            format!("the file cannot be read: {error}"),
            "check the file's permissions and encoding (UTF-8)",
        )
    };
    let bytes = fs::metadata(path)
        .map_err(|error| unreadable(&error))?
        .len();
    if FILE_BYTES_MAX < bytes {
        return Err(Report::new(
            shown,
            format!("the file has {bytes} bytes; at most {FILE_BYTES_MAX} are allowed"),
            "split it by team, under teams/NAME/, or move functions to lib/",
        ));
    }
    fs::read_to_string(path).map_err(|error| unreadable(&error))
}

/// The path of a file of `dir` in reports.
pub(crate) fn shown(dir: &Path, file: &str) -> String {
    dir.join(file).display().to_string()
}

fn entries(dir: &Path, folder: &Path) -> Result<Vec<(String, PathBuf)>, Report> {
    let unreadable = |error: std::io::Error| {
        Report::new(
            &folder.display().to_string(),
            format!("the policies folder cannot be read: {error}"),
            format!(
                "make {} a folder that can be read, or name the policies folder",
                dir.display()
            ),
        )
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Editors and mounted volumes have hidden files of their own.
        if !name.starts_with('.') {
            found.push((name, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// Compiles a file, whatever it is.
fn script(engine: &Engine, dir: &Path, found: &Found) -> Result<Policy, Report> {
    let shown = shown(dir, &found.file);
    let text = read(&shown, &found.path)?;
    let Compiled { mut ast, inserted } =
        switches::compile(engine, &text).map_err(|error| parse_report(&shown, &text, &error))?;
    ast.set_source(&found.file);
    Ok(Policy {
        file: found.file.clone(),
        shown,
        hash: short_hash(&blake3::hash(text.as_bytes())),
        text,
        ast,
        inserted,
        takes_context: Vec::new(),
        libs: Arc::default(),
    })
}

fn reports_of(script: &Policy, faults: Vec<imports::Fault>) -> Vec<Report> {
    let report = |fault: imports::Fault| {
        let report = Report::new(&script.shown, fault.message, fault.remedy);
        script.place(report, "", fault.position)
    };
    faults.into_iter().map(report).collect()
}

fn policy(
    engine: &Engine,
    dir: &Path,
    found: &Found,
    shared: &libs::Loaded,
) -> Result<(Kind, Policy), Vec<Report>> {
    let kind = kind_of(&shown(dir, &found.file), found).map_err(|report| vec![report])?;
    let mut policy = script(engine, dir, found).map_err(|report| vec![report])?;
    import(&mut policy, shared)?;
    let mut reports = Vec::new();
    for &(function, parameters) in kind.functions() {
        match arity(&policy, function, parameters) {
            Ok(true) => policy.takes_context.push(function),
            Ok(false) => {}
            Err(report) => reports.push(report),
        }
    }
    if reports.is_empty() {
        reports = lint(&policy, &kind.entries());
    }
    if reports.is_empty() {
        Ok((kind, policy))
    } else {
        Err(reports)
    }
}

/// Gives a policy the shared code that it imports. If that has a fault, there is nothing to report
/// of the policy.
fn import(policy: &mut Policy, shared: &libs::Loaded) -> Result<(), Vec<Report>> {
    let libs = &shared.libs;
    let known = shared.names.iter().map(String::as_str).collect();
    let (imports, mut faults) = imports::imports(&policy.ast, &known);
    let of = |name: &str| libs.exports.get(name);
    faults.append(&mut imports::unknown_uses(&policy.ast, &imports, of));
    let is_valid = |import: &Import| libs.scripts.contains_key(&import.name);
    if !faults.is_empty() || !imports.iter().all(is_valid) {
        return Err(reports_of(policy, faults));
    }
    if imports.is_empty() {
        return Ok(());
    }
    let mut hasher = blake3::Hasher::new();
    let needed = libs.needed(imports.iter().map(|import| import.name.as_str()));
    let scripts = needed.into_iter().filter_map(|name| libs.scripts.get(name));
    for script in scripts.chain([&*policy]) {
        add_to_hash(&mut hasher, script);
    }
    policy.hash = short_hash(&hasher.finalize());
    policy.libs = Arc::clone(libs);
    Ok(())
}

/// Adds a file to the hash of several.
pub(crate) fn add_to_hash(hasher: &mut blake3::Hasher, script: &Policy) {
    for part in [&script.file, &script.text] {
        // Lengths are hashed too, so that different files cannot have the same input.
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part.as_bytes());
    }
}

/// What a file is the policy of; none if there is no such policy.
pub(crate) fn slot(found: &Found) -> Option<Slot> {
    let kind = kind_of("", found).ok()?;
    Some((found.team.clone(), kind))
}

fn kind_of(shown: &str, found: &Found) -> Result<Kind, Report> {
    let name = found.file.rsplit('/').next().unwrap_or(&found.file);
    let for_teams = found.team.is_some();
    let fitting = |kind: &Kind| !for_teams || kind.per_team();
    if let Some(kind) = Kind::ALL
        .into_iter()
        .filter(fitting)
        .find(|kind| kind.file() == name)
    {
        return Ok(kind);
    }
    let names: Vec<&str> = Kind::ALL
        .iter()
        .filter(|kind| fitting(kind))
        .map(|k| k.file())
        .collect();
    let remedy = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "give it another extension, or move it: functions for several policies go in lib/"
            .to_owned(),
    };
    let policy = if for_teams {
        "policy of a team"
    } else {
        "policy"
    };
    Err(Report::new(
        shown,
        format!(
            "no {policy} has this name; valid names are {}",
            names.join(", ")
        ),
        remedy,
    ))
}

/// Whether `function` also takes the context.
fn arity(policy: &Policy, function: &str, parameters: &[&str]) -> Result<bool, Report> {
    let found: Vec<usize> = policy
        .ast
        .iter_functions()
        .filter(|defined| defined.name == function)
        .map(|defined| defined.params.len())
        .collect();
    if let Some(count) = found.iter().find(|&&count| count == parameters.len()) {
        return match found.len() {
            1 => Ok(false),
            _ => Err(policy.at_function(
                function,
                format!(
                    "`{function}` is defined {} times, including with {count} parameters",
                    found.len()
                ),
                "keep one of them",
            )),
        };
    }
    if found.contains(&parameters.len().saturating_add(1)) {
        return Ok(true);
    }
    let wanted = parameters.join(", ");
    let message = match found.first() {
        None => format!("the file must define `fn {function}({wanted})`"),
        Some(count) => format!(
            "`{function}` takes {count} parameters; it must be `fn {function}({wanted})` or \
             `fn {function}({wanted}, ctx)`"
        ),
    };
    Err(policy.at_function(
        function,
        message,
        format!("write `fn {function}({wanted}) {{ … }}`"),
    ))
}
