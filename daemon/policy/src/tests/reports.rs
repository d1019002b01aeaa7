//! A report has the position, the line and the remedy, in a format for editors and terminals.

use super::{alert, context, folder, load, routing_fault};
use crate::testing::run_tests;

#[test]
fn a_report_shows_the_line_a_caret_under_the_fault_and_the_remedy() {
    let report = routing_fault("fn route(alert) {\n\tlet x = alert.nobody;\n}\n");
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with("routing.rhai:2:16: Unknown property 'nobody' of 'Alert'"),
        "{text}"
    );
    assert_eq!(lines[1], "    2 | \tlet x = alert.nobody;");
    assert_eq!(lines[2], "      | \t              ^", "{text}");
    assert!(
        lines[3].starts_with("   remedy: Alert has integration, fingerprint,"),
        "{text}"
    );
}

#[test]
fn a_fault_in_a_nested_call_is_reported_where_it_is_and_not_at_the_call() {
    let report = routing_fault(
        "fn deep() {\n  let m = #{};\n  m.nobody\n}\nfn mid() { deep() }\n\
         fn route(alert) { mid() }\n",
    );
    assert_eq!(report.line, Some(3), "{report}");
    assert!(report.remedy.contains("if \"x\" in map"), "{report}");
}

#[test]
fn the_remedy_for_a_misspelled_function_is_the_nearest_name() {
    for (body, near) in [
        ("minuts(5)", "did you mean `minutes`?"),
        ("alert.lable(\"x\")", "did you mean `label`?"),
        (
            "alert.label(1)",
            "`label` exists, but not for these arguments",
        ),
        ("\"abc\".start_with(\"a\")", "did you mean `starts_with`?"),
    ] {
        let report = routing_fault(&format!("fn route(alert) {{ {body} }}"));
        assert!(report.remedy.contains(near), "{body}: {report}");
    }
}

#[test]
fn a_fault_at_the_end_of_the_file_has_a_position_too() {
    let report = routing_fault("fn route(alert) {\n  if true {");
    assert_eq!(report.line, Some(2), "{report}");
}

#[test]
fn a_long_line_is_shown_around_its_fault() {
    let report = routing_fault(&format!(
        "fn route(alert) {{ {}alert.nobody }}",
        " ".repeat(5_000)
    ));
    let text = report.to_string();
    assert!(text.contains("alert.nobody"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() < 300),
        "{text}"
    );
}

#[test]
fn the_report_of_a_policy_that_throws_has_its_message() {
    let report = routing_fault("fn route(alert) { throw \"no such team\" }");
    assert_eq!(report.message, "no such team");
}

