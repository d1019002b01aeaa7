//! Checks a folder of policies without a test: what never works, what fails on questions that are
//! made for it, and what the configuration does not know.

use std::collections::BTreeSet;
use std::path::Path;

use rhai::Position;

use crate::compiled::Policy;
use crate::explore::explore;
use crate::limits::REPORTS_MAX;
use crate::lint::{found_nowhere, keys_of_maps};
use crate::load::{find, misplaced_tests, shown};
use crate::names::Names;
use crate::report::{Report, Reports};
use crate::script::{Does, functions, units};
use crate::set::PolicySet;
use crate::testing;
use crate::verdict::NO_ROTATION;

/// Checks every policy and every test file in `dir`. The daemon's policies are run, tests are not.
/// With `names`, nobody else may be paged.
///
/// # Errors
/// All faults, at most [`REPORTS_MAX`].
pub fn check(dir: &Path, names: Option<&Names>) -> Result<(), Reports> {
    let (set, mut reports) = PolicySet::watched(dir);
    let mut tests = Vec::new();
    if dir.is_dir() {
        let (cases, mut faults) = testing::cases(dir);
        tests = cases;
        reports.append(&mut faults);
        reports.append(&mut misplaced_tests(dir));
    }
    if let Some(names) = names {
        reports.append(&mut unknown_teams(dir, names));
    }
    let keys = keys_of_maps(set.scripts());
    for ((team, kind), policy) in set.policies() {
        let mut found = explore(&set, team.as_deref(), *kind, policy, names);
        found.retain(|report| !tests.iter().any(|case| case.expects_error(&report.message)));
        found.append(&mut dropped_values(policy));
        let mut nowhere = found_nowhere(policy, &kind.entries(), &keys);
        let is_at = |a: &Report, b: &Report| (a.line, a.column) == (b.line, b.column);
        nowhere.retain(|report| !found.iter().any(|it| is_at(it, report)));
        found.append(&mut nowhere);
        if let Some(names) = names {
            let mut unknown = names.unknown_in(policy);
            found.retain(|report| !unknown.iter().any(|it| is_about(report, it)));
            found.append(&mut unknown);
        }
        found.sort_by_key(|report| (report.line, report.column));
        // Several policies meet a fault of the code that they share.
        let is_same = |a: &Report, b: &Report| {
            (&a.file, a.line, a.column, &a.message) == (&b.file, b.line, b.column, &b.message)
        };
        found.retain(|report| !reports.iter().any(|it| is_same(it, report)));
        reports.append(&mut found);
    }
    for script in set.libs() {
        reports.append(&mut dropped_values(script));
        reports.extend(names.into_iter().flat_map(|names| names.unknown_in(script)));
    }
    reports.truncate(REPORTS_MAX);
    match reports.is_empty() {
        true => Ok(()),
        false => Err(Reports(reports)),
    }
}

/// Whether the fault of a call is that a rotation does not exist, whose name `unknown` reports.
fn is_about(report: &Report, unknown: &Report) -> bool {
    let name = unknown.message.rsplit('`').nth(1).unwrap_or_default();
    report.message.contains(&format!("{NO_ROTATION} `{name}`"))
}

/// Folders of teams that do not exist.
fn unknown_teams(dir: &Path, names: &Names) -> Vec<Report> {
    // A folder that cannot be read is reported when it is loaded.
    let files = find(dir, ".rhai").unwrap_or_default();
    let teams: BTreeSet<String> = files.into_iter().filter_map(|it| it.team).collect();
    let report = |team: &String| names.unknown_folder(&shown(dir, &format!("teams/{team}")), team);
    teams.iter().filter_map(report).collect()
}

/// Values of which nothing is done: most often a `return` that is missing.
fn dropped_values(policy: &Policy) -> Vec<Report> {
    let functions = functions(&policy.ast);
    let units = functions.iter().flat_map(units);
    let report = |start: Position, message: &str, remedy: &str| {
        policy.at(Report::new(&policy.shown, message, remedy), start)
    };
    units
        .filter_map(|(_, unit)| match unit.does {
            Does::DropsMap => Some(report(
                unit.start,
                "this map is not returned: the function goes on after it",
                "write `return #{ … };`",
            )),
            Does::DropsValue => Some(report(
                unit.start,
                "nothing is done with this value",
                "write `return` before it, or remove it",
            )),
            Does::Something | Does::Throws => None,
        })
        .collect()
}
