//! `tocsin doctor` with and without a running daemon.
#![forbid(unsafe_code)]

use std::process::Output;

use serde_json::Value;
use tocsin_tests::support::{Home, config};

/// Nothing listens on the relay's port, so the only page cannot be delivered.
const NO_MAIL: u16 = 9;

fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    format!("{out}{err}")
}

/// The level of a check; `None` if the check is missing.
fn level(output: &Output, name: &str) -> Option<String> {
    let found: Value = serde_json::from_slice(&output.stdout).ok()?;
    let mut checks = found["checks"].as_array()?.iter();
    let check = checks.find(|check| check["name"] == name)?;
    check["level"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn it_queries_the_running_daemon_and_otherwise_reads_the_files() {
    let home = Home::new().unwrap();
    home.write("policies/routing.rhai", "fn route( {").unwrap();
    let more = [&*config::mail(NO_MAIL), "policy.path = \"policies\""];
    let program = home.open(&more).await.unwrap();

    let well = program.cli(&["doctor"]).unwrap();
    assert!(well.status.success(), "{}", text(&well));
    let json = program.cli(&["doctor", "--output", "json"]).unwrap();
    assert_eq!(level(&json, "timers").as_deref(), Some("ok"));
    assert_eq!(
        level(&json, "policies").as_deref(),
        Some("warn"),
        "{}",
        text(&json)
    );
    assert_eq!(level(&json, "heartbeat").as_deref(), Some("warn"));
    assert!(text(&well).contains("routing.rhai"), "{}", text(&well));

    let url = program.url.clone();
    program.stop().await.unwrap();
    let config = home.path().join("tocsin.toml");
    let config = config.to_str().unwrap();
    let gone = home
        .run(&["doctor", "--url", &url, "--config", config])
        .unwrap();
    assert_eq!(gone.status.code(), Some(1), "{}", text(&gone));
    let said = text(&gone);
    let first = said.lines().next().unwrap();
    assert!(first.starts_with("BAD   daemon"), "{said}");
    assert!(first.contains("no daemon answers"), "{said}");
    assert!(said.contains("ok    store"), "{said}");
}
