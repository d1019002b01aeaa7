//! `tocsin check` fails if a plugin cannot access its own configured URL.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use tocsin_plugin_host::guests::Guest;
use tocsin_tests::paths;
use tocsin_tests::support::Home;

const CONFIG: &str = r#"
[policy]
path = POLICIES

[plugins.chat]
path = "chat"
"#;

const MANIFEST: &str = r#"
schema = 1
id = "chat"
version = "0.1.0"
name = "Chat"
events = ["job"]
[[config]]
key = "base-url"
kind = "string"
default = "https://chat.example/api"
[[http]]
name = "bot"
origin = "config:base-url"
paths = ["*"]
methods = ["POST"]
"#;

const INSIDE: &str = "settings = { base-url = \"http://127.0.0.1:9/api\" }\n";
const GRANTED: &str = "grant = { http = [\"bot\"], events = [\"*\"] }\n";
const OPENED: &str = "allow-networks = [\"loopback\"]\n";

/// The exit code of `tocsin check` and what it printed, with these lines under `[plugins.chat]`.
fn check(lines: &str) -> (Option<i32>, String) {
    let home = Home::new().unwrap();
    let mut guest = Guest::default();
    guest.describes("chat", "0.1.0", &["job"]);
    home.write("chat/plugin.wasm", guest.component()).unwrap();
    home.write("chat/plugin.toml", MANIFEST).unwrap();
    let policies = format!("{:?}", paths::root().join("policies"));
    let config = CONFIG.replace("POLICIES", &policies);
    home.write("tocsin.toml", format!("{config}{lines}"))
        .unwrap();
    let config = home.path().join("tocsin.toml");
    let output = home.run(&["check", "--config", config.to_str().unwrap()]);
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

#[test]
fn a_base_url_in_a_blocked_network_is_reported_at_its_line_with_the_line_to_add() {
    let (code, said) = check(&format!("{INSIDE}{GRANTED}"));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("tocsin.toml:5:"), "{said}");
    assert!(said.contains("reach its own `base-url`"), "{said}");
    assert!(said.contains(OPENED.trim_end()), "{said}");
    let (code, said) = check(&format!("{INSIDE}{GRANTED}{OPENED}"));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_base_url_that_no_grant_covers_is_reported_with_the_grant_to_add() {
    let (code, said) = check("grant = { events = [\"*\"] }\n");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("reach its own `base-url`"), "{said}");
    assert!(said.contains(GRANTED.trim_end()), "{said}");
    let (code, said) = check(GRANTED);
    assert_eq!(code, Some(0), "{said}");
}
