//! The mistakes that people make most, each found by a check alone, where it is, with a remedy.

use super::checks::faults;

struct Mistake {
    what: &'static str,
    file: &'static str,
    /// The file's text, with `@` where the mistake is.
    text: &'static str,
    says: &'static str,
    remedy: &'static str,
}

const TYPICAL: &[Mistake] = &[
    Mistake {
        what: "typo in a property",
        file: "routing.rhai",
        text: r#"
fn route(alert) {
    if alert.labels.service == "db" {
        return #{ key: alert.@tittle, service: "db", reason: "a database" };
    }
    #{ key: "k", service: "s", reason: "r" }
}"#,
        says: "Unknown property 'tittle' of 'Alert'",
        remedy: "did you mean `title`?",
    },
    Mistake {
        what: "wrong type of a field",
        file: "escalation.rhai",
        text: r#"
fn escalate(incident) {
    if incident.grade == "critical" {
        return #{
            steps: [#{ page: person("ada"), @wait: 5 }],
            reason: "now",
        };
    }
    #{ steps: [#{ page: person("ada"), wait: minutes(5) }], reason: "r" }
}"#,
        says: "`steps[0].wait` is the number 5",
        remedy: "wait: minutes(5)",
    },
    Mistake {
        what: "wrong type in a comparison",
        file: "grading.rhai",
        text: r#"
fn grade(incident, alert, ctx) {
    if incident.security && alert.labels.replicas @> 5 {
        return #{ grade: "major", reason: "many" };
    }
    #{ grade: "minor", reason: "r" }
}"#,
        says: "compare",
        remedy: "number(",
    },
    Mistake {
        what: "missing return",
        file: "grading.rhai",
        text: r#"
fn grade(incident, alert) {
    if alert.labels.severity == "page" {
        @#{ grade: "critical", reason: "it pages" }
    }
    #{ grade: "minor", reason: "it does not" }
}"#,
        says: "this map is not returned: the function goes on after it",
        remedy: "write `return #{ … };`",
    },
    Mistake {
        what: "no answer at the end",
        file: "grading.rhai",
        text: r#"
fn grade(incident, alert) {
    @if alert.labels.severity == "page" {
        return #{ grade: "critical", reason: "it pages" };
    }
}"#,
        says: "grade: the result is nothing `()`; expected a map",
        remedy: "return a map like `#{ grade: ",
    },
    Mistake {
        what: "endless loop",
        file: "grading.rhai",
        text: r#"
fn grade(incident, alert) {
    let n = 0;
    if alert.labels.tier == "1" {
        @while n < 10 {
            n += 0;
        }
    }
    #{ grade: "minor", reason: "r" }
}"#,
        says: "grade hit a limit: Too many operations",
        remedy: "look for an infinite loop",
    },
    Mistake {
        what: "missing reason",
        file: "grading.rhai",
        text: r#"
fn grade(incident, alert) {
    if incident.alerts.firing > 20 {
        return @#{ grade: "critical" };
    }
    #{ grade: "minor", reason: "r" }
}"#,
        says: "`reason` is missing",
        remedy: "reason: \"why\"",
    },
    Mistake {
        what: "unknown rotation",
        file: "escalation.rhai",
        text: r#"
fn escalate(incident, ctx) {
    if ctx.now.weekend {
        return #{ steps: [#{ page: oncall(@"paymnets"), wait: minutes(5) }], reason: "r" };
    }
    #{ steps: [#{ page: oncall("payments"), wait: minutes(5) }], reason: "r" }
}"#,
        says: "the configuration has no rotation `paymnets`",
        remedy: "did you mean `payments`?",
    },
    Mistake {
        what: "negative wait",
        file: "escalation.rhai",
        text: r#"
fn escalate(incident, ctx) {
    let wait = minutes(5);
    if ctx.now.hour >= 22 {
        wait = @minutes(-5);
    }
    #{ steps: [#{ page: oncall("default"), wait: wait }], reason: "r" }
}"#,
        says: "minutes(-5) is not a duration",
        remedy: "minutes(5)",
    },
    Mistake {
        what: "misspelt key",
        file: "routing.rhai",
        text: r#"
fn route(alert) {
    if "job" in alert.labels {
        return #{ key: "k", @servcie: "s", reason: "r" };
    }
    #{ key: "k", service: "s", reason: "r" }
}"#,
        says: "`servcie` is not a valid field",
        remedy: "service: \"checkout\"",
    },
    Mistake {
        what: "wrong key in a test file",
        file: "grading.test.toml",
        text: r#"
[[test]]
name = "x"
alert = { @label = { severity = "page" } }
expect = { grade = "minor" }
"#,
        says: "unknown field `label`",
        remedy: "did you mean `labels`?",
    },
    Mistake {
        what: "wrong key in what a test expects",
        file: "escalation.test.toml",
        text: r#"
[[test]]
name = "x"

[[test.expect.steps]]
page = "person:ada"
@wiat = "5m"
"#,
        says: "unknown field `wiat`",
        remedy: "did you mean `wait`?",
    },
    Mistake {
        what: "unknown grade",
        file: "grading.rhai",
        text: r#"
fn grade(incident, alert) {
    if alert.labels.severity == "page" {
        return #{ @grade: "sev1", reason: "it pages" };
    }
    #{ grade: "minor", reason: "r" }
}"#,
        says: "`sev1` is not a grade; use minor, major or critical",
        remedy: "grades are minor, major and critical",
    },
];

#[test]
fn typical_mistakes_are_found_without_a_test_at_the_exact_place_with_a_remedy() {
    for mistake in TYPICAL {
        let (before, after) = mistake.text.split_once('@').unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let found = faults(&[(mistake.file, &format!("{before}{after}"))]);
        let place = format!("{}:{line}:{column}: ", mistake.file);
        assert!(
            found.starts_with(&place),
            "{}: {place}\n{found}",
            mistake.what
        );
        assert!(found.contains(mistake.says), "{}:\n{found}", mistake.what);
        let remedy = found.rsplit("remedy: ").next().unwrap();
        assert!(
            remedy.contains(mistake.remedy),
            "{}:\n{found}",
            mistake.what
        );
        assert_eq!(found.matches("remedy: ").count(), 1, "once:\n{found}");
    }
}
