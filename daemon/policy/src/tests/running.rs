//! Running the tests of policies.

use super::{GRADE, folder, shipped_dir};
use crate::testing::{TestReport, require_tests, run_tests};
use crate::{CacheStats, PolicySet};

fn ran(files: &[(&str, &str)]) -> (TestReport, String) {
    let dir = folder(files);
    let report = run_tests(dir.path(), None);
    let text = report.to_string();
    (
        report,
        text.replace(&format!("{}/", dir.path().display()), ""),
    )
}

const TWO: &str = "[[test]]\nname = \"one\"\nexpect = { grade = \"minor\" }\n\
                   [[test]]\nname = \"two\"\nexpect = { grade = \"minor\" }\n";

#[test]
fn a_file_with_a_fault_stops_only_the_tests_that_need_it() {
    let route = "[[test]]\nname = \"routed\"\nexpect = { key = \"k\" }\n";
    let (report, text) = ran(&[
        (
            "grading.rhai",
            "fn grade(incident, alert) {\n  alert.tittle\n}\n",
        ),
        ("grading.test.toml", TWO),
        ("routing.test.toml", route),
        ("escalation.test.toml", "[[test]]\nnam = 1\n"),
        ("teams/payments/grading.rhai", GRADE),
        ("teams/payments/grading.test.toml", TWO),
    ]);
    assert_eq!(
        (report.passed, report.not_run, report.faults.len()),
        (3, 2, 2),
        "{text}"
    );
    assert!(!report.ok());
    assert!(
        text.contains("grading.rhai:2:9: Unknown property 'tittle'"),
        "{text}"
    );
    assert!(
        text.contains("escalation.test.toml:2:1: unknown field `nam`"),
        "{text}"
    );
    assert!(
        text.ends_with("3 passed, 0 failed, 2 did not run because their policy has a fault"),
        "{text}"
    );
}

#[test]
fn a_team_whose_policy_has_a_fault_is_not_answered_by_the_common_one() {
    let (report, text) = ran(&[
        ("teams/payments/grading.rhai", "fn grade( {"),
        ("teams/payments/grading.test.toml", TWO),
        ("grading.test.toml", TWO),
    ]);
    assert_eq!((report.passed, report.not_run), (2, 2), "{text}");
}

