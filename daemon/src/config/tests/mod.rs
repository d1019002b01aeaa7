mod refused;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use secrecy::ExposeSecret;
use tocsin_core::Timestamp;

use super::*;

const GOOD: &str = r#"
[escalation]
fallback = ["person:ada"]

[mail]
host = "relay.example.com"
from = "tocsin@example.com"
username = "tocsin"
password = { env = "MAIL_PASSWORD" }

[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U1" }, { kind = "email", address = "ada@example.com" }]
teams = ["payments"]
clearance = true
timezone = "Europe/Berlin"

[teams.payments]
name = "Payments"
rotation = "primary"

[rotations.primary]
timezone = "Europe/Berlin"
overrides = [{ person = "ada", from = 2026-12-24T18:00:00, until = "2026-12-25T18:00:00Z" }]

[[rotations.primary.layers]]
people = ["ada"]
handover = "monday 09:00"
start = 2026-01-05
restrict = { days = ["mon", "friday"], hours = "09:00-17:00" }

[integrations.uptime]
kind = "generic"
mapping = { fingerprint = "/id", title = "/text", labels = { service = "/service" } }

[integrations.am]
kind = "alertmanager"

[plugins.slack]
path = "plugins/slack"
secrets = { bot-token = { file = "slack-token" } }
grant = { http = ["*"] }
"#;

fn read(text: &str) -> Result<Loaded, Faults> {
    parse(text, "tocsin.toml", Path::new("/etc/tocsin"))
}

/// The faults of `GOOD` with one line replaced.
fn faults_with(line: &str, instead: &str) -> String {
    assert!(GOOD.contains(line), "{line}");
    read(&GOOD.replacen(line, instead, 1)).map_or_else(|faults| faults.to_string(), |_| "".into())
}

#[test]
fn a_good_configuration_is_read_with_its_defaults() {
    let loaded = read(GOOD).unwrap();
    let config = &loaded.config;
    assert_eq!(loaded.warnings, Faults::default());
    assert_eq!(config.server, ServerConfig::default());
    assert_eq!(config.server.base_url(), "http://127.0.0.1:9377");
    assert_eq!(config.escalation.contact_wait.as_ms(), 30_000);
    assert_eq!(config.mail.as_ref().unwrap().port(), 587);
    assert_eq!(config.people["ada"].timezone.to_string(), "Europe/Berlin");
    let zone = config.roster().zone(&"ada".into());
    assert_eq!(zone, chrono_tz::Tz::Europe__Berlin);
    let mapping = config.integrations["uptime"].mapping.as_ref().unwrap();
    assert!(mapping.status_firing.contains(&"firing".to_owned()));
    assert!(matches!(mapping.labels, LabelsFrom::Table(_)));
}

#[test]
fn dates_and_moments_are_read_with_and_without_quotes() {
    let config = read(GOOD).unwrap().config;
    let rotation = &config.rotations["primary"];
    assert_eq!(
        rotation.layers[0].start.0,
        NaiveDate::from_ymd_opt(2026, 1, 5).unwrap()
    );
    let over = &rotation.overrides[0];
    // 18:00 in Berlin in winter is 17:00 UTC.
    let from = rotation.instant(over.from);
    assert_eq!(rotation.instant(over.until), from.plus_ms(25 * 3_600_000));
    let roster = config.roster();
    assert_eq!(
        roster
            .resolve(&"oncall:payments".parse().unwrap(), from)
            .len(),
        1
    );
    assert!(
        roster
            .resolve(&"oncall:primary".parse().unwrap(), Timestamp(0))
            .is_empty()
    );
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let config = read(GOOD).unwrap().config;
    assert_eq!(config.store.path, Path::new("/etc/tocsin/data"));
    assert_eq!(config.policy.path, Path::new("/etc/tocsin/policies"));
    let slack = &config.plugins["slack"];
    assert_eq!(slack["path"].as_str(), Some("/etc/tocsin/plugins/slack"));
    let place = slack["secrets"]["bot-token"]["file"].as_str();
    assert_eq!(place, Some("/etc/tocsin/slack-token"));
}

#[test]
fn every_fault_is_reported_with_its_line_and_column() {
    let text = r#"[server]
listen = "nowhere"
color = "red"
grace-s = "long"

[people.ada]
name = 7
contacts = [{ kind = "slack", address = "U1", adress = "U2" }]

[rotations.primary]
timezone = "Mars/Olympus"
layers = [{ people = ["ada", "eve"], handover = "noon", every = "1 month", start = "soon" }]

[holidays]
"#;
    let faults = read(text).unwrap_err().to_string();
    for expected in [
        "tocsin.toml:2:10: ",
        "tocsin.toml:3:1: unknown key `color`; remove it, or use one of `listen`",
        "tocsin.toml:4:11: invalid type: string \"long\"",
        "tocsin.toml:7:8: invalid type: integer `7`",
        "tocsin.toml:8:47: unknown key `adress`; remove it, or use one of `kind`",
        "tocsin.toml:11:12: `Mars/Olympus` is not a known time zone; write an IANA name",
        "tocsin.toml:12:49: `noon` is not a handover; write \"monday 09:00\"",
        "tocsin.toml:12:65: `1 month` is not the length of a turn; write \"1 week\"",
        "tocsin.toml:12:84: `soon` is not a date; write it as \"2026-01-05\"",
        "tocsin.toml:14:2: unknown section `holidays`",
    ] {
        assert!(
            faults.contains(expected),
            "{expected} is missing in\n{faults}"
        );
    }
    assert!(
        !faults.contains("missing key"),
        "a removed key is not reported as missing:\n{faults}"
    );
}

#[test]
fn a_missing_key_is_reported_with_its_name() {
    let faults = faults_with("host = \"relay.example.com\"\n", "");
    assert_eq!(
        faults,
        "tocsin.toml:5:1: missing key `host`; add `host = …`"
    );
}

#[test]
fn broken_toml_is_reported_at_its_place() {
    let faults = read("[server\nlisten = 1").unwrap_err().to_string();
    assert!(
        faults.starts_with("tocsin.toml:1:8: not valid TOML: "),
        "{faults}"
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    let canary = "xoxb-canary-1234";
    for instead in [
        format!("password = \"{canary}\""),
        format!("password = {{ env = \"{canary}\" }}"),
        format!("password = {{ value = \"{canary}\" }}"),
        format!("password = {{ env = \"A\", file = \"{canary}\" }}"),
    ] {
        let faults = faults_with("password = { env = \"MAIL_PASSWORD\" }", &instead);
        assert!(faults.contains("tocsin.toml:9:12: "), "{faults}");
        assert!(!faults.contains("canary"), "{faults}");
    }
    let instead = format!("bot-token = \"{canary}\"");
    let faults = faults_with("bot-token = { file = \"slack-token\" }", &instead);
    assert!(
        faults.contains("a secret must not be in this file; write { env"),
        "{faults}"
    );
    assert!(!faults.contains("canary"), "{faults}");
}

#[test]
fn a_contact_that_nothing_serves_is_reported_when_the_plugins_are_known() {
    let loaded = read(GOOD).unwrap();
    let faults = loaded.check_contacts(&BTreeSet::new(), &[]).to_string();
    assert!(faults.starts_with("tocsin.toml:13:13: nothing serves contacts of kind `slack`"));
    let served = BTreeSet::from(["slack".to_owned()]);
    assert_eq!(loaded.check_contacts(&served, &[]), Faults::default());
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Plugin {
    path: std::path::PathBuf,
    secrets: BTreeMap<String, SecretRef>,
    grant: toml::Table,
}

#[test]
fn sections_of_plugins_are_read_as_the_hosts_type() {
    let plugins = read(GOOD).unwrap().plugins::<Plugin>().unwrap();
    let slack = &plugins["slack"];
    assert_eq!(slack.path, Path::new("/etc/tocsin/plugins/slack"));
    let token = SecretRef::File("/etc/tocsin/slack-token".into());
    assert_eq!(slack.secrets["bot-token"], token);
    assert!(slack.grant.contains_key("http"));
}

#[test]
fn faults_of_the_hosts_type_in_a_plugins_section_have_their_line() {
    let text = GOOD.replace(
        "path = \"plugins/slack\"",
        "path = \"plugins/slack\"\ncolor = 1",
    );
    let faults = read(&text)
        .unwrap()
        .plugins::<Plugin>()
        .unwrap_err()
        .to_string();
    assert!(
        faults.starts_with("tocsin.toml:41:1: unknown key `color`"),
        "{faults}"
    );
}

#[test]
fn a_person_without_a_mail_address_causes_a_warning() {
    let text = GOOD.replace(", { kind = \"email\", address = \"ada@example.com\" }", "");
    let warnings = read(&text).unwrap().warnings.to_string();
    assert!(
        warnings.contains("warning: `ada` has no mail address"),
        "{warnings}"
    );
}

#[test]
fn a_contact_that_several_ladders_name_and_nobody_has_is_warned_about_once() {
    let ladder = "[[\"ntfy\"], \"2m\", [\"phone\"]]";
    let notify = format!("notify = {{ default = {ladder}, critical = {ladder} }}");
    let text = GOOD.replace("name = \"Ada\"", &format!("name = \"Ada\"\n{notify}"));
    let warnings = read(&text).unwrap().warnings.to_string();
    for kind in ["ntfy", "phone"] {
        let says = format!("the ladder of `ada` names `{kind}`");
        assert_eq!(warnings.matches(&says).count(), 1, "{warnings}");
    }
}

#[test]
fn the_starter_is_valid_without_warnings() {
    let loaded = read(STARTER).unwrap();
    assert_eq!(loaded.warnings, Faults::default(), "{}", loaded.warnings);
    assert_eq!(
        loaded.check_contacts(&BTreeSet::new(), &[]),
        Faults::default()
    );
    let roster = loaded.config.roster();
    let at = Timestamp(1_780_000_000_000);
    assert_eq!(
        roster
            .resolve(&"oncall:platform".parse().unwrap(), at)
            .len(),
        1
    );
}

#[test]
fn the_commented_parts_of_the_starter_are_valid_too() {
    // A comment that is TOML begins with `# name =`, `# [section]`; prose does not parse as either.
    let is_toml = |line: &str| {
        line.starts_with('[')
            || line
                .split_once(" = ")
                .is_some_and(|(key, _)| !key.trim().is_empty() && !key.trim().contains(' '))
    };
    let mut seen = 0;
    let text: Vec<String> = STARTER
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(toml) if is_toml(toml) && !toml.starts_with("listen") => {
                seen += 1;
                toml.to_owned()
            }
            _ => line.to_owned(),
        })
        .collect();
    assert!(seen >= 8, "{seen}");
    let loaded = read(&text.join("\n"));
    // Unencrypted authentication is allowed with a relay on this machine.
    assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
}

#[test]
fn spans_are_read_as_written_and_refused_with_an_example() {
    for (text, ms) in [
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("250ms", 250),
    ] {
        let span: Span = text.parse().unwrap();
        assert_eq!(span.as_ms(), ms, "{text}");
        assert_eq!(span.to_string().parse::<Span>(), Ok(span));
    }
    for text in [
        "",
        "5",
        "m",
        "-5m",
        "5 m",
        "1.5h",
        "367d",
        "99999999999999999999d",
    ] {
        let error = text.parse::<Span>().unwrap_err().to_string();
        assert!(error.contains("\"90s\""), "{error}");
    }
}

#[test]
fn a_secret_is_read_without_its_trailing_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "hunter2\n").unwrap();
    let secret = SecretRef::File(path.clone()).read().unwrap();
    assert_eq!(secret.expose_secret(), "hunter2");
    assert!(!format!("{secret:?}").contains("hunter2"));
    std::fs::write(&path, "\n").unwrap();
    assert!(matches!(
        SecretRef::File(path).read(),
        Err(SecretError::Unusable(_))
    ));
    let unset = SecretRef::Env("TOCSIN_TEST_NOT_SET".into())
        .read()
        .unwrap_err()
        .to_string();
    assert!(
        unset.contains("TOCSIN_TEST_NOT_SET is not set; set it"),
        "{unset}"
    );
    let missing = SecretRef::File("/nowhere/secret".into()).read();
    assert!(matches!(missing, Err(SecretError::File { .. })));
}

