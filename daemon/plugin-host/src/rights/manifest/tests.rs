use super::*;

const SLACK: &str = r#"
schema  = 1
id      = "slack"
version = "0.1.0"
name    = "Slack"
events  = ["incident-opened", "page", "job"]
contacts = ["slack"]

[[config]]
key = "base-url"
kind = "string"
default = "https://slack.com/api"
help = "Where the Slack Web API is"

[[secret]]
name = "bot-token"
help = "Bot User OAuth Token (xoxb-…)"

[[secret]]
name = "signing-secret"

[[http]]
name    = "bot"
origin  = "config:base-url"
paths   = ["/api/chat.*", "/api/conversations.*"]
methods = ["GET", "POST"]
inject  = { secret = "bot-token", header = "Authorization", format = "Bearer {}" }

[[webhook]]
route     = "interactions"
methods   = ["POST"]
budget-ms = 2500
max-body-bytes = 65536
verify    = { scheme = "slack-v0", secret = "signing-secret", tolerance-s = 300 }

[[schedule]]
name = "sync-users"
cron = "*/15 * * * *"

[commands]
verbs = ["get", "find-by-ref", "ack", "link", "log"]

[mail]
relays = ["main"]

[limits]
memory-bytes = 33554432
cpu-ms = 250
wall-ms = 10000
"#;

#[test]
fn a_whole_manifest_is_read() {
    let manifest = Manifest::parse(SLACK).unwrap();
    assert_eq!(manifest.id, "slack");
    assert_eq!(
        manifest.http[0].origin,
        OriginAsk::Setting("base-url".into())
    );
    let inject = manifest.http[0].inject.as_ref().unwrap();
    assert_eq!(inject.header(), Some("authorization"));
    let mut webhooks = manifest.webhooks.iter();
    let interactions = webhooks.find(|ask| ask.route == "interactions").unwrap();
    assert_eq!(interactions.verify.scheme, Scheme::SlackV0);
    assert_eq!(manifest.schedules[0].schedule.timezone(), "UTC");
    assert!(manifest.verbs.contains(&Verb::Ack));
    assert_eq!(manifest.relays, ["main"]);
    assert_eq!(manifest.limits.cpu_ms, Some(250));
}

#[test]
fn a_credential_goes_to_one_place_of_the_request() {
    use InjectPlace::{Basic, Form, Path, Query};
    let cases = [
        ("query = \"key\"", Query("key".into())),
        ("form = \"token\"", Form("token".into())),
        ("path = \":token\"", Path(":token".into())),
        (
            "basic = \"signing-secret\"",
            Basic(BasicUser::Secret("signing-secret".into())),
        ),
        (
            "basic = \"config:base-url\"",
            Basic(BasicUser::Setting("base-url".into())),
        ),
    ];
    for (text, want) in cases {
        let header = "header = \"Authorization\", format = \"Bearer {}\"";
        let manifest = Manifest::parse(&SLACK.replace(header, text)).unwrap();
        let inject = manifest.http[0].inject.as_ref().unwrap();
        assert_eq!(inject.place, want, "{text}");
    }
}

#[test]
fn an_address_has_a_pattern_that_is_valid_and_a_kind_that_the_plugin_serves() {
    let with = |contact: &str, pattern: &str| {
        let address = format!(
            "\n[[address]]\ncontact = {contact:?}\npattern = {pattern:?}\nhelp = \"a member\"\n"
        );
        Manifest::parse(&(SLACK.to_owned() + &address))
    };
    let manifest = with("slack", "U[A-Z0-9]+").unwrap();
    let fixed = PatternAsk::Fixed("U[A-Z0-9]+".to_owned());
    assert_eq!(manifest.addresses[0].pattern, fixed);
    for (contact, pattern, why) in [
        ("chat", "U", "not one of `contacts`"),
        ("slack", "U(", "not a regular expression"),
        ("slack", "config:url", "not a [[config]]"),
    ] {
        let faults = with(contact, pattern).unwrap_err().to_string();
        assert!(faults.contains(why), "{faults}");
    }
}

