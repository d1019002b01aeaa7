//! Tests of the command line's output and exit codes.

use std::path::Path;
use std::sync::Arc;

use clap::{CommandFactory as _, Parser as _};

use super::{Cli, Exit, Out, run};
use crate::runtime::SystemClock;

fn tocsin(args: &[&str]) -> (Option<Exit>, String, String) {
    let args = std::iter::once("tocsin").chain(args.iter().copied());
    let cli = Cli::try_parse_from(args).expect("a valid command line");
    let mut out = Vec::new();
    let result = run(&cli, Arc::new(SystemClock), &mut Out::plain(&mut out));
    let out = String::from_utf8(out).expect("text");
    match result {
        Ok(()) => (None, out, String::new()),
        Err(failure) => (Some(failure.exit), out, failure.text),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn every_subcommand_has_its_own_help_and_an_example() {
    fn visit(command: &clap::Command, seen: &mut Vec<String>) {
        let mut abouts = std::collections::BTreeSet::new();
        for sub in command
            .get_subcommands()
            .filter(|it| it.get_name() != "help")
        {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{} has no help", sub.get_name());
            assert!(
                abouts.insert(about),
                "{} has the same help as another",
                sub.get_name()
            );
            if sub.get_subcommands().next().is_none() {
                assert!(
                    sub.get_after_help().is_some(),
                    "{} shows no example",
                    sub.get_name()
                );
                seen.push(sub.get_name().to_owned());
            }
            visit(sub, seen);
        }
    }
    let mut seen = Vec::new();
    visit(&Cli::command(), &mut seen);
    assert!(seen.len() > 4, "{seen:?}");
}

#[test]
fn what_init_writes_passes_check_and_its_policies_pass_their_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("oncall");
    let (exit, out, _) = tocsin(&["init", text(&dir)]);
    assert_eq!(exit, None);
    assert!(out.contains("tocsin serve --config"), "{out}");
    let config = dir.join("tocsin.toml");
    let (exit, out, _) = tocsin(&["check", "--config", text(&config)]);
    // Mail alone wakes nobody, and there is nobody else.
    for warning in [
        "warning: no rung of the ladder of you",
        "warning: step 2 of the plan for critical incidents pages nobody who was not paged before: \
         only you",
    ] {
        assert!(out.contains(warning), "{out}");
    }
    assert_eq!((exit, out.lines().count()), (None, 3), "{out}");
    let policies = dir.join("policies");
    let (exit, out, _) = tocsin(&["policy", "test", text(&policies)]);
    assert_eq!((exit, out.as_str()), (None, ""));
    let (exit, out, _) = tocsin(&["policy", "test", "-v", text(&policies)]);
    assert_eq!(exit, None);
    assert!(out.ends_with(" passed, 0 failed\n"), "{out}");
}

#[test]
fn init_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("tocsin.toml");
    std::fs::write(&config, "mine").expect("written");
    let (exit, _, said) = tocsin(&["init", text(folder.path())]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(said.contains("not overwritten"), "{said}");
    assert_eq!(std::fs::read_to_string(&config).expect("read"), "mine");
    assert!(!folder.path().join("policies").exists());
}

#[test]
fn check_names_every_fault_with_its_line_and_exits_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("tocsin.toml");
    let wrong = "[server]\nlisten = \"nowhere\"\n\n[stroe]\npath = \"data\"\n";
    std::fs::write(&config, wrong).expect("written");
    let (exit, out, _) = tocsin(&["check", "--config", text(&config)]);
    assert_eq!(exit, Some(Exit::Usage));
    assert!(out.contains("tocsin.toml:2:"), "{out}");
    assert!(out.contains("tocsin.toml:4:"), "{out}");
    let (exit, out, _) = tocsin(&["check", "--config", text(&config), "--output", "json"]);
    assert_eq!(exit, Some(Exit::Usage));
    let found: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(found["ok"], false);
    assert_eq!(found["configuration"][0]["line"], 2);
}

#[test]
fn check_without_a_file_exits_2_and_says_how_to_get_one() {
    let (exit, _, said) = tocsin(&["check", "--config", "/nowhere/tocsin.toml"]);
    assert_eq!(exit, Some(Exit::Usage));
    assert!(said.contains("tocsin init"), "{said}");
}

#[test]
fn check_reports_policies_that_are_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    tocsin(&["init", text(folder.path())]);
    let grading = folder.path().join("policies/grading.rhai");
    std::fs::write(&grading, "fn grade(incident, alert) {\n  nonsense(\n}").expect("written");
    let config = folder.path().join("tocsin.toml");
    let (exit, out, _) = tocsin(&["check", "--config", text(&config)]);
    assert_eq!(exit, Some(Exit::Usage));
    assert!(out.contains("grading.rhai:"), "{out}");
    assert!(out.contains("remedy"), "{out}");
    let policies = folder.path().join("policies");
    for verb in ["check", "test"] {
        let (exit, out, _) = tocsin(&["policy", verb, text(&policies)]);
        assert_eq!(exit, Some(Exit::Failed), "{verb}");
        assert!(out.contains("grading.rhai:"), "{verb}: {out}");
    }
}

