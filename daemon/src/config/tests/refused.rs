//! Configurations that are refused, and their faults.

use super::*;

#[test]
fn a_configuration_that_cannot_work_is_refused_with_a_remedy() {
    let cases = [
        // line, instead, fault
        (
            "[\"person:ada\"]",
            "[]",
            ":3:1: nobody is paged when a policy fails",
        ),
        (
            "[\"person:ada\"]",
            "[\"person:eve\"]",
            ":3:13: person:eve names nobody",
        ),
        (
            "[\"person:ada\"]",
            "[\"oncall:primary\"]",
            ":3:1: fallback may reach nobody",
        ),
        (
            "[\"person:ada\"]",
            "[\"ada\"]",
            "`ada` names nobody to page; use person:NAME",
        ),
        (
            "teams = [\"payments\"]",
            "teams = [\"search\"]",
            ":14:10: there is no team `search`",
        ),
        (
            "rotation = \"primary\"",
            "rotation = \"second\"",
            "there is no rotation `second`",
        ),
        (
            "people = [\"ada\"]",
            "people = [\"eve\"]",
            "there is no person `eve`; add [people.eve], or correct the ID; there are ada",
        ),
        (
            "people = [\"ada\"]",
            "people = []",
            "a layer of `primary` has 0 people",
        ),
        (
            "monday 09:00",
            "09:00",
            "turns of 1 week need the day of the handover",
        ),
        (
            "start = 2026",
            "every = \"2 days\"\nstart = 2026",
            "cannot end on a fixed day of the week",
        ),
        (
            "[\"mon\", \"friday\"]",
            "[]",
            "a restriction without days covers nothing",
        ),
        (
            "[\"mon\", \"friday\"]",
            "[\"noday\"]",
            "`noday` is not a day of the week",
        ),
        (
            "2026-12-25T18:00:00Z",
            "2026-12-23T18:00:00Z",
            "ends before it begins",
        ),
        (
            "ada@example.com",
            "ada at example",
            "`ada at example` is not a mail address",
        ),
        (
            "kind = \"email\", address = \"ada@example.com\"",
            "kind = \"sms\", address = \"+1 555 765 4321\"",
            "`+1 555 765 4321` is not a telephone number",
        ),
        (
            "from = \"tocsin@example.com\"",
            "from = \"tocsin\"",
            "`tocsin` is not a mail address",
        ),
        (
            "username = \"tocsin\"\n",
            "",
            "there is a password without a username",
        ),
        (
            "username = ",
            "tls = \"none\"\nusername = ",
            "would be sent unencrypted",
        ),
        (
            "title = \"/text\"",
            "title = \"text\"",
            "`text` is not a JSON pointer",
        ),
        (
            "title = \"/text\"",
            "title = \"/a~2\"",
            "`/a~2` is not a JSON pointer",
        ),
        (
            "kind = \"generic\"",
            "kind = \"grafana\"",
            "its mapping is not used",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nresolve-after-silence = \"30s\"",
            "resolve-after-silence is 30s; choose \"1m\" to \"30d\"",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager-api\"\nresolve-after-silence = \"6h\"",
            "so resolve-after-silence is not used; remove it",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nexpect = { labels = {}, every = \"5m\" }",
            "an expected alert without labels is any alert",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nexpect = [{ labels = { a = \"b\" }, every = \"5s\" }]",
            "`am` is expected to send an alert every 5s; choose every = \"30s\" to \"7d\"",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nexpect = { labels = { a = \"b\" } }",
            ":38:10: missing key `every`; add `every = …`",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nexpect = { labels = { a = \"b\" }, every = \"5m\", for = 1 }",
            "unknown key `for`",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nexpect = \"Watchdog\"",
            "expected a table `{ labels = { … }, every = \"5m\" }` or a list of them",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"nagios\"",
            "unknown variant `nagios`",
        ),
        (
            "[people.ada]",
            "[people.Ada]",
            "`Ada` is not a valid name in [people]",
        ),
        (
            "[escalation]",
            "[server]\nlisten = \"0.0.0.0:1\"\n[escalation]",
            "public-url is missing",
        ),
    ];
    refused(&cases);
}

#[test]
fn what_senders_that_sign_need_is_asked_for_and_of_others_refused() {
    refused(&[
        (
            "kind = \"alertmanager\"",
            "kind = \"sentry\"",
            "has no secret, so that nobody knows what is Sentry's; add secret",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\nsecret = { env = \"S\" }",
            "is not of kind sentry and has no signature; remove it",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"cloudwatch\"",
            "lists no topics, so that nothing of it counts; add topics",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"cloudwatch\"\ntopics = [\"alarms\"]",
            "`alarms` is not the ARN of a topic",
        ),
        (
            "kind = \"alertmanager\"",
            "kind = \"alertmanager\"\ncertificate = \"a.pem\"",
            "is not of kind cloudwatch; remove it",
        ),
    ]);
}

/// Each case is a line, what is there instead, and the fault.
fn refused(cases: &[(&str, &str, &str)]) {
    for (line, instead, fault) in cases {
        let faults = faults_with(line, instead);
        assert!(
            faults.contains(fault),
            "{instead}: {fault} is missing in\n{faults}"
        );
    }
}

#[test]
fn a_level_is_from_0_to_9() {
    let level = |level: &str| {
        let more = format!("[people.bob]\nname = \"Bob\"\nlevel = {level}\n");
        read(&format!("{GOOD}\n{more}"))
    };
    level("9").unwrap();
    let faults = level("10").unwrap_err().to_string();
    assert!(faults.contains("`bob` has the level 10"), "{faults}");
    level("-1").unwrap_err();
}

#[test]
fn one_address_belongs_to_one_person() {
    let more = "[people.bob]\nname = \"Bob\"\n\
                contacts = [{ kind = \"email\", address = \"ADA@example.com\" }]\n";
    let faults = read(&format!("{GOOD}\n{more}")).unwrap_err().to_string();
    assert!(
        faults.contains("of `bob` is already a contact of `ada`"),
        "{faults}"
    );
}

#[test]
fn one_number_belongs_to_one_person_whether_it_is_called_or_texted() {
    let person = |id: &str, kinds: &[&str]| {
        let contact = |kind| format!("{{ kind = \"{kind}\", address = \"+15557654321\" }}");
        let contacts = kinds.iter().map(contact).collect::<Vec<_>>().join(", ");
        format!("[people.{id}]\nname = \"{id}\"\ncontacts = [{contacts}]\n")
    };
    let own = person("bob", &["phone", "sms"]);
    read(&format!("{GOOD}\n{own}")).unwrap();
    let other = person("cyd", &["sms"]);
    let shared = format!("{GOOD}\n{}{other}", person("bob", &["phone"]));
    let faults = read(&shared).unwrap_err().to_string();
    assert!(
        faults.contains("of `cyd` is already a contact of `bob`"),
        "{faults}"
    );
}

#[test]
fn overlapping_overrides_are_refused() {
    let one = "{ person = \"ada\", from = 2026-12-24T18:00:00, until = \"2026-12-25T18:00:00Z\" }";
    let faults = faults_with(one, &format!("{one}, {one}"));
    assert!(faults.contains("two overrides overlap"), "{faults}");
}