/// A replacement in the manifest above (from, to), the line of the fault, a part of its message.
const FAULTS: &str = r#"
schema  = 1 | schema  = 2 | 2 | schema 1 only
id      = "slack" | id = "Slack!" | 3 | a-z, 0-9 and hyphens
version = "0.1.0" | version = "one" | 4 | 1.2.3
"page", | "pages", | 6 | `pages` is not an event
help = "Bot User OAuth Token (xoxb-…)" | needs = { http = ["bots"] } | 17 | `bots`, which this
help = "Where the Slack Web API is" | needs = { http = ["config:url"] } | 13 | `config:url`, which
kind = "string" | kind = "text" | 11 | unknown variant
kind = "string" | kind = "integer" | 12 | not of type integer
"config:base-url" | "config:url" | 24 | not a [[config]]
"config:base-url" | "https://slack.com/api" | 24 | scheme, host and port only
"config:base-url" | "ftp://slack.com" | 24 | is not an origin
"/api/chat.*" | "api/chat.*" | 25 | must begin with `/`
"GET" | "get" | 26 | in upper case
secret = "bot-token" | secret = "token" | 27 | not a [[secret]]
Bearer {} | Bearer | 27 | `{}` once
"Authorization" | "Host" | 27 | not a header that can be injected
header = "Authorization", format = "Bearer {}" | format = "{}" | 27 | one of header, query
header = "Authorization", | query = "token", | 27 | goes with `header` only
header = "Authorization" | header = "Authorization", form = "token" | 27 | one of header, query
header = "Authorization", format = "Bearer {}" | query = "a b" | 27 | letters, digits
header = "Authorization", format = "Bearer {}" | form = "" | 27 | letters, digits
header = "Authorization", format = "Bearer {}" | path = "token" | 27 | ":token"
header = "Authorization", format = "Bearer {}" | basic = "user" | 27 | not a [[secret]]
header = "Authorization", format = "Bearer {}" | basic = "config:user" | 27 | not a [[config]]
budget-ms = 2500 | budget-ms = 60000 | 32 | at most
"slack-v0" | "slack-v1" | 34 | is not a scheme
"slack-v0" | "hmac-sha256" | 34 | needs `header`
"slack-v0" | "hmac-sha256-url" | 34 | needs `header`
"slack-v0" | "token" | 34 | needs `header`
"slack-v0" | "bearer", header = "x" | 34 | has no `header`
"slack-v0" | "twilio", header = "x" | 34 | has no `header`
"slack-v0" | "slack-v0", id-header = "x" | 34 | does not go with
"signing-secret", tol | "other", tol | 34 | not a [[secret]]
*/15 * * * * | */15 * * * | 38 | 4 fields
"log"] | "logs"] | 41 | unknown variant
cpu-ms = 250 | cpu = 250 | 48 | unknown field
"#;

#[test]
fn each_fault_has_its_line_and_a_remedy() {
    for case in FAULTS.lines().filter(|line| !line.is_empty()) {
        let [from, to, line, message] = case.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{case}")
        };
        assert!(SLACK.contains(from), "{case}");
        let faults = Manifest::parse(&SLACK.replacen(from, to, 1)).unwrap_err();
        let line: usize = line.parse().unwrap();
        let hit = faults
            .0
            .iter()
            .any(|fault| fault.line == line && fault.message.contains(message));
        assert!(hit, "{case}: {faults}");
    }
}

#[test]
fn all_faults_are_reported_at_once_in_the_order_of_their_lines() {
    let text = SLACK
        .replace("\"GET\"", "\"get\"")
        .replace("\"page\",", "\"pages\",");
    let faults = Manifest::parse(&text).unwrap_err();
    let lines: Vec<_> = faults.0.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [6, 26]);
    assert!(
        faults.to_string().starts_with("plugin.toml:6: "),
        "{faults}"
    );
}

#[test]
fn names_must_differ() {
    let text = SLACK.replace("name = \"signing-secret\"", "name = \"bot-token\"");
    let faults = Manifest::parse(&text).unwrap_err().to_string();
    assert!(
        faults.contains("[[secret]] has `bot-token` twice"),
        "{faults}"
    );
}