#[test]
fn a_missing_file_is_reported_with_the_remedy() {
    let error = load(Path::new("/nowhere/tocsin.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("/nowhere/tocsin.toml") && error.contains("tocsin init"),
        "{error}"
    );
}

#[test]
fn no_corruption_of_the_file_causes_a_panic() {
    for position in (0..GOOD.len()).filter(|at| GOOD.is_char_boundary(*at)) {
        let (before, after) = GOOD.split_at(position);
        let _ = read(before);
        for put in ["\u{e9}", "\"", "[", "0"] {
            if position % 3 == 0 {
                let _ = read(&format!("{before}{put}{after}"));
            }
        }
    }
    let nested = "[".repeat(10_000);
    assert!(read(&format!("x = {nested}")).is_err());
}

#[test]
fn an_integration_expects_one_alert_or_several() {
    let watchdog = "{ labels = { alertname = \"Watchdog\" }, every = \"5m\" }";
    let several = format!("[{watchdog}, {{ labels = {{ source = \"b\" }}, every = \"1h\" }}]");
    for (expect, count) in [(watchdog.to_owned(), 1), (several, 2)] {
        let am = "kind = \"alertmanager\"";
        let text = GOOD.replace(am, &format!("{am}\nexpect = {expect}"));
        let loaded = read(&text).unwrap();
        let expected = &loaded.config.integrations["am"].expect.0;
        assert_eq!(expected.len(), count);
        assert_eq!(expected[0].labels["alertname"], "Watchdog");
        assert_eq!(expected[0].every, Span::from_s(300));
    }
}
