//! `tocsin demo`: the program itself tells the whole story of an incident, over HTTP, with the
//! built Slack plugin. It checks itself at each step; here it must get to its end.
#![forbid(unsafe_code)]

use std::process::Command;

use tocsin_tests::skip;

#[test]
fn the_demo_tells_the_whole_story() {
    let Some(plugin) = skip::slack_plugin("the_demo_tells_the_whole_story") else {
        return;
    };
    let demo = Command::new(env!("CARGO_BIN_EXE_tocsin-under-test"))
        .args(["demo", "--plugin"])
        .arg(plugin)
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&demo.stdout);
    let why = String::from_utf8_lossy(&demo.stderr);
    assert!(demo.status.success(), "{told}\n{why}");
    for part in [
        "checkout 2.4 is deployed",
        "war room #inc-1-12-of-checkouts-fail opens",
        "the promise to company is broken",
        "ada is the operator",
        "Final update: the incident is resolved",
    ] {
        assert!(told.contains(part), "{part:?} is not in:\n{told}");
    }
}
