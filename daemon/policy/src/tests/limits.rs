//! A policy cannot harm the daemon: each limit is enforced and reported with its name, a position
//! and a remedy.

use super::routing_fault;

/// The name of a limit, and a body of `route` that must hit it.
const RUNAWAYS: &[(&str, &str)] = &[
    ("operations", "loop { }"),
    ("operations", "let x = 0; while true { x += 1; }"),
    ("operations", "for i in 0..1000000000 { let j = i; }"),
    ("string", "let s = \"x\"; loop { s += s; }"),
    ("string", "let s = \"x\"; loop { s = `${s}${s}`; }"),
    ("string", "let s = \"x\"; s.pad(1000000000, 'y');"),
    (
        "string",
        "let a = []; loop { a.push(\"0123456789012345678901234567890123456789\"); }",
    ),
    ("array", "let a = []; loop { a.push(1); }"),
    ("array", "let a = [1]; loop { a += a; }"),
    ("array", "let a = [1]; loop { a = [a, a]; }"),
    ("array", "let a = []; a.pad(1000000000, 1);"),
    (
        "map",
        "let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; m.len(); }",
    ),
    (
        "map",
        "let m = #{}; let i = 0; loop { m.set(`k${i}`, i); i += 1; }",
    ),
    ("map", "let m = #{ a: 1 }; loop { m = #{ a: m, b: m }; }"),
    ("call levels", "fn_again(1)"),
];

#[test]
fn a_runaway_policy_is_stopped_by_a_named_limit_with_position_and_remedy() {
    for (limit, body) in RUNAWAYS {
        let text =
            format!("fn fn_again(x) {{ fn_again(x + 1) }}\nfn route(alert) {{\n  {body}\n}}\n");
        let report = routing_fault(&text);
        let hit = report
            .limit
            .as_ref()
            .unwrap_or_else(|| panic!("{body}: no limit in {report}"));
        assert_eq!(hit.name, *limit, "{body}: {report}");
        assert!(
            report.line.is_some() && report.column.is_some(),
            "{body}: {report}"
        );
        assert!(!report.remedy.is_empty(), "{body}: {report}");
        assert!(
            report.to_string().contains(&hit.max.to_string()),
            "{body}: {report}"
        );
    }
}

#[test]
fn memory_that_no_size_limit_counts_is_limited_too() {
    let bodies = [
        "let big = []; big.pad(1000, 1); let m = #{}; let i = 0; \
         loop { m[`k${i}`] = big; i += 1; }",
        "let big = []; big.pad(1000, 1); let a = []; a.pad(1000, []); \
         loop { for i in 0..1000 { a[i].append(big); } for i in 0..1000 { a[i] = [a[i]]; } }",
    ];
    for body in bodies {
        let report = routing_fault(&format!("fn route(alert) {{\n  {body}\n}}\n"));
        let hit = report.limit.as_ref().map_or("none", |limit| limit.name);
        assert!(
            ["memory", "wall clock", "array"].contains(&hit),
            "{body}: {report}"
        );
    }
}

/// A body of `route` with a forbidden access or a mistake, and a part of the report.
const REACHES: &[(&str, &str)] = &[
    ("sleep(1000);", "cannot sleep"),
    ("sleep(1.5);", "cannot sleep"),
    ("eval(\"1\");", "eval"),
    ("import \"lib\" as lib;", "import"),
    ("let f = Fn(\"route\"); f.curry(f);", "curry"),
    ("let f = Fn(\"sleep\"); f.call(1000);", "cannot sleep"),
    ("timestamp();", "timestamp"),
    ("nobody;", "nobody"),
    ("let x = #{}; x.nobody;", "nobody"),
    ("alert.nobody;", "nobody"),
    ("alert.title = \"x\";", "title"),
    ("alert.labels.team = \"x\";", "Labels"),
    ("nobody();", "nobody"),
    ("throw \"stop here\";", "stop here"),
    ("let a = [1]; a[7];", "7"),
    ("1 / 0;", "zero"),
    ("exit(#{ a: 1 });", "`a`"),
    ("this;", "this"),
    ("person(\"\");", "names nobody"),
    ("minutes(-5);", "not a duration"),
];

