//! A check finds mistakes without a test.

use std::collections::BTreeSet;

use super::{folder, shipped_dir};
use crate::{Names, check};

pub(super) fn names() -> Names {
    let set =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(|it| (*it).to_owned()).collect() };
    Names {
        people: set(&["ada", "bob"]),
        teams: set(&["payments", "search"]),
        rotations: set(&["default", "payments"]),
    }
}

pub(super) fn faults(files: &[(&str, &str)]) -> String {
    let dir = folder(files);
    let found = check(dir.path(), Some(&names())).err();
    let found = found.map_or_else(String::new, |it| it.to_string());
    found.replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn faults_behind_conditions_are_reached() {
    for (condition, when) in [
        (
            "alert.labels.a == \"x\" && alert.labels.b != \"\" && incident.alerts.firing >= 20 \
             && ctx.now.hour > 21",
            "alert.labels[\"a\"] is \"x\"",
        ),
        (
            "alert.title.matches(\"db-*\") && alert.summary.ends_with(\"!\")",
            "alert.title is \"db-*\"",
        ),
        (
            "ctx.age(incident) > hours(4) && !incident.acknowledged",
            "ctx.age(incident) >= 4h1ms is true",
        ),
        (
            "ctx.age(alert).minutes in 5..10",
            "ctx.age(alert) >= 5m is true",
        ),
        (
            "ctx.now.weekday == \"sunday\" && incident.status == \"mitigated\"",
            "\"mitigated\"",
        ),
        (
            "ctx.changes(minutes(30)).len() > 0 && incident.team == \"search\"",
            "\"search\"",
        ),
        (
            "ctx.on_call(\"default\").is_empty() || ctx.load(\"ada\") > 3",
            "ctx.on_call(\"default\") is []",
        ),
        (
            "\"region\" in alert.labels && alert.labels.len() == 3",
            "alert.labels.len() == 3 is true",
        ),
        (
            "alert.labels.path.split(\"/\").len() == 2",
            "alert.labels[\"path\"] is \"/\"",
        ),
        (
            "alert.labels.tier.len() == 7",
            "alert.labels[\"tier\"] is \"staging\"",
        ),
        (
            "(LEVELS.get(alert.labels.level) ?? 0) >= 3",
            "alert.labels[\"level\"] is \"bad\"",
        ),
        (
            "alert.status == \"resolved\" && incident.security",
            "alert.status is \"resolved\"",
        ),
    ] {
        let condition = condition.replace("LEVELS", "#{ good: 1, bad: 3 }");
        let grade = format!(
            "fn worse(grade) {{ if grade == \"major\" {{ \"sev1\" }} else {{ grade }} }}\n\
             fn grade(incident, alert, ctx) {{\n  let grade = \"minor\";\n  \
             let other = \"staging\";\n  \
             if {condition} {{\n    grade = \"major\";\n  }}\n  \
             #{{ grade: worse(grade), reason: \"r\" }}\n}}\n"
        );
        let found = faults(&[("grading.rhai", &grade)]);
        assert!(
            found.contains("`sev1` is not a grade"),
            "{condition}: {found}"
        );
        assert!(found.contains(when), "{when}: {found}");
        assert_eq!(found.matches("remedy: ").count(), 1, "{found}");
    }
}

#[test]
fn a_property_that_does_not_exist_is_found_in_code_that_no_question_reaches() {
    // Nobody knows such an alert.
    let hidden = "alert.title.len() * 7919 % 10007 == 5003";
    for (functions, slip, says) in [
        ("", "alert.tittle", "Unknown property 'tittle' of 'Alert'"),
        (
            "fn f(a) { a.tittle }",
            "f(alert)",
            "Unknown property 'tittle' of 'Alert'",
        ),
        (
            "fn g(x) { x.huor }\nfn f(a) { g(a.now) }",
            "f(ctx)",
            "Unknown property 'huor' of 'Now'",
        ),
        (
            "",
            "{ let it = alert; it.tittle }",
            "Unknown property 'tittle' of 'Alert'",
        ),
        (
            "",
            "{ let it = ctx.now; it.our }",
            "Unknown property 'our' of 'Now'",
        ),
        (
            "",
            "ctx.age(alert).minute",
            "Unknown property 'minute' of 'Age'",
        ),
        (
            "",
            "{ for it in ctx.changes(hours(1)) { print(it.titel); } }",
            "Unknown property 'titel' of 'Change'",
        ),
        (
            "",
            "{ let all = ctx.changes(hours(1)); all[0].titel }",
            "Unknown property 'titel' of 'Change'",
        ),
        (
            "fn f(m) { m.nmae }",
            "f(#{ name: \"x\" })",
            "nothing has a property `nmae`",
        ),
    ] {
        let text = format!(
            "{functions}\nfn route(alert, ctx) {{\n  if {hidden} {{\n    return {slip};\n  }}\n  \
             #{{ key: \"k\", service: \"s\", reason: \"r\" }}\n}}\n"
        );
        let found = faults(&[("routing.rhai", &text)]);
        assert!(found.contains(says), "{says}: {found}");
        assert!(found.contains("did you mean"), "{found}");
        assert_eq!(found.matches("remedy: ").count(), 1, "{found}");
    }
}

#[test]
fn properties_of_labels_and_of_a_files_own_maps_are_none_that_do_not_exist() {
    let text = "const TEAMS = #{ shop: #{ lead: \"ada\" } };\n\
        fn severity(labels) { labels.severity }\n\
        fn either(one, other) { if one.a != \"\" { one.a } else { other.b } }\n\
        fn lead(team) { team.lead }\n\
        fn route(alert, ctx) {\n\
          let labels = alert.labels;\n\
          let all = [alert.labels, alert.annotations];\n\
          for some in all {\n\
            if some.rare == \"x\" { return #{ ignore: true, reason: some.rare }; }\n\
          }\n\
          let own = #{ depth: 1 };\n\
          own.extra = 2;\n\
          let who = lead(global::TEAMS.shop);\n\
          let key = `${severity(labels)}${either(alert.labels, #{ b: 1 })}`;\n\
          key += `${labels.any}${own.extra}`;\n\
          #{ key: key + who + own.depth, service: \"s\", reason: \"r\" }\n}\n";
    assert_eq!(faults(&[("routing.rhai", text)]), "");
}

#[test]
fn what_a_policy_does_on_purpose_is_no_fault() {
    let throws = "fn route(alert) { if alert.labels.a == \"x\" { throw \"not x\"; } \
                  #{ key: \"k\", service: \"s\", reason: \"r\" } }";
    assert_eq!(faults(&[("routing.rhai", throws)]), "");
    let fails = "fn route(alert) { if alert.labels.a == \"x\" { [][1]; } \
                 #{ key: \"k\", service: \"s\", reason: \"r\" } }";
    assert_ne!(faults(&[("routing.rhai", fails)]), "");
    let expected = "[[test]]\nname = \"x\"\nalert = { labels = { a = \"x\" } }\n\
                    expect = { error = \"*out of bounds*\" }\n";
    let found = faults(&[("routing.rhai", fails), ("routing.test.toml", expected)]);
    assert_eq!(found, "");
}

#[test]
fn a_fault_that_differs_only_in_a_value_of_the_question_is_reported_once() {
    let text = "fn route(alert) {\n  let known = #{ one: 1 };\n  \
                #{ key: `${known[alert.labels.a]}`, service: \"s\", reason: \"r\" }\n}\n";
    let found = faults(&[("routing.rhai", text)]);
    assert!(
        found.contains("routing.rhai:3:20: Property not found"),
        "{found}"
    );
    assert_eq!(found.matches("remedy: ").count(), 1, "{found}");
}

#[test]
fn a_common_policy_is_not_asked_about_teams_that_have_their_own() {
    let common = "fn grade(incident, alert) {\n  let list = [];\n  \
         if incident.team == \"payments\" { list[1]; }\n  \
         #{ grade: \"minor\", reason: \"r\" }\n}\n";
    let found = faults(&[("grading.rhai", common)]);
    assert!(found.contains("incident.team is \"payments\""), "{found}");
    let own = ("teams/payments/grading.rhai", super::GRADE);
    assert_eq!(faults(&[("grading.rhai", common), own]), "");
}

#[test]
fn names_that_the_configuration_does_not_have_are_found_where_they_are_written() {
    let escalate = |steps: &str| {
        format!(
            "fn escalate(incident, ctx) {{\n  #{{ steps: [#{{ page: {steps}, wait: minutes(5) }}], \
             reason: \"r\" }}\n}}\n"
        )
    };
    for (target, says, remedy) in [
        (
            "oncall(\"defualt\")",
            "no rotation `defualt`",
            "did you mean `default`?",
        ),
        (
            "person(\"eve\")",
            "no person `eve`",
            "add [people.eve], or use ada, bob",
        ),
        (
            "[person(\"ada\"), team(\"serach\")]",
            "no team `serach`",
            "did you mean `search`?",
        ),
    ] {
        let found = faults(&[("escalation.rhai", &escalate(target))]);
        let says = format!("the configuration has {says}");
        assert!(
            found.starts_with("escalation.rhai:2:") && found.contains(&says),
            "{found}"
        );
        assert!(found.contains(remedy), "{found}");
        assert_eq!(found.matches("remedy: ").count(), 1, "{found}");
    }
    for target in [
        "[oncall(\"payments\"), person(\"bob\"), team(\"payments\")]",
        "if ctx.has_rotation(\"night\") { oncall(\"night\") } else { person(\"ada\") }",
    ] {
        let found = faults(&[("escalation.rhai", &escalate(target))]);
        assert_eq!(found, "", "{target}");
    }
}

#[test]
fn a_folder_for_a_team_that_does_not_exist_is_found() {
    let found = faults(&[("teams/paymnets/grading.rhai", super::GRADE)]);
    let expected = "teams/paymnets: the configuration has no team `paymnets`, so nobody uses this \
         folder\n   remedy: did you mean `payments`? Otherwise add [teams.paymnets]";
    assert_eq!(found, expected);
}

#[test]
fn the_shipped_policies_have_no_fault() {
    check(shipped_dir(), Some(&names())).unwrap_or_else(|faults| panic!("{faults}"));
}
