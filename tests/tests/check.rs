//! What `tocsin check` says of plugins: that they cannot access their own configured URL, have not
//! the rights that their settings need, or cannot page an address or be answered.
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
contacts = ["chat"]
[[address]]
contact = "chat"
pattern = "[a-z]{1,8}|config:[a-z]+"
help = "a name of 1 to 8 small letters"
[[config]]
key = "topic"
kind = "string"
needs = { commands = ["ack", "answer"], events = ["job"] }
replaces-links = true
[commands]
verbs = ["ack", "answer"]
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

#[test]
fn a_setting_without_the_rights_that_it_needs_is_reported_with_the_grant_to_add() {
    let set = format!("{GRANTED}settings = {{ topic = \"t\" }}\n");
    let (code, said) = check(&set);
    assert_eq!(code, Some(0), "it is a warning: {said}");
    let missing = "settings.topic needs rights that are not granted: commands `ack`, commands \
                   `answer`; under [plugins.chat] in tocsin.toml write: grant = { http = \
                   [\"bot\"], commands = [\"ack\", \"answer\"], events = [\"*\"] }";
    assert!(said.contains(missing), "{said}");
    let (_, said) = check(GRANTED);
    assert!(!said.contains("needs rights"), "it is not set: {said}");
}

#[test]
fn an_address_that_a_plugin_cannot_page_is_reported_with_the_person_and_what_it_takes() {
    let ada = |address: &str| {
        check(&format!(
            "{GRANTED}[people.ada]\nname = \"Ada\"\n\
             contacts = [{{ kind = \"chat\", address = \"{address}\" }}]\n"
        ))
    };
    for wrong in ["Ada", "ada lovelace", "adaadaada"] {
        let (code, said) = ada(wrong);
        assert_eq!(code, Some(2), "{said}");
        let message = format!("`{wrong}` of `ada` is not an address of kind `chat`");
        assert!(said.contains(&message), "{said}");
        assert!(
            said.contains("write a name of 1 to 8 small letters"),
            "{said}"
        );
    }
    for right in ["ada", "config:ada"] {
        let (code, said) = ada(right);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn buttons_that_lead_to_a_daemon_which_no_phone_reaches_are_warned_about() {
    let dead = "the buttons of `chat` are links to http://127.0.0.1:9377, which no phone reaches";
    let (code, said) = check(GRANTED);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(dead), "{said}");
    assert!(
        said.contains("set public-url of [server], or settings.topic"),
        "{said}"
    );
    for (lines, is_dead) in [
        ("settings = { topic = \"t\" }\n", false),
        (
            "[server]\npublic-url = \"https://tocsin.example.com\"\n",
            false,
        ),
        ("[server]\npublic-url = \"http://localhost:9377\"\n", true),
    ] {
        let (_, said) = check(&format!("{GRANTED}{lines}"));
        assert_eq!(
            said.contains("no phone reaches"),
            is_dead,
            "{lines}: {said}"
        );
    }
}
