use super::*;

const MANIFEST: &str = r#"
schema = 1
id = "p"
version = "0.1.0"
name = "P"
events = ["page", "job"]
[[http]]
name = "api"
origin = "https://api.example"
paths = ["*"]
methods = ["GET"]
[[webhook]]
route = "in"
methods = ["POST"]
verify = { scheme = "none" }
[[schedule]]
name = "hourly"
cron = "0 * * * *"
[commands]
verbs = ["get", "run"]
[mail]
relays = ["main"]
"#;

pub(crate) fn rights(grant: &str, global: GlobalPolicy) -> Rights {
    let grant: PluginGrant = toml::from_str(&format!("path = \"x\"\n{grant}")).unwrap();
    let manifest = Arc::new(Manifest::parse(MANIFEST).unwrap());
    Rights::new("p", manifest, &grant, global)
}

#[test]
fn nothing_is_granted_by_default() {
    let rights = rights("", GlobalPolicy::default());
    assert!(rights.report().iter().all(|right| right.denied.is_some()));
    assert_eq!(rights.report().len(), 8);
}

#[test]
fn a_star_grants_what_the_manifest_asks_for_and_no_more() {
    let grant = r#"grant = { http = ["*"], webhook = ["*"], schedule = ["*"], commands = ["*"],
        events = ["*"], mail = ["*"] }"#
        .replace('\n', " ");
    let rights = rights(&grant, GlobalPolicy::default());
    assert!(rights.report().iter().all(|right| right.denied.is_none()));
    assert_eq!(
        rights.event(EventKind::Settled).unwrap_err().layer,
        DeniedBy::Manifest
    );
    assert_eq!(
        rights.verb(Verb::Open).unwrap_err().layer,
        DeniedBy::Manifest
    );
    assert_eq!(rights.webhook("out").unwrap_err().layer, DeniedBy::Manifest);
}

#[test]
fn a_denial_contains_the_line_that_would_grant_it() {
    let rights = rights("grant = { http = [\"api\"] }", GlobalPolicy::default());
    let denied = rights.event(EventKind::Page).unwrap_err();
    assert_eq!(denied.layer, DeniedBy::Grant);
    assert_eq!(
        denied.to_string(),
        "plugin `p` may not receive `page` events: not granted; under [plugins.p] in tocsin.toml \
         write: grant = { http = [\"api\"], events = [\"page\"] }"
    );
}

#[test]
fn the_line_in_a_denial_does_grant_it() {
    let first = rights("grant = { http = [\"api\"] }", GlobalPolicy::default());
    type Ask = fn(&Rights) -> Result<(), Denied>;
    let cases: [(&str, Ask); 5] = [
        ("event", |rights| rights.event(EventKind::Page)),
        ("verb", |rights| rights.verb(Verb::Get)),
        ("webhook", |rights| rights.webhook("in").map(drop)),
        ("schedule", |rights| rights.schedule("hourly").map(drop)),
        ("relay", |rights| rights.relay("main")),
    ];
    for (what, ask) in cases {
        let denied = ask(&first).unwrap_err();
        let line = denied.remedy.split("write: ").nth(1).unwrap();
        assert_eq!(
            ask(&rights(line, GlobalPolicy::default())),
            Ok(()),
            "{what}: {line}"
        );
    }
}

#[test]
fn the_global_policy_overrides_a_grant() {
    let global: GlobalPolicy = toml::from_str("deny-commands = [\"run\"]").unwrap();
    let rights = rights("grant = { commands = [\"*\"] }", global);
    assert_eq!(rights.verb(Verb::Run).unwrap_err().layer, DeniedBy::Global);
    assert_eq!(rights.verb(Verb::Get), Ok(()));
}

#[test]
fn a_grant_that_the_manifest_does_not_ask_for_is_a_warning() {
    let rights = rights(
        "grant = { http = [\"apy\", \"api\"] }",
        GlobalPolicy::default(),
    );
    let unused = rights.warnings();
    assert_eq!(unused.len(), 1, "{unused:?}");
    assert!(unused[0].contains("grant.http has \"apy\""), "{unused:?}");
}

#[test]
fn a_limit_that_is_asked_for_and_not_granted_is_a_warning_with_its_line() {
    let manifest = format!("{MANIFEST}\n[limits]\ncpu-ms = 1000\nwall-ms = 100\n");
    let manifest = Arc::new(Manifest::parse(&manifest).unwrap());
    let rights = |grant: &str| {
        let grant: PluginGrant = toml::from_str(&format!("path = \"x\"\n{grant}")).unwrap();
        Rights::new("p", Arc::clone(&manifest), &grant, GlobalPolicy::default())
    };
    let warnings = rights("").warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let line = warnings[0].split("write: ").nth(1).unwrap();
    assert_eq!(rights(line).limits().cpu_ms, 1_000);
    assert!(rights(line).warnings().is_empty());
}

/// What the manifest of a plugin of ours says is missing.
fn missing(manifest: &str, grant: &str, settings: &str, secret: Option<&str>) -> Vec<String> {
    let manifest = Manifest::parse(manifest).unwrap();
    let defaults = manifest.config.iter();
    let defaults = defaults.filter_map(|it| Some((it.key.clone(), it.default.clone()?)));
    let mut all: Settings = defaults.collect();
    all.extend(settings.parse::<toml::Table>().unwrap());
    let grant = format!("path = \"x\"\ngrant = {{ {grant} }}");
    let grant: PluginGrant = toml::from_str(&grant).unwrap();
    let rights = Rights::new("p", Arc::new(manifest), &grant, GlobalPolicy::default());
    rights.missing(&all, |name| Some(name) == secret)
}

#[test]
fn what_is_set_names_the_rights_that_it_needs_and_has_not() {
    let ntfy = include_str!("../../../../../plugins/ntfy/plugin.toml");
    let webhook = include_str!("../../../../../plugins/webhook/plugin.toml");
    let open = "http = [\"open\"], events = [\"*\"]";
    for (manifest, grant, settings, secret, want) in [
        (ntfy, open, "", None, ""),
        (ntfy, open, "answer-topic = \"\"", None, ""),
        (
            ntfy,
            open,
            "",
            Some("token"),
            "secrets.token needs rights that are not granted: http `token`",
        ),
        (
            ntfy,
            open,
            "answer-topic = \"t\"",
            None,
            "commands `ack`, commands `answer`, commands `receipt`",
        ),
        (
            ntfy,
            "http = [\"open\"]",
            "",
            None,
            "settings.base-url needs rights that are not granted: events `page`",
        ),
        (
            webhook,
            open,
            "",
            None,
            "settings.credential needs rights that are not granted: http `none`",
        ),
        (webhook, open, "credential = \"path\"", None, "http `path`"),
        (
            webhook,
            "http = [\"*\"], events = [\"*\"]",
            "credential = \"path\"",
            None,
            "",
        ),
    ] {
        let missing = missing(manifest, grant, settings, secret);
        let is_as_wanted = match want {
            "" => missing.is_empty(),
            want => missing.len() == 1 && missing[0].contains(want),
        };
        assert!(is_as_wanted, "{settings} {secret:?}: {missing:?}");
    }
}
