//! Compiles a folder of policy files, all or nothing: a mix of old and new files would be a set
//! that nobody has tested.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rhai::Engine;

use crate::compiled::Policy;
use crate::fault::parse_report;
use crate::hints::nearest;
use crate::kind::Kind;
use crate::limits::{FILE_BYTES_MAX, REPORTS_MAX, TEAMS_MAX};
use crate::lint::lint;
use crate::report::Report;
use crate::switches;
use crate::text::short_hash;

/// Identifies a policy by its team, or none if shared, and its kind.
pub(crate) type Slot = (Option<String>, Kind);

/// A file of a set, with its team and kind.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// Relative to the folder, with `/`.
    pub(crate) file: String,
    pub(crate) team: Option<String>,
}

/// Compiles every policy in `dir`.
pub(crate) fn load(engine: &Engine, dir: &Path) -> Result<BTreeMap<Slot, Policy>, Vec<Report>> {
    let mut reports = Vec::new();
    let mut policies = BTreeMap::new();
    let files = match find(dir, ".rhai") {
        Ok(files) => files,
        Err(report) => return Err(vec![report]),
    };
    for found in files {
        match policy(engine, dir, &found) {
            Ok((kind, policy)) => {
                policies.insert((found.team, kind), policy);
            }
            Err(mut faults) => reports.append(&mut faults),
        }
    }
    for kind in Kind::ALL.into_iter().filter(|kind| kind.required()) {
        let file = kind.file();
        let broken = reports
            .iter()
            .any(|report: &Report| report.file == shown(dir, file));
        if !broken && !policies.contains_key(&(None, kind)) {
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
    if reports.is_empty() {
        Ok(policies)
    } else {
        Err(reports)
    }
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
            "split it by team, under teams/NAME/",
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

fn policy(engine: &Engine, dir: &Path, found: &Found) -> Result<(Kind, Policy), Vec<Report>> {
    let shown = shown(dir, &found.file);
    let kind = kind_of(&shown, found).map_err(|report| vec![report])?;
    let text = read(&shown, &found.path).map_err(|report| vec![report])?;
    let (ast, switches_over_numbers) = switches::over_numbers(|| engine.compile(&text));
    let ast = ast.map_err(|error| vec![parse_report(&shown, &text, &error)])?;
    let hash = short_hash(&blake3::hash(text.as_bytes()));
    let file = found.file.clone();
    let mut policy = Policy {
        file,
        shown,
        text,
        hash,
        ast,
        switches_over_numbers,
        takes_context: Vec::new(),
    };
    let mut reports = Vec::new();
    for &(function, parameters) in kind.functions() {
        match arity(&policy, function, parameters) {
            Ok(true) => policy.takes_context.push(function),
            Ok(false) => {}
            Err(report) => reports.push(report),
        }
    }
    if reports.is_empty() {
        let entries: Vec<_> = kind.functions().iter().map(typed).collect();
        reports = lint(engine, &policy.ast, &policy.shown, &policy.text, &entries);
    }
    if reports.is_empty() {
        Ok((kind, policy))
    } else {
        Err(reports)
    }
}

/// The script types of a function's parameters, followed by the context's.
fn typed<'a>(function: &(&'a str, &[&str])) -> (&'a str, Vec<&'static str>) {
    let type_of = |parameter: &&str| match *parameter {
        "alert" => "Alert",
        "incident" => "Incident",
        _ => "",
    };
    (
        function.0,
        function.1.iter().map(type_of).chain(["Context"]).collect(),
    )
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
        None => "give it another extension, or move it out of the folder".to_owned(),
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
