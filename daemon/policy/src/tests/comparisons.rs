//! A comparison of unlike types is a fault with a remedy, never silently false.

use super::{alert, context, incident, load, signal};
use crate::{AlertView, Report};

/// The answer of a condition over an alert, an incident and the context; it is on line 3.
fn asked(condition: &str, alert: &AlertView) -> Result<bool, Report> {
    let text = format!(
        "fn grade(incident, alert, ctx) {{\n  let yes =\n    {condition};\n  \
         #{{ grade: if yes {{ \"major\" }} else {{ \"minor\" }}, reason: \"r\" }}\n}}\n"
    );
    let set = load(&[("grading.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    let verdict = set.grade(&incident(), alert, &context())?;
    Ok(verdict.value.grade == tocsin_core::Grade::Major)
}

fn holds(condition: &str) -> bool {
    asked(condition, &some_alert()).unwrap_or_else(|report| panic!("{condition}: {report}"))
}

fn fault(condition: &str) -> Report {
    match asked(condition, &some_alert()) {
        Ok(answer) => panic!("no fault in {condition}, which is {answer}"),
        Err(report) => report,
    }
}

fn some_alert() -> AlertView {
    alert(&[
        ("replicas", "7"),
        ("ratio", " 0.5"),
        ("paused", "true"),
        ("team", "shop"),
    ])
}

const OPERATORS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// One value of each type that a policy can have.
const VALUES: [(&str, &str); 15] = [
    ("number", "7"),
    ("number", "7.5"),
    ("number", "incident.alerts.firing"),
    ("text", "\"seven\""),
    ("text", "alert.labels.replicas"),
    ("text", "'7'"),
    ("flag", "true"),
    ("list", "[7]"),
    ("map", "#{ seven: 7 }"),
    ("duration", "minutes(7)"),
    ("duration", "ctx.age(incident)"),
    ("labels", "alert.labels"),
    ("alert", "alert"),
    ("incident", "incident"),
    ("change", "ctx"),
];

#[test]
fn each_comparison_of_two_unlike_types_is_a_fault() {
    for (left_type, left) in VALUES {
        for (right_type, right) in VALUES {
            if left_type == right_type {
                continue;
            }
            let attempts = OPERATORS.map(|operator| {
                format!("try {{ {left} {operator} {right}; }} catch (e) {{ found += `${{e}}; `; }}")
            });
            let found = fault(&format!(
                "{{ let found = \"\"; {} throw found }}",
                attempts.concat()
            ));
            let faults: Vec<&str> = found.message.split("; ").collect();
            for (operator, fault) in OPERATORS.iter().zip(&faults) {
                let message = format!("`{operator}` cannot compare ");
                assert!(fault.starts_with(&message), "{left} {right}: {found}");
            }
            assert_eq!(faults.len(), OPERATORS.len(), "{left} {right}: {found}");
        }
    }
}

#[test]
fn like_types_compare() {
    for condition in [
        "7 == 7.0 && 7.0 == 7 && 7 < 7.5 && 7.5 >= 7 && 0.1 + 0.2 == 0.3",
        "!(7 != 7.0) && !(7.0 < 7) && 6.5 <= 7 && 7 > 6.5 && 7 >= 7.0",
        "\"a\" < \"b\" && \"b\" >= \"b\" && \"a\" != \"b\" && \"ab\" > \"a\"",
        "\"a\" == 'a' && 'a' == \"a\" && 'a' < \"b\" && \"ab\" > 'a' && 'a' <= 'a'",
        "true == true && true != false && false < true",
        "[1, \"a\"] == [1, \"a\"] && [1] != [2] && [1] != [1, \"a\"]",
        "#{ a: 1 } == #{ a: 1 } && #{ a: 1 } != #{ b: \"x\" }",
        "minutes(1) == seconds(60) && minutes(1) < hours(1) && days(1) >= hours(24)",
        "ctx.age(incident) == ctx.age(alert) && ctx.age(incident) > seconds(598)",
        "incident.alerts.firing == incident.alerts.total && incident.alerts.firing < 1.5",
        "() == () && !(() != ())",
        "7 != () && \"\" != () && () != [] && !(minutes(1) == ()) && ctx.now.weekday != ()",
        "alert.labels.x == \"\" && incident.alerts.firing != ()",
    ] {
        assert!(holds(condition), "{condition}");
    }
}

#[test]
fn the_remedy_for_an_unlike_comparison_says_what_to_write() {
    for (condition, remedy) in [
        ("ctx.age(incident) < 600", "`seconds(600)`"),
        ("600 > ctx.age(incident)", "`seconds(600)`"),
        ("minutes(5) == 5", "`seconds(5)`"),
        ("ctx.age(alert) > \"5m\"", "`minutes(5)`"),
        ("alert.labels.replicas > 5", "`number(text, default)`"),
        ("5 == alert.labels.replicas", "`number(text, default)`"),
        ("incident.alerts.firing == \"5\"", "`number(text, default)`"),
        ("true == \"true\"", "with quotes"),
        ("alert.labels.paused == true", "with quotes"),
        ("ctx.now.weekday == 1", "\"monday\""),
        ("ctx.now.weekday == \"Sunday\"", "write \"sunday\""),
        ("\"sun\" != ctx.now.weekday", "write \"sunday\""),
        (
            "ctx.now.weekday == \"someday\"",
            "monday, tuesday, wednesday",
        ),
        ("ctx.now.weekday < \"sunday\"", "a name, such as \"monday\""),
        ("() < 5", "`x != ()`"),
        ("alert.labels == alert.labels", "same type"),
    ] {
        let report = fault(condition);
        assert!(report.remedy.contains(remedy), "{report}");
        assert_eq!(report.line, Some(3), "{report}");
    }
}

#[test]
fn a_search_in_a_list_compares_too() {
    for condition in [
        "alert.labels.replicas in [5, 7]",
        "[1, 2].contains(\"1\")",
        "[1, 2].index_of(\"1\") >= 0",
        "ctx.age(alert) in [600]",
        "ctx.now.weekday in [\"Saturday\", \"Sunday\"]",
        "[1] == [\"1\"]",
        "#{ a: 1 } == #{ a: \"1\" }",
        "5 in alert.labels",
        "7 in \"7\"",
        "\"7\" in 1..9",
        "[7].some(|it| it == \"7\")",
    ] {
        assert_eq!(fault(condition).line, Some(3), "{condition}");
    }
    assert!(holds("ctx.now.weekday in [\"monday\", \"sunday\"]"));
    assert!(holds(
        "alert.labels.team in [\"search\", \"shop\"] && 1 in [(), 1]"
    ));
    assert!(holds("incident.alerts.firing in [1, 2] && !(7 in [])"));
}

#[test]
fn a_switch_over_an_unlike_type_is_a_fault() {
    for condition in [
        "switch alert.labels.replicas { 7 => true, _ => false }",
        "switch alert.labels.replicas { 1..9 => true, _ => false }",
        "switch alert.labels.paused { true => true, _ => false }",
        "switch incident.alerts.firing { \"1\" => true, _ => false }",
        "switch 7.0 { 7 => true, _ => false }",
        "switch 7 { 7.0 => true, _ => false }",
        "switch ctx.age(alert) { 600 => true, _ => false }",
        "switch ctx.now.weekday { 1 => true, _ => false }",
        "switch ctx.now.weekday { \"monday\" => true, \"Sunday\" => false }",
        "switch alert.labels { \"shop\" => true, _ => false }",
        "switch [1] { 1 => true, _ => false }",
        "switch (switch alert.labels.team { 1 => 2, _ => 3 }) { 3 => true, _ => false }",
        "switch (if true { \"3\" } else { 3 }) { 3 | 4 if true => true, _ => false }",
        "switch alert.labels.team { \"a\" => switch 1 { \"b\" => true, _ => true }, \"shop\" => \
         switch 1 { \"b\" => true, _ => true }, _ => false }",
    ] {
        assert_eq!(fault(condition).line, Some(3), "{condition}");
    }
    for condition in [
        "switch alert.labels.replicas { 7 => false, \"7\" => true, _ => false }",
        "switch number(alert.labels.replicas, 0) { 1 | -1 | 2..9 if true => true, _ => false }",
        "switch 7.5 { 1..=9 => true, _ => false }",
        "switch incident.alerts.firing { 0 => { false } 1 => { #{ a: [1] }.a == [1] } _ => false }",
        "switch ctx.now.weekday { \"monday\" | \"sunday\" => true, _ => false }",
        "switch ctx.now.weekday { \"tuesday\" => false, _ => true }",
        "switch () { 1 => false, _ => true }",
        "switch alert.labels.team { _ => true }",
        "switch `${if true { \"shop\" } else { 1 }}` { \"shop\" => true, _ => false }",
        "switch alert.labels.team + \"\\\"\\\\\" { \"shop\\\"\\\\\" => true, _ => false }",
        "switch 'c' { 'c' /* the case of c */ => true, _ => false }",
        "switch 1 { 1 => if false { false } else { true }, \"b\" => false, _ => false }",
    ] {
        assert!(holds(condition), "{condition}");
    }
}

#[test]
fn a_column_after_a_switch_is_the_one_in_the_file() {
    let report = fault("switch 1 { 1 => alert.labels.team > 1, _ => true }");
    assert_eq!(report.column, Some(39), "{report}");
    let report = fault("switch alert.labels.team { 1 => true, _ => true }");
    assert_eq!(report.column, Some(30), "{report}");
    let nested = "switch 1 { 1 => switch 2 { 2 => 1 < \"2\", _ => true }, _ => true }";
    assert_eq!(fault(nested).column, Some(39), "{}", fault(nested));
}

#[test]
fn a_switch_over_a_block_needs_a_variable() {
    for over in ["if true { 1 } else { 2 }", "{ 1 }"] {
        let text = format!("fn route(alert) {{\n  switch {over} {{ 1 => 2, _ => 3 }} }}");
        let report = super::routing_fault(&text);
        assert!(report.message.contains("with `let` first"), "{report}");
        assert_eq!(report.line, Some(2), "{report}");
    }
}

#[test]
fn a_label_becomes_a_number_with_a_default() {
    for condition in [
        "number(alert.labels.replicas, 0) > 5",
        "number(alert.labels.replicas, 0) == 7 && number(alert.labels.replicas) == 7",
        "number(alert.labels.ratio, 0) == 0.5",
        "number(alert.labels.nobody, 3) == 3 && number(\"7 pods\", -1) == -1",
        "number(\"inf\", 0) == 0 && number(\"NaN\", 0) == 0 && number(\"1e3\", 0) == 1000",
        "number(5, 0) == 5 && number(2.5) == 2.5 && number(incident.alerts.firing, 0) == 1",
    ] {
        assert!(holds(condition), "{condition}");
    }
    let report = fault("number(alert.labels.nobody) > 5");
    assert!(
        report.message.contains("the string \"\" is not a number"),
        "{report}"
    );
    assert!(report.remedy.contains("number(text, 0)"), "{report}");
}

#[test]
fn a_weekday_is_a_text_where_a_text_is_needed() {
    for condition in [
        "ctx.now.weekday == \"monday\" && \"tuesday\" != ctx.now.weekday",
        "ctx.now.weekday == ctx.now.weekday && !(ctx.now.weekday != ctx.now.weekday)",
        "`${ctx.now.weekday}` == \"monday\" && ctx.now.weekday.to_string() == \"monday\"",
        "\"on \" + ctx.now.weekday == \"on monday\" && ctx.now.weekday + \"s\" == \"mondays\"",
    ] {
        assert!(holds(condition), "{condition}");
    }
    let text = "fn route(alert, ctx) { #{ key: ctx.now.weekday, service: \"s\", reason: \"r\" } }";
    let set = load(&[("routing.rhai", text)]).unwrap();
    let verdict = set.route(&AlertView::new(signal(&[])), &context()).unwrap();
    let tocsin_core::Route::Incident(target) = verdict.value else {
        panic!("{verdict:?}");
    };
    assert_eq!(target.key.0, "monday");
}

#[test]
fn a_script_that_catches_such_a_fault_can_print_it() {
    let condition = "{ let it = \"\"; try { it = 1 == \"1\" } catch (e) { it = `${e}` } it } \
         == \"`==` cannot compare the number 1 with the string \\\"1\\\"\"";
    assert!(holds(&format!("({condition})")));
}

/// What a script may do with a count besides comparing it reads it exactly, or is an error.
#[test]
fn every_corner_of_a_count_is_exact_or_an_error_with_its_remedy() {
    use crate::trace::{Quantity, Read};
    for (expression, expected) in [
        ("#{ n: incident.alerts.firing }.to_json()", "{\"n\":1}"),
        (
            "#{ all: [#{ n: incident.alerts.firing }, \"x\"] }.to_json()",
            "{\"all\":[{\"n\":1},\"x\"]}",
        ),
        ("`${[incident.alerts.firing]}`", "[1]"),
        ("`${#{ n: incident.alerts.firing }}`", "#{\"n\": 1}"),
        (
            "let n = 0; for it in range(0, incident.alerts.firing) { n += 1; } `${n}`",
            "1",
        ),
        (
            "let n = 0; for it in range(incident.alerts.firing, 3) { n += 1; } `${n}`",
            "2",
        ),
        (
            "let n = 0; for it in range(0, incident.alerts.firing, 1) { n += 1; } `${n}`",
            "1",
        ),
        ("[5, 6][incident.alerts.firing.to_int()].to_string()", "6"),
        ("\"abc\".sub_string(incident.alerts.firing.to_int())", "bc"),
    ] {
        let text = format!(
            "fn text(incident) {{ {expression} }}\nfn grade(incident, alert) {{ \
             #{{ grade: \"minor\", reason: text(incident) }} }}"
        );
        let set = load(&[("grading.rhai", &text)]).unwrap_or_else(|it| panic!("{it}"));
        let (alert, incident, context) = (alert(&[]), incident(), context());
        let (verdict, basis) = set
            .grade_with_basis(&incident, &alert, &context)
            .unwrap_or_else(|it| panic!("{expression}: {it}"));
        assert_eq!(verdict.reason, expected, "{expression}");
        let exactly = Read::Exactly(Quantity::AlertsFiring);
        let is_read = basis.trace.reads.iter().any(|(read, _)| *read == exactly);
        assert!(is_read, "{expression}: {:?}", basis.trace);
    }
    for (expression, message, remedy) in [
        (
            "[5, 6][incident.alerts.firing]",
            "an index is a plain number, and this is a count",
            "`list[count.to_int()]`",
        ),
        (
            "\"abc\"[incident.alerts.firing]",
            "an index is a plain number, and this is a count",
            "`list[count.to_int()]`",
        ),
        (
            "#{ age: ctx.age(incident) }.to_json()",
            "`to_json` has an age, which JSON has not",
            "`x.to_string()`",
        ),
    ] {
        let text = format!(
            "fn grade(incident, alert, ctx) {{ let it = {expression}; \
             #{{ grade: \"minor\", reason: \"r\" }} }}"
        );
        let set = load(&[("grading.rhai", &text)]).unwrap_or_else(|it| panic!("{it}"));
        let report = set.grade(&incident(), &alert(&[]), &context()).unwrap_err();
        assert!(report.message.contains(message), "{expression}: {report}");
        assert!(report.remedy.contains(remedy), "{expression}: {report}");
    }
}