#[test]
fn a_failing_test_shows_what_was_expected_and_what_was_found() {
    let test = "\n[[test]]\nname = \"it is critical\"\nexpect = { grade = \"critical\" }\n";
    let dir = folder(&[("grading.test.toml", test)]);
    let report = run_tests(dir.path(), None);
    assert!(!report.ok());
    let text = report.to_string();
    let expected = "grading.test.toml:3: it is critical\n  - grade = \"critical\"\n  + grade = \
         \"minor\"\n    reason: because\n\n0 passed, 1 failed";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_test_that_expects_nothing_or_an_error_that_does_not_occur_fails() {
    for expect in ["{}", "{ error = \"*\" }", "{ grade = \"major\" }"] {
        let test = format!("[[test]]\nname = \"x\"\nexpect = {expect}\n");
        let dir = folder(&[("grading.test.toml", &test)]);
        assert_eq!(run_tests(dir.path(), None).failures.len(), 1, "{expect}");
    }
}

#[test]
fn a_fault_in_a_test_file_is_reported_with_its_line() {
    for (file, text, part) in [
        (
            "grading.test.toml",
            "[[test]]\nnam = \"x\"\n",
            "grading.test.toml:2:1: unknown field `nam`",
        ),
        (
            "grading.test.toml",
            "[[test]]\nname = \n",
            "grading.test.toml:2:",
        ),
        (
            "postmortem.test.toml",
            "",
            "there are no tests for a policy `postmortem.rhai`",
        ),
        (
            "routing.test.toml",
            "[[test]]\nname = \"x\"\nincident = {}\nexpect = { key = \"k\" }\n",
            "routing.test.toml:2:8: `x` has an incident, which routing.rhai does not take",
        ),
    ] {
        let dir = folder(&[(file, text)]);
        let report = run_tests(dir.path(), None);
        assert!(report.to_string().contains(part), "{report}");
        assert!(crate::check(dir.path(), None).is_err(), "{file}");
    }
}

#[test]
fn a_team_tests_its_own_policy_for_its_own_incidents() {
    let dir = folder(&[
        (
            "teams/payments/grading.rhai",
            "fn grade(incident, alert) { #{ grade: \"critical\", reason: incident.team } }",
        ),
        (
            "teams/payments/grading.test.toml",
            "[[test]]\nname = \"x\"\nexpect = { grade = \"critical\", reason = \"payments\" }\n",
        ),
    ]);
    let report = run_tests(dir.path(), None);
    assert!(report.ok() && report.passed == 1, "{report}");
}

#[test]
fn printing_is_harmless() {
    let text = "fn route(alert) { for i in 0..1000 { print(i); debug(i); } \
         #{ key: \"k\", service: \"s\", reason: \"r\" } }";
    let set = load(&[("routing.rhai", text)]).unwrap();
    set.route(&alert(&[]), &context())
        .unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn a_typo_in_a_branch_that_rarely_runs_is_found_at_load() {
    for (slip, message, remedy) in [
        (
            "minuts(5)",
            "Function not found: minuts",
            "did you mean `minutes`?",
        ),
        (
            "alert.lable(\"x\")",
            "Function not found: lable",
            "did you mean `label`?",
        ),
        (
            "alert.label()",
            "`label` does not take 0 arguments",
            "it takes 1 or 2",
        ),
        (
            "ctx.flaps(alert)",
            "`flaps` does not take 1 arguments",
            "it takes 2",
        ),
        (
            "ctx.incident(\"k\")",
            "Function not found: incident",
            "`ctx` has now; and on_call(…), has_rotation(…),",
        ),
        (
            "ctx.is_opne(\"k\")",
            "Function not found: is_opne",
            "did you mean `is_open`? `ctx` has now;",
        ),
        (
            "helper(1, 2)",
            "`helper` does not take 2 arguments",
            "it takes 1",
        ),
        (
            "alert.tittle",
            "Unknown property 'tittle' of 'Alert'",
            "Alert has integration,",
        ),
        (
            "alert.tittle.len()",
            "Unknown property 'tittle' of 'Alert'",
            "Alert has integration,",
        ),
        (
            "ctx.now.our",
            "Unknown property 'our' of 'Now'",
            "Now has utc_ms,",
        ),
        (
            "`${ctx.nov}`",
            "Unknown property 'nov' of 'Context'",
            "Context has now;",
        ),
    ] {
        let text = format!(
            "fn helper(x) {{ x }}\nfn route(alert, ctx) {{\n  \
             if alert.labels.rare == \"yes\" {{\n    \
             return {slip};\n  }}\n  #{{ key: \"k\", service: \"s\", reason: \"r\" }}\n}}\n"
        );
        let reports = load(&[("routing.rhai", &text)]).err();
        let reports = reports.unwrap_or_else(|| panic!("{slip} was not found"));
        let report = &reports.0[0];
        assert_eq!(report.message, message, "{report}");
        assert_eq!(report.line, Some(4), "{report}");
        assert!(report.remedy.contains(remedy), "{report}");
    }
}

#[test]
fn valid_code_has_no_faults_at_load() {
    let text = "const TEAMS = #{ shop: |x| x + 1 };\n\
         fn helper(alert) { alert.anything }\n\
         fn own() { this.len() }\n\
         fn route(alert, ctx) {\n\
           let f = |x| x > 1;\n\
           let m = #{ inner: #{ a: 1 }, run: |x| x };\n\
           m.inner.b = 2;\n\
           m.run(1);\n\
           let n = [1, 2].filter(f).map(|x| x * 2).len() + \"abc\".own();\n\
           let t = type_of(n) + alert.labels.anything.to_upper() + alert.labels[\"x\"].trim();\n\
           let s = if 1 in [1] && !(\"a\" in alert.labels) { -n } else { n };\n\
           let g = Fn(\"helper\");\n\
           if false { g.call(alert); call(g, alert); throw #{ code: 1 }; }\n\
           for (person, i) in ctx.on_call(\"payments\") { print(person); }\n\
           switch ctx.now.weekday { \"monday\" => (), _ => () }\n\
           let alert = #{ mine: 1 };\n\
           #{ key: `${alert.mine} ${s} ${t}`, service: \"s\", reason: \"r\" }\n\
         }\n";
    let set = load(&[("routing.rhai", text)]).unwrap_or_else(|reports| panic!("{reports}"));
    set.route(&alert(&[]), &context())
        .unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn the_remedy_for_a_property_lists_all_properties() {
    let signatures = crate::engine::new().gen_fn_signatures(true);
    for (owner, properties) in crate::bind::PROPERTIES {
        let behind = format!("(_: &mut {owner})");
        let getters = signatures
            .iter()
            .filter(|signature| signature.contains(&behind));
        let getters = getters.filter_map(|s| s.strip_prefix("get$")?.split('(').next());
        let mut found: Vec<&str> = getters.collect();
        let mut told: Vec<&str> = properties.split(';').next().unwrap().split(", ").collect();
        found.sort_unstable();
        told.sort_unstable();
        assert_eq!(found, told, "{owner}");
    }
}

#[test]
fn a_test_provides_the_context_of_its_policy() {
    let grade = "fn grade(incident, alert, ctx) { let seen = ctx.changes(\"shop\", minutes(5)); \
         let load = ctx.load(\"ada\"); \
         #{ grade: \"minor\", reason: `${seen[0].title} ${load} ${ctx.now.weekday}` } }";
    let test = "[context]\nnow = { utc_ms = 600000, weekday = \"sunday\" }\nload = { ada = 2 }\n\
         changes = [{ service = \"shop\", title = \"deploy 42\", at_ms = 500000 }]\n\
         [[test]]\nname = \"x\"\nexpect = { reason = \"deploy 42 2 sunday\" }\n";
    let dir = folder(&[("grading.rhai", grade), ("grading.test.toml", test)]);
    let report = run_tests(dir.path(), None);
    assert!(report.ok() && report.passed == 1, "{report}");
}

#[test]
fn a_report_without_values_names_the_place_and_none_of_what_an_alert_says() {
    for (body, kept) in [
        ("throw `cannot route ${alert.summary}`;", "routing.rhai:2"),
        ("if alert.summary > 5 { }", "number(text, default)"),
    ] {
        let fault = routing_fault(&format!("fn route(alert) {{\n{body}\n}}"));
        let text = fault.without_values().to_string();
        assert!(
            text.contains("routing.rhai:2") && text.contains(kept),
            "{text}"
        );
        assert!(fault.to_string().contains("requests fail"), "{fault}");
        assert!(!text.contains("requests fail"), "{text}");
    }
}

#[test]
fn a_variable_that_an_anonymous_function_captures_is_an_error_that_says_what_to_write() {
    for (code, is_captured) in [
        ("let n = \"a\"; [\"a\"].filter(|x| x != n)", true),
        ("let n = \"a\"; [\"a\"].filter(|x| { x != n })", true),
        ("[\"a\"].filter(|x| x != \"b\") == n", false),
        ("let a = true || n", false),
    ] {
        let report = routing_fault(&format!("fn route(alert) {{ {code}; }}"));
        assert!(
            report.message.contains("Undefined variable"),
            "{code}: {report}"
        );
        let says = report.remedy.contains("use a `for` loop");
        assert_eq!(says, is_captured, "{code}: {report}");
    }
}

#[test]
fn a_duration_that_is_a_text_is_an_error_that_says_how_to_write_one() {
    for call in [
        "ctx.flaps(alert, \"1h\")",
        "ctx.count(#{}, 60)",
        "ctx.changes(\"1h\")",
    ] {
        let report = routing_fault(&format!("fn route(alert, ctx) {{ {call} }}"));
        assert!(report.remedy.contains("`hours(1)`"), "{call}: {report}");
    }
}