#[test]
fn check_reports_a_plugin_that_would_not_load_at_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    tocsin(&["init", text(folder.path())]);
    let config = folder.path().join("tocsin.toml");
    let mut written = std::fs::read_to_string(&config).expect("read");
    written.push_str("\n[plugins.hello]\npath = \"plugins/hello\"\n");
    std::fs::write(&config, &written).expect("written");
    let line = written.lines().count() - 1;
    let (exit, out, _) = tocsin(&["check", "--config", text(&config)]);
    assert_eq!(exit, Some(Exit::Usage));
    assert!(out.contains(&format!("tocsin.toml:{line}:")), "{out}");
    assert!(out.contains("plugins/hello/plugin.toml"), "{out}");
    let hello = folder.path().join("plugins/hello");
    let (exit, _, said) = tocsin(&["plugin", "check", text(&hello)]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(said.contains("name the folder of a plugin"), "{said}");
}

#[test]
fn policy_test_shows_differences_and_exits_1() {
    let folder = tempfile::tempdir().expect("a folder");
    tocsin(&["init", text(folder.path())]);
    let policies = folder.path().join("policies");
    let tests = policies.join("grading.test.toml");
    let case = "[[test]]\nname = \"page is minor\"\n\
                alert = { labels = { severity = \"page\" } }\nexpect = { grade = \"minor\" }\n";
    std::fs::write(&tests, case).expect("written");
    let (exit, out, _) = tocsin(&["policy", "test", text(&policies)]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(out.contains("page is minor"), "{out}");
    assert!(out.contains("+ grade ="), "{out}");
    assert!(out.contains("critical"), "{out}");
}

#[test]
fn verify_reads_a_store_and_refuses_a_folder_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (exit, _, said) = tocsin(&["verify", "--data-dir", text(folder.path())]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(said.contains("there is no store in"), "{said}");
    let store = tocsin_store::SledStore::open(folder.path()).expect("a store");
    let (exit, _, said) = tocsin(&["verify", "--data-dir", text(folder.path())]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(said.contains("in use by another tocsin"), "{said}");
    drop(store);
    let (exit, out, _) = tocsin(&["verify", "--data-dir", text(folder.path())]);
    assert_eq!(exit, None, "{out}");
    assert!(out.contains("The store is intact."), "{out}");
}

/// A folder that `tocsin init` wrote, with its configuration and policies.
fn started() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    tocsin(&["init", text(folder.path())]);
    let (config, policies) = (
        folder.path().join("tocsin.toml"),
        folder.path().join("policies"),
    );
    (folder, config, policies)
}

#[test]
fn policy_check_knows_the_names_of_the_configuration_next_to_the_folder() {
    let (folder, config, policies) = started();
    let (exit, out, _) = tocsin(&["policy", "check", "-v", text(&policies)]);
    assert_eq!(exit, None, "{out}");
    assert!(
        out.contains(&format!("those of {}", config.display())),
        "{out}"
    );
    let escalate = "fn escalate(incident) {\n  #{ steps: [#{ page: oncall(\"nights\"), \
                    wait: minutes(5) }], reason: \"r\" }\n}\n";
    std::fs::write(policies.join("escalation.rhai"), escalate).expect("written");
    std::fs::remove_file(policies.join("escalation.test.toml")).expect("removed");
    let says = "escalation.rhai:2:30: the configuration has no rotation `nights`";
    for args in [
        &["policy", "check", text(&policies)][..],
        &["policy", "check", "--config", text(&config)],
        &["check", "--config", text(&config)],
    ] {
        let (exit, out, _) = tocsin(args);
        assert!(exit.is_some() && out.contains(says), "{args:?}: {out}");
    }
    let elsewhere = folder.path().join("rules");
    std::fs::rename(&policies, &elsewhere).expect("renamed");
    let (exit, out, _) = tocsin(&["policy", "check", "-v", text(&elsewhere)]);
    assert_eq!(
        exit, None,
        "another folder's configuration is not used: {out}"
    );
    assert!(out.contains("name a --config"), "{out}");
}

#[test]
fn policy_test_runs_tests_by_name_and_shows_what_no_test_ran() {
    let (_folder, _, policies) = started();
    let (exit, out, _) = tocsin(&["policy", "test", "-k", "at NIGHT", text(&policies)]);
    assert_eq!((exit, out.as_str()), (None, "1 passed, 0 failed\n"));
    let (exit, _, said) = tocsin(&["policy", "test", "-k", "nothing such", text(&policies)]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(
        said.contains("no test in") && said.contains("`nothing such`"),
        "{said}"
    );
    std::fs::remove_file(policies.join("escalation.test.toml")).expect("removed");
    let (exit, out, _) = tocsin(&["policy", "test", "--coverage", text(&policies)]);
    assert_eq!(exit, None);
    assert!(
        out.contains("escalation.rhai: 0 of ") && out.contains("; never: "),
        "{out}"
    );
    let (_, out, _) = tocsin(&["policy", "test", "-v", text(&policies)]);
    assert!(out.contains(": passed (grading.rhai)"), "{out}");
    let (_, out, _) = tocsin(&["policy", "test", "--output", "json", text(&policies)]);
    let found: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(found["coverage"][2]["ran"], 0);
    assert_eq!(found["failures"], serde_json::json!([]));
}

#[test]
fn check_fails_when_the_daemon_would_not_put_the_policies_in_force() {
    let (_folder, config, policies) = started();
    let case = "[[test]]\nname = \"page is minor\"\n\
                alert = { labels = { severity = \"page\" } }\nexpect = { grade = \"minor\" }\n";
    std::fs::write(policies.join("grading.test.toml"), case).expect("written");
    let (exit, out, _) = tocsin(&["check", "--config", text(&config)]);
    assert_eq!(exit, Some(Exit::Usage));
    assert!(
        out.contains("grading.test.toml:2: the test `page is minor` fails"),
        "{out}"
    );
    let written = std::fs::read_to_string(&config).expect("read");
    let off = written.replace("[policy]\n", "[policy]\nrequire-tests = false\n");
    std::fs::write(&config, off).expect("written");
    let (exit, out, _) = tocsin(&["check", "--config", text(&config)]);
    assert_eq!(exit, None, "{out}");
}

#[test]
fn policy_eval_shows_the_verdicts_on_an_alert_and_what_they_read() {
    let (folder, config, _) = started();
    let alert = folder.path().join("alert.json");
    let written = r#"{"title": "disk full", "labels": {"service": "db", "severity": "warning"}}"#;
    std::fs::write(&alert, written).expect("written");
    let eval = |more: &[&str]| {
        let args = [
            "policy",
            "eval",
            "--config",
            text(&config),
            "--alert",
            text(&alert),
        ];
        let args: Vec<&str> = args.iter().chain(more).copied().collect();
        tocsin(&args)
    };
    let (exit, out, _) = eval(&["--now", "2026-07-07T10:00:00Z"]);
    assert_eq!(exit, None, "{out}");
    for line in [
        "route: routing.rhai:",
        "  key: db",
        "    read alert.labels[\"severity\"] → \"warning\"",
        "grade: grading.rhai:",
        "  reason: severity warning",
        "escalate: escalation.rhai:",
        "cadence: communication.rhai:",
        "  engineering: 4h",
        "  steps[0]: {\"page\":[\"oncall:default\"],\"wait\":\"1h\"}",
        "    read next(\"weekdays 09:00-18:00\") → \"at once\"",
    ] {
        assert!(out.lines().any(|it| it.starts_with(line)), "{line}: {out}");
    }
    let (_, out, _) = eval(&["--now", "2026-07-07T03:00:00Z"]);
    let waits = "  steps[0]: {\"at\":\"tuesday 09:00\",\"page\":[\"oncall:default\"]";
    assert!(out.contains(waits), "{out}");
    let (_, out, _) = eval(&["--output", "json"]);
    let found: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(found[1]["verdict"]["answer"]["grade"], "minor");
    let (exit, _, said) = eval(&["--now", "soon"]);
    assert_eq!(exit, Some(Exit::Usage));
    assert!(said.contains("`soon` is no time"), "{said}");
    let (exit, _, said) = eval(&["--integration", "nope"]);
    assert_eq!(exit, Some(Exit::Usage), "{said}");
    assert!(said.contains("no integration `nope`; there are "), "{said}");
    std::fs::write(&alert, "[{\"title\": \"a\"}, {\"title\": \"b\"}]").expect("written");
    let (exit, _, said) = eval(&[]);
    assert_eq!(exit, Some(Exit::Failed));
    assert!(
        said.contains("has 2 alerts; name a file with one"),
        "{said}"
    );
}

#[test]
fn policy_test_says_when_there_are_no_tests() {
    let (_folder, _, policies) = started();
    for name in ["routing", "grading", "escalation", "communication"] {
        std::fs::remove_file(policies.join(format!("{name}.test.toml"))).expect("removed");
    }
    let (exit, out, _) = tocsin(&["policy", "test", text(&policies)]);
    assert_eq!(exit, None, "{out}");
    assert!(out.contains("no tests in "), "{out}");
}
