//! Policies for property tests.

use proptest::prelude::*;

/// A function of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Route,
    Grade,
    Escalate,
}

impl Function {
    /// Whether it is asked about all that an expression names.
    fn knows(self, expression: &str) -> bool {
        match self {
            Self::Route => !expression.contains("incident"),
            Self::Grade => true,
            Self::Escalate => !expression.contains("alert.") && !expression.contains("(alert"),
        }
    }

    fn select(self, expressions: Vec<&'static str>) -> impl Strategy<Value = &'static str> {
        let known = expressions.into_iter().filter(|it| self.knows(it));
        prop::sample::select(known.collect::<Vec<_>>())
    }

    fn signature(self) -> &'static str {
        match self {
            Self::Route => "route(alert, ctx)",
            Self::Grade => "grade(incident, alert, ctx)",
            Self::Escalate => "escalate(incident, ctx)",
        }
    }

    /// What a branch of the script returns: three maps that differ, in turn.
    fn answer(self, branch: usize, reason: &str) -> String {
        let fields = match (self, branch % 3) {
            (Self::Route, 0) => "key: \"one\", service: \"s\"",
            (Self::Route, 1) => "ignore: true",
            (Self::Route, _) => "key: \"two\", service: \"s\", wait_for: 2, within: minutes(5)",
            (Self::Grade, 0) => "grade: \"critical\"",
            (Self::Grade, 1) => "grade: \"minor\"",
            (Self::Grade, _) => "grade: \"major\", security: true",
            (Self::Escalate, 0) => {
                "steps: [#{ at: next(\"weekdays 09:00-18:00\"), page: person(\"ada\"), \
                 wait: hours(1) }]"
            }
            (Self::Escalate, 1) => {
                "steps: [#{ at: next(\"sunday 02:30\", \"Europe/Berlin\"), \
                 page: person(\"ada\"), wait: hours(1) }]"
            }
            (Self::Escalate, _) => "steps: [#{ page: person(\"bob\"), wait: minutes(5) }]",
        };
        format!("#{{ {fields}, reason: `{branch} {reason}` }}")
    }
}

