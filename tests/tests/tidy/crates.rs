//! Checks the dependencies between crates, from `cargo metadata`.

use std::process::Command;

use serde_json::Value;
use tocsin_tests::paths;

/// The crates of ours that each may depend on, including dev-dependencies. The stand-ins are for
/// tests only.
const ALLOWED: &[(&str, &[&str])] = &[
    ("tocsin-core", &[]),
    ("tocsin-store", &["tocsin-core"]),
    ("tocsin-policy", &["tocsin-core"]),
    ("tocsin-plugin-host", &["tocsin-core", "tocsin-standins"]),
    (
        "tocsin",
        &[
            "tocsin-core",
            "tocsin-store",
            "tocsin-policy",
            "tocsin-plugin-host",
        ],
    ),
    ("tocsin-plugin-sdk", &[]),
    ("tocsin-standins", &["tocsin-plugin-sdk"]),
    ("xtask", &[]),
];

/// The external crates that the core may use: none that waits, reads a clock or does I/O.
const CORE_MAY_USE: &[&str] = &["serde", "serde_json", "thiserror"];

fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
        "--locked",
    ]);
    let output = command.current_dir(paths::root()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata failed: {errors}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The root file of each crate and program, from the repository's root.
pub(crate) fn crate_roots() -> Vec<String> {
    let root = paths::root().canonicalize().unwrap();
    let mut found = Vec::new();
    for package in packages() {
        for target in package["targets"].as_array().unwrap() {
            let kind = target["kind"][0].as_str().unwrap();
            if ["lib", "rlib", "cdylib", "bin"].contains(&kind) {
                let path = target["src_path"].as_str().unwrap();
                let inside = std::path::Path::new(path).strip_prefix(&root).unwrap();
                found.push(inside.display().to_string());
            }
        }
    }
    found
}

/// Every dependency that is not allowed, as `from → to`.
pub(crate) fn wrong() -> Vec<String> {
    let packages = packages();
    let ours: Vec<&str> = packages
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let mut found = Vec::new();
    for package in &packages {
        let from = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            let for_tests = dependency["kind"] == "dev";
            let fine = if ours.contains(&to) {
                may(from, to) && (to != "tocsin-standins" || for_tests || from == "tocsin-tests")
            } else {
                from != "tocsin-core" || for_tests || CORE_MAY_USE.contains(&to)
            };
            if !fine {
                found.push(format!("{from} → {to}"));
            }
        }
    }
    found
}

fn may(from: &str, to: &str) -> bool {
    if from == to {
        // A crate's own tests may use its test features.
        return true;
    }
    match ALLOWED.iter().find(|it| it.0 == from) {
        Some((_, allowed)) => allowed.contains(&to),
        None if from == "tocsin-tests" => true,
        None => {
            let is_plugins = ["tocsin-plugin-sdk", "tocsin-standins"].contains(&to);
            from.starts_with("tocsin-plugin-") && is_plugins
        }
    }
}
