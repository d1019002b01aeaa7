//! A fault in an answer points at the map that was returned, and a verdict knows its line.

use super::{alert, context, incident, load};
use crate::Report;

/// The report of a policy, whose faulty place is the only one marked `^`.
fn marked(file: &str, text: &str) -> (Report, (u32, u32)) {
    let line = text.lines().position(|line| line.contains('^')).unwrap();
    let column = text.lines().nth(line).unwrap().find('^').unwrap();
    let text = text.replace('^', "");
    let set = load(&[(file, &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    let report = match file {
        "routing.rhai" => set.route(&alert(&[]), &context()).err(),
        "grading.rhai" => set.grade(&incident(), &alert(&[]), &context()).err(),
        _ => set.escalate(&incident(), &context()).err(),
    };
    let report = report.unwrap_or_else(|| panic!("no fault in {text}"));
    (report, (line as u32 + 1, column as u32 + 1))
}

fn points_at(file: &str, text: &str) {
    let (report, (line, column)) = marked(file, text);
    assert_eq!(
        (report.line, report.column),
        (Some(line), Some(column)),
        "{report}"
    );
}

#[test]
fn a_fault_in_an_answer_points_at_its_field() {
    for body in [
        "  #{\n    ^grade: \"sev1\",\n    reason: \"r\",\n  }",
        "  return #{ ^grade: 5, reason: \"r\" };",
        "  if alert.title != \"\" {\n    return #{\n      grade: \"minor\",\n      \
         ^raeson: \"r\" };\n  }\n  #{ grade: \"minor\", reason: \"r\" }",
        "  return ^#{ grade: \"minor\" };",
        "  let x = #{ grade: \"minor\" };\n  return #{ grade: x.grade, ^reason: \"\".trim() };",
        "  #{ grade: \"minor\", ^security: \"yes\", reason: alert.label(\"x\", \"r\") }",
        "  #{ ^grade: why(\"sev\"), reason: why(\"r\") }\n}\n\
         fn why(it) {\n  let m = #{ it: it };\n  m.it",
        "  switch alert.title { \"\" => (), _ => #{ ^grade: `${1}`, reason: \"r\" } }",
        "  let grade = \"sev1\";\n  #{ ^grade: grade, reason: \"r\" }",
    ] {
        points_at(
            "grading.rhai",
            &format!("fn grade(incident, alert) {{\n{body}\n}}\n"),
        );
    }
}

#[test]
fn a_fault_in_a_step_of_a_plan_points_at_the_step() {
    for steps in [
        "[\n    #{ page: person(\"a\"), wait: minutes(5) },\n    \
         #{ page: person(\"b\"), ^wait: 5 },\n  ]",
        "[#{ page: person(\"a\"), ^wait: minutes(0) - minutes(1) }]",
        "[#{ ^page: oncall(\"nobody\"), wait: minutes(5) }]",
        "[#{ ^page: [person(\"a\"), 5], wait: minutes(5) }]",
        "[#{ ^pgae: person(\"a\"), wait: minutes(5) }]",
        "[^#{ wait: minutes(5) }]",
        "[^5]",
    ] {
        let text = format!(
            "fn escalate(incident) {{\n  return #{{ steps: {steps}, reason: \"r\" }};\n}}\n"
        );
        points_at("escalation.rhai", &text);
    }
    for steps in ["[]", "5", "global::STEPS"] {
        let text = format!(
            "const STEPS = 5;\nfn escalate(incident) {{\n  #{{\n  ^steps: {steps}, \
             reason: \"r\" }}\n}}\n"
        );
        points_at("escalation.rhai", &text);
    }
}

#[test]
fn an_answer_that_is_made_elsewhere_is_found_there_or_at_its_call() {
    let helper = "fn verdict(grade, why) {\n  let other = #{ a: 1 };\n  return #{\n    \
                  grade: grade,\n    reason: why,\n  };\n}\n";
    points_at(
        "grading.rhai",
        &format!("{helper}fn grade(incident, alert) {{\n  ^return verdict(\"sev1\", \"r\");\n}}\n"),
    );
    let misspelt = helper.replace("reason: why", "^resaon: why");
    points_at(
        "grading.rhai",
        &format!("{misspelt}fn grade(incident, alert) {{\n  verdict(\"minor\", \"r\")\n}}\n"),
    );
    points_at(
        "grading.rhai",
        "fn grade(incident, alert) {\n  let it = #{ grade: \"sev1\" };\n  \
         it.reason = \"r\";\n  ^it\n}\n",
    );
}

#[test]
fn a_route_that_returns_nothing_points_at_what_ran_last() {
    points_at(
        "routing.rhai",
        "fn route(alert) {\n  let x = 1;\n  ^if alert.title == \"\" { x }\n}\n",
    );
}

#[test]
fn a_call_that_a_limit_stops_points_at_where_it_was() {
    let (report, (line, _)) = marked(
        "routing.rhai",
        "fn again(n) {\n  while true { ^n += 1; }\n}\nfn route(alert) {\n  again(1)\n}\n",
    );
    assert_eq!(report.line, Some(line), "{report}");
    let (report, (line, _)) = marked(
        "routing.rhai",
        "fn route(alert) {\n  let n = 1;\n  loop { ^n += 1 }\n}\n",
    );
    assert_eq!(report.line, Some(line), "{report}");
    assert!(report.limit.is_some());
}

#[test]
fn a_verdict_has_the_line_that_returned_it() {
    let grading = "const WHY = \"r\";\nfn grade(incident, alert) {\n  \
                   if alert.labels.a == \"1\" { return #{\n    grade: \"major\",\n    \
                   reason: global::WHY }; }\n  if alert.labels.a == \"2\" {\n    \
                   return minor(`${alert.title}`);\n  }\n  let it = minor(\"r\");\n  it\n}\n\
                   fn minor(why) { #{ grade: \"minor\", reason: why } }\n";
    let set = load(&[("grading.rhai", grading)]).unwrap();
    for (label, line) in [("1", 3), ("2", 7), ("3", 10)] {
        // Once from the script, once from what is known.
        for _ in 0..2 {
            let verdict = set
                .grade(&incident(), &alert(&[("a", label)]), &context())
                .unwrap();
            assert_eq!(verdict.source.line, Some(line), "{label}");
        }
    }
    assert_eq!(set.cache_stats().hits, 3);
}