#[test]
fn forbidden_access_and_mistakes_are_reported_with_position_and_remedy() {
    for (body, part) in REACHES {
        let report = routing_fault(&format!(
            "// a policy\nfn route(alert) {{\n    {body}\n}}\n"
        ));
        assert!(report.message.contains(part), "{body}: {report}");
        assert!(
            report.line.is_some() && report.column.is_some(),
            "{body}: {report}"
        );
        assert!(!report.remedy.is_empty(), "{body}: {report}");
    }
}

#[test]
fn an_expression_nested_too_deeply_does_not_parse() {
    let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    let report = routing_fault(&format!("fn route(alert) {{\n  {deep}\n}}\n"));
    assert_eq!(
        report.limit.as_ref().unwrap().name,
        "expression depth",
        "{report}"
    );
    assert!(
        report
            .to_string()
            .lines()
            .all(|line| line.chars().count() < 200),
        "{report}"
    );
}

#[test]
fn values_nested_as_deeply_as_allowed_do_not_overflow_a_small_stack() {
    let bodies = [
        "let a = []; for i in 0..1000 { a = [a]; } a",
        "let m = #{}; for i in 0..500 { m = #{ a: m }; } m",
        "let a = []; for i in 0..500 { a = [#{ a: a }]; } a",
        "let a = []; for i in 0..1000 { a = [a]; } a == a",
        "let a = []; for i in 0..1000 { a = [a]; } `${a}`",
        "let a = []; for i in 0..1000 { a = [a]; } a.contains(a)",
    ];
    for body in bodies {
        let text = format!("fn route(alert) {{ {body} }}\n");
        let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let report = small
            .spawn(move || routing_fault(&text))
            .unwrap()
            .join()
            .unwrap();
        assert!(!report.remedy.is_empty(), "{body}: {report}");
    }
}

#[test]
fn a_file_with_extreme_nesting_is_rejected_or_runs_on_a_small_stack() {
    let many = 10_000;
    let bodies = [
        "{".repeat(many),
        format!("{}{}", "{".repeat(many), "}".repeat(many)),
        format!("{}{}", "[".repeat(many), "]".repeat(many)),
        format!("{}{}", "#{a:".repeat(many), "1}".repeat(many)),
        "if true {".repeat(many),
        format!("{}1", "-".repeat(many)),
        format!("{}true", "!".repeat(many)),
        format!("1{}", " + 1".repeat(many)),
        format!("alert.title{}", " + alert.title".repeat(many)),
        format!("true{}", " || alert.title == \"x\"".repeat(many)),
        format!("alert{}", ".labels".repeat(many)),
        format!("alert{}", "[0]".repeat(many)),
        format!("alert{}", ".label(\"x\")".repeat(many)),
        format!("alert.title{}", " ?? alert.title".repeat(many)),
        "`${".repeat(many),
        "|x| ".repeat(many),
        "switch 1 { _ => ".repeat(many),
        "else if true { } ".repeat(many),
        format!(
            "if true {{ }} {}",
            "else if alert.title == \"\" { } ".repeat(many / 2)
        ),
        "x(".repeat(many),
        "return ".repeat(many),
        "let x = 1; ".repeat(many),
        format!("let x = 1; {}", "x = ".repeat(many)),
        "/*".repeat(many),
    ];
    for body in bodies {
        let text = format!("fn route(alert) {{ {body} }}\n");
        let start: String = body.chars().take(40).collect();
        let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let report = small
            .spawn(move || routing_fault(&text))
            .unwrap()
            .join()
            .unwrap();
        assert!(!report.remedy.is_empty(), "{start}: {report}");
    }
}

#[test]
fn a_file_with_too_many_variables_functions_or_elements_is_stopped() {
    let count = 2_000;
    let variables: String = (0..count)
        .map(|n| format!("let x{n} = alert.title; "))
        .collect();
    let functions: String = (0..count).map(|n| format!("fn f{n}() {{ }}\n")).collect();
    let list = "1, ".repeat(count);
    for (limit, text) in [
        ("variables", format!("fn route(alert) {{ {variables} }}")),
        ("functions", format!("fn route(alert) {{ }}\n{functions}")),
        ("literal", format!("fn route(alert) {{ [{list}] }}")),
        (
            "literal",
            format!("fn route(alert) {{ \"{}\" }}", "x".repeat(20_000)),
        ),
    ] {
        let report = routing_fault(&text);
        let hit = report.limit.as_ref().map(|limit| limit.name);
        assert_eq!(hit, Some(limit), "{report}");
        assert!(
            report.line.is_some() && !report.remedy.is_empty(),
            "{report}"
        );
    }
}
