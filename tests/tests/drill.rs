//! Drills, against the program itself: `tocsin drill run`, `score` and `from`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![forbid(unsafe_code)]

use std::process::Output;

use serde_json::Value;
use tocsin_tests::support::{Home, Program};

async fn started() -> (Home, Program) {
    let home = Home::new().unwrap();
    let program = home.open(&[]).await.unwrap_or_else(|why| panic!("{why}"));
    (home, program)
}

/// The standard output of a command that succeeds.
fn ran(program: &Program, arguments: &[&str]) -> String {
    let output = program.cli(arguments).unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = &output;
    let [out, error] =
        [stdout, stderr].map(|it| String::from_utf8_lossy(it.as_slice()).into_owned());
    assert!(status.success(), "{arguments:?}: {out}\n{error}");
    out
}

/// The standard error of a command that fails.
fn failed(program: &Program, arguments: &[&str]) -> String {
    let output = program.cli(arguments).unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(program: &Program, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    serde_json::from_str(&ran(program, &arguments)).unwrap()
}

/// A drill that nobody attends, played a thousand times as fast.
fn run(program: &Program, drill: &str) -> Value {
    let fast = [
        "drill", "run", drill, "--speed", "1000", "--team", "payments",
    ];
    json(program, &fast)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_is_an_incident_that_says_so_and_counts_in_no_measure() {
    let (_home, program) = started().await;
    let first = run(&program, "database-full");
    let again = run(&program, "database-full");
    assert_eq!(
        first["score"], again["score"],
        "the same input has the same score"
    );
    assert_eq!(
        (&first["incident"], &again["incident"]),
        (&1.into(), &2.into())
    );
    let points = |name: &str| {
        let parts = first["score"]["parts"].as_array().unwrap();
        let part = parts.iter().find(|it| it["name"] == name).unwrap();
        part["points"].as_u64().unwrap()
    };
    // The second alert is worse than the first, and the policies see that.
    assert_eq!((points("grade"), points("acknowledged")), (100, 0));

    let list = ran(&program, &["incident", "list"]);
    assert_eq!(list.matches("DRILL: ").count(), 2, "{list}");
    let log = ran(&program, &["incident", "show", "1"]);
    let said = [
        "Incident 1: DRILL: ",
        "orders vanish after the payment",
        "2, 0 firing",
    ];
    said.iter()
        .for_each(|it| assert!(log.contains(it), "{it:?} is not in {log}"));
    let load = json(&program, &["oncall", "load"]);
    assert!(!load.to_string().contains("\"incidents\":1"), "{load}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_incident_becomes_a_drill_without_names_and_addresses() {
    let (home, program) = started().await;
    let open = [
        "incident",
        "open",
        "--title",
        "bob@example.com finds db-3.example.com down",
    ];
    ran(
        &program,
        &[&open[..], &["--service", "orders", "--grade", "major"]].concat(),
    );
    ran(
        &program,
        &[
            "incident",
            "log",
            "1",
            "--kind",
            "seen",
            "Bob says 10.0.0.7 is full",
        ],
    );
    ran(
        &program,
        &[
            "incident",
            "log",
            "1",
            "--kind",
            "decided",
            "We delete the logs",
        ],
    );
    let early = failed(&program, &["drill", "from", "1"]);
    assert!(
        early.contains("only a closed incident can become a drill"),
        "{early}"
    );
    ran(
        &program,
        &["incident", "resolve", "1", "--reason", "space is free"],
    );
    ran(&program, &["incident", "close", "1"]);

    let drill = ran(&program, &["drill", "from", "1"]);
    let kept = [
        "[address] finds [host] down",
        "somebody says [address] is full",
        "orders",
    ];
    kept.iter()
        .for_each(|it| assert!(drill.contains(it), "{it:?} is not in {drill}"));
    let gone = ["Bob", "10.0.0.7", "example.com", "We delete the logs"];
    gone.iter()
        .for_each(|it| assert!(!drill.contains(it), "{it:?} is in {drill}"));

    let file = home.write("ours.toml", drill).unwrap();
    let played = run(&program, file.to_str().unwrap());
    assert_eq!(played["incident"], 2);
    let real = failed(&program, &["drill", "score", "1", file.to_str().unwrap()]);
    assert!(real.contains("incident 1 is not a drill"), "{real}");
    let score = json(&program, &["drill", "score", "2", file.to_str().unwrap()]);
    assert_eq!(score, played["score"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_played_says_why() {
    let (home, program) = started().await;
    let none = failed(&program, &["drill", "run", "nothing"]);
    assert!(
        none.contains("`tocsin drill list` shows the drills"),
        "{none}"
    );
    let file = home
        .write("faulty.toml", "name = \"x\"\ngrade = \"bad\"")
        .unwrap();
    let faulty = failed(&program, &["drill", "run", file.to_str().unwrap()]);
    assert!(
        faulty.contains("faulty.toml: ") && faulty.contains("grade"),
        "{faulty}"
    );
    let list = ran(&program, &["drill", "list"]);
    for name in ["database-full", "bad-deployment", "leaked-token"] {
        assert!(list.contains(name), "{list}");
        let shown = ran(&program, &["drill", "show", name]);
        home.write("shown.toml", &shown).unwrap();
        assert!(shown.contains("[[steps]]"), "{shown}");
    }
}