#[test]
fn a_fault_in_one_test_does_not_stop_the_others_of_its_file() {
    let tests = format!(
        "{TWO}[[test]]\nname = \"three\"\nalert = {{ tilte = \"x\" }}\n\
         expect = {{ grade = \"minor\", raeson = \"x\" }}\n[[test]]\nname = \"four\"\n\
         incident = {{ grade = \"bad\" }}\nexpect = {{ grade = \"minor\" }}\n"
    );
    let (report, text) = ran(&[("grading.test.toml", &tests)]);
    assert_eq!((report.passed, report.faults.len()), (2, 3), "{text}");
    for part in [
        "grading.test.toml:9:11: unknown field `tilte`",
        "did you mean `title`?",
        "grading.test.toml:10:29: unknown field `raeson`",
        "did you mean `reason`?",
        "grading.test.toml:13:22: unknown variant `bad`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_wrong_key_is_found_at_every_depth_with_the_nearest_one() {
    for (file, test, key, near) in [
        (
            "grading",
            "alert = { lables = {} }\nexpect = {}",
            "lables",
            "labels",
        ),
        (
            "grading",
            "incident = { alerts = { frining = 3 } }\nexpect = {}",
            "frining",
            "firing",
        ),
        (
            "grading",
            "context = { now = { huor = 3 } }\nexpect = {}",
            "huor",
            "hour",
        ),
        (
            "grading",
            "context = { changes = [{ titel = \"x\" }] }\nexpect = {}",
            "titel",
            "title",
        ),
        ("grading", "expect = { grad = \"minor\" }", "grad", "grade"),
        (
            "routing",
            "expect = { sevice = \"s\" }",
            "sevice",
            "service",
        ),
        (
            "escalation",
            "expect.steps = [{ wiat = \"5m\" }]",
            "wiat",
            "wait",
        ),
        ("escalation", "expect.step = []", "step", "steps"),
        ("routing", "expect = {}\nalret = {}", "alret", "alert"),
    ] {
        let text = format!("[[test]]\nname = \"x\"\n{test}\n");
        let line = text.lines().position(|line| line.contains(key)).unwrap() + 1;
        let (report, said) = ran(&[(&format!("{file}.test.toml"), &text)]);
        let at = format!("{file}.test.toml:{line}:");
        assert!(said.starts_with(&at), "{said}");
        assert!(said.contains(&format!("unknown field `{key}`")), "{said}");
        assert!(said.contains(&format!("did you mean `{near}`?")), "{said}");
        assert_eq!(report.faults.len(), 1, "{said}");
    }
}

#[test]
fn a_fault_that_many_tests_hit_is_shown_once() {
    let fails = "fn grade(incident, alert) {\n  let list = [];\n  list[1]\n}\n";
    let (report, text) = ran(&[("grading.rhai", fails), ("grading.test.toml", TWO)]);
    assert_eq!(report.failures.len(), 2);
    assert_eq!(text.matches("remedy: ").count(), 1, "{text}");
    assert!(
        text.contains("grading.test.toml:5: two\n    the same fault: grading.rhai:3:8"),
        "{text}"
    );
}

#[test]
fn tests_are_chosen_by_a_part_of_their_name() {
    let dir = folder(&[("grading.test.toml", TWO)]);
    for (only, passed) in [("one", 1), ("TWO", 1), ("o", 2), ("three", 0)] {
        let report = run_tests(dir.path(), Some(only));
        assert_eq!(report.passed, passed, "{only}");
        assert!(report.coverage.is_empty());
    }
}

#[test]
fn a_common_test_that_a_teams_policy_answers_says_so() {
    let test = "[[test]]\nname = \"one\"\nincident = { team = \"payments\" }\n\
                expect = { grade = \"critical\" }\n";
    let (report, text) = ran(&[
        ("grading.test.toml", test),
        ("teams/payments/grading.rhai", GRADE),
    ]);
    assert!(
        text.contains("teams/payments/grading.rhai answered, as the incident is that team's"),
        "{text}"
    );
    assert!(report.failures[0].is_of_team);
    let (report, _) = ran(&[
        ("grading.test.toml", &test.replace("critical", "minor")),
        ("teams/payments/grading.rhai", GRADE),
    ]);
    assert_eq!(report.passes[0].answered_by, "teams/payments/grading.rhai");
}

#[test]
fn a_test_may_give_ages_and_the_weekend() {
    let grade = "fn grade(incident, alert, ctx) {\n  #{ grade: \"minor\", reason: \
         `${ctx.age(alert)} ${ctx.age(incident)} ${ctx.now.weekday} ${ctx.now.weekend} \
         ${ctx.changes(hours(1))[0].age}` }\n}\n";
    let given = |input: &str, reason: &str| {
        format!("[[test]]\nname = \"x\"\n{input}\nexpect = {{ reason = \"{reason}\" }}\n")
    };
    let change = "changes = [{ age = \"5m\" }]";
    for (alert, incident, now, reason) in [
        (
            "age = \"10m\"",
            "age = \"1h30m\"",
            "utc_ms = 1790000000000",
            "10m 1h30m monday false 5m",
        ),
        ("", "", "weekend = true", "0s 0s saturday true 5m"),
        (
            "age = \"1d\"",
            "",
            "weekday = \"sunday\", weekend = true",
            "24h 0s sunday true 5m",
        ),
        (
            "starts_at_ms = 60000",
            "opened_at_ms = 0",
            "utc_ms = 120000, weekend = false",
            "1m 2m monday false 5m",
        ),
    ] {
        let input = format!(
            "alert = {{ {alert} }}\nincident = {{ {incident} }}\n\
             context = {{ now = {{ {now} }}, {change} }}"
        );
        let (report, text) = ran(&[
            ("grading.rhai", grade),
            ("grading.test.toml", &given(&input, reason)),
        ]);
        assert!(report.ok(), "{text}");
    }
    for (input, says) in [
        ("alert = { age = \"soon\" }", "3:17: `soon` is not an age"),
        (
            "alert = { age = \"1m\", starts_at_ms = 1 }",
            "3:17: `age` and `starts_at_ms` say the same",
        ),
        (
            "incident = { age = \"1m\", opened_at_ms = 1 }",
            "`age` and `opened_at_ms` say the same",
        ),
        (
            "context = { now = { weekday = \"monday\", weekend = true } }",
            "3:51: `weekend` contradicts",
        ),
    ] {
        let (_, text) = ran(&[("grading.test.toml", &given(input, "*"))]);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_set_can_be_required_to_pass_its_tests() {
    let required = |files: &[(&str, &str)]| {
        let dir = folder(files);
        let set = PolicySet::load(dir.path()).unwrap();
        let result = require_tests(&set, dir.path());
        assert_eq!(set.cache_stats(), CacheStats::default());
        result
            .err()
            .map_or_else(String::new, |reports| reports.to_string())
    };
    assert_eq!(required(&[]), "");
    assert_eq!(required(&[("grading.test.toml", TWO)]), "");
    let other = TWO.replacen("minor", "major", 1);
    let said = required(&[("grading.test.toml", &other)]);
    assert!(
        said.contains(
            "grading.test.toml:2: the test `one` fails: grade should be \"major\", and is \"minor\""
        ),
        "{said}"
    );
    assert!(said.contains("`tocsin policy test` shows"), "{said}");
    let said = required(&[("grading.test.toml", "[[test]]\nnam = 1\n")]);
    assert!(said.contains("unknown field `nam`"), "{said}");
    let fails = "fn grade(incident, alert) { [][1] }";
    let said = required(&[("grading.rhai", fails), ("grading.test.toml", TWO)]);
    assert!(said.contains("the test `two` fails: "), "{said}");
    assert!(
        said.contains("grading.rhai:1:32: Array index 1 out of bounds"),
        "{said}"
    );
}

#[test]
fn coverage_names_the_lines_that_no_test_ran() {
    let grade = "fn unused() {\n  1\n}\n\
        fn from(severity) {\n  switch severity {\n    \"page\" => \"critical\",\n\
            \"info\" => {\n      \
        let x = 1;\n      \"minor\"\n    },\n    _ => \"minor\",\n  }\n}\n\
        fn grade(incident, alert) {\n  \
        let grade = if incident.security { \"critical\" } else { from(alert.labels.severity) };\n  \
        for i in 0..3 {\n    if i == 9 {\n      grade = \"major\";\n    }\n  }\n  \
        #{ grade: grade, reason: \"r\" }\n}\n";
    let test = "[[test]]\nname = \"x\"\nalert = { labels = { severity = \"page\" } }\n\
                expect = { grade = \"critical\" }\n";
    let (report, text) = ran(&[("grading.rhai", grade), ("grading.test.toml", test)]);
    assert!(report.ok(), "{text}");
    let grading = report
        .coverage
        .iter()
        .find(|it| it.file.ends_with("grading.rhai"))
        .unwrap();
    assert_eq!(grading.never, [(2, 2), (8, 11), (18, 18)]);
    assert_eq!(grading.partly, [15]);
    assert_eq!((grading.ran, grading.lines), (5, 11));
    let said = grading.to_string();
    assert!(
        said.ends_with("grading.rhai: 5 of 11 lines ran; never: 2, 8-11, 18; in part: 15"),
        "{said}"
    );
    assert_eq!(report.coverage.len(), 3, "a file without tests never ran");
    assert_eq!(report.coverage.iter().filter(|it| it.ran == 0).count(), 2);
}

#[test]
fn the_tests_of_the_shipped_policies_run_every_line() {
    for file in run_tests(shipped_dir(), None).coverage {
        assert_eq!(file.ran, file.lines, "{file}");
    }
}

#[test]
fn a_test_file_in_lib_is_reported_by_check_and_test() {
    let files = [
        ("lib/severity.rhai", "fn is_bad(x) { x == \"page\" }\n"),
        ("lib/severity.test.toml", TWO),
    ];
    let (report, text) = ran(&files);
    let message = "lib/severity.test.toml: files in lib/ have no tests of their own";
    assert!(!report.ok() && text.contains(message), "{text}");
    let checked = crate::check(folder(&files).path(), None).unwrap_err();
    assert!(checked.to_string().contains(message), "{checked}");
}

#[test]
fn a_field_of_an_ignored_alert_is_missing_as_the_alert_is_ignored() {
    let route = "fn route(alert) { #{ ignore: true, reason: \"r\" } }";
    let test = "[[test]]\nname = \"x\"\nexpect = { key = \"k\" }\n";
    let (_, text) = ran(&[("routing.rhai", route), ("routing.test.toml", test)]);
    let line = "+ key = not in the result: the alert is ignored";
    assert!(text.contains(line), "{text}");
}