/// A question that a script can ask with yes or no.
fn conditions(function: Function) -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let number = function.select(vec![
        "incident.alerts.firing",
        "incident.alerts.total",
        "incident.alerts.firing * 2 - 1",
        "min(incident.alerts.firing, 3)",
        "alert.labels.len()",
        "ctx.load(\"ada\")",
        "ctx.age(incident).minutes",
        "ctx.firing(#{ a: \"x\" })",
        "ctx.count_distinct(\"a\", #{}, minutes(1))",
        "ctx.firing(#{ a: alert.labels.a })",
        "ctx.count(#{ a: \"x\" }, minutes(1))",
        "ctx.count(#{}, minutes(2))",
        "ctx.flaps(alert, minutes(2))",
        "ctx.on_call(\"payments\").len()",
        "ctx.changes(minutes(2)).len()",
        "(incident.alerts.total - incident.alerts.firing)",
        "(ctx.now.hour % 5)",
        "incident.alerts.firing.to_int()",
    ]);
    let age = function.select(vec!["ctx.age(alert)", "ctx.age(incident)"]);
    let numbers = (number, comparison.clone(), 0..5, any::<bool>()).prop_map(
        |(number, comparison, than, turned)| match turned {
            true => format!("{than} {comparison} {number}"),
            false => format!("{number} {comparison} {than}"),
        },
    );
    let ages =
        (age, comparison, 0..4, any::<bool>()).prop_map(|(age, comparison, than, turned)| {
            match turned {
                true => format!("minutes({than}) {comparison} {age}"),
                false => format!("{age} {comparison} minutes({than})"),
            }
        });
    let others = function.select(vec![
        "alert.labels.a == \"x\"",
        "alert.labels.contains(\"b\")",
        "alert.label(\"c\", \"x\") == \"x\"",
        "alert.first_label([\"a\", \"b\"], \"y\") == \"y\"",
        "\"a\" in alert.labels.keys()",
        "alert.title == \"t\"",
        "alert.annotations.a == \"x\"",
        "\"a\" in alert.annotations && alert.annotations.len() == 1",
        "alert.summary == \"x\"",
        "alert.link == \"\"",
        "alert.status == \"firing\"",
        "alert.integration == \"prometheus\" && alert.fingerprint != \"\"",
        "incident.service in [\"x\", \"y\"]",
        "incident.team == \"x\"",
        "incident.status == \"mitigated\"",
        "incident.security",
        "incident.drill",
        "incident.labels.a == \"x\"",
        "incident.label(\"a\", \"y\") == \"y\"",
        "incident.key == \"checkout\" && incident.title != \"\" && incident.number == 7",
        "ctx.now.weekday == \"sunday\"",
        "ctx.now.hour in [2, 3]",
        "ctx.within(\"sunday 02:00-03:00\")",
        "ctx.within(\"01:30-02:30\", \"America/New_York\")",
        "incident.grade == \"critical\"",
        "incident.acknowledged",
        "incident.alerts.firing in 1..3",
        "incident.alerts.total in 2..=3",
        "ctx.has_rotation(\"payments\")",
        "ctx.is_open(\"k\")",
        "ctx.is_open(alert.labels.a)",
        "\"bob\" in ctx.on_call(\"payments\")",
        "ctx.changes(\"shop\", minutes(1)).some(|it| it.title == \"deploy\")",
        "ctx.changes(minutes(3)).some(|it| it.age < seconds(90))",
        "ctx.now.weekend",
        "ctx.now.hour >= 9 && ctx.now.hour < 17",
        "ctx.now.minute < 30",
        "ctx.within(\"09:00-17:00\")",
        "ctx.within(\"weekdays 22:00-06:30\")",
        "ctx.within(\"weekend\", \"Asia/Kathmandu\")",
        "`${incident.alerts.firing}` == \"2\"",
        "[1, 3].contains(incident.alerts.firing)",
        "switch incident.alerts.firing { 0 | 2 => true, 3..5 => true, _ => false }",
        "switch ctx.now.hour { 1..=9 => true, _ => false }",
        "(if true { let n = 1; n += incident.alerts.firing; n } else { 0 }) == 3",
        "ctx.age(alert) - minutes(1) == minutes(1)",
    ]);
    let one = prop_oneof![numbers, ages, others.prop_map(str::to_owned)];
    one.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| format!("!({it})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) || ({b})")),
        ]
    })
}

/// A function, and a policy of it with a few branches, whose reason reads something too.
pub(super) fn policies() -> impl Strategy<Value = (Function, String)> {
    let all = [Function::Route, Function::Grade, Function::Escalate];
    prop::sample::select(all.to_vec())
        .prop_flat_map(|function| policy_of(function).prop_map(move |policy| (function, policy)))
}

/// Without routing, which is not asked about an incident.
pub(super) fn policies_of_incidents() -> impl Strategy<Value = (Function, String)> {
    policies().prop_filter("about an incident", |(function, _)| {
        *function != Function::Route
    })
}

fn policy_of(function: Function) -> impl Strategy<Value = String> {
    let reason = function.select(vec![
        "r",
        "${incident.alerts.firing}",
        "${ctx.age(incident)}",
        "${alert.labels.a}",
        "${alert.annotations.a}",
        "${incident.team}",
        "${ctx.now.hour}",
    ]);
    let conditions = prop::collection::vec(conditions(function), 1..4);
    (conditions, reason).prop_map(move |(conditions, reason)| {
        let mut text = format!("fn {} {{\n", function.signature());
        for (at, condition) in conditions.iter().enumerate() {
            let answer = function.answer(at, reason);
            text += &format!("if {condition} {{ return {answer}; }}\n");
        }
        text + &function.answer(2, "else") + "\n}"
    })
}
