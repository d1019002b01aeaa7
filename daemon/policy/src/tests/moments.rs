//! Times of the week: `next(…)` and `ctx.within(…)`.

use tocsin_core::{Grade, Plan, Timestamp};

use super::{incident, load, routing_fault};
use crate::calendar::{Moment, Window, policy_time};
use crate::{Context, ContextFacts, IncidentView, Report};

/// An instant that is written in RFC 3339.
fn at(text: &str) -> Timestamp {
    let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    Timestamp(at.timestamp_millis())
}

fn berlin() -> chrono_tz::Tz {
    chrono_tz::Europe::Berlin
}

#[test]
fn a_time_of_the_week_is_the_next_one_on_the_local_clock() {
    // 2026-03-02 is a Monday; the clocks go forward on Sunday the 29th, at 2 o'clock.
    for (text, from, next) in [
        (
            "09:00",
            "2026-03-02T03:00:00+01:00",
            "2026-03-02T09:00:00+01:00",
        ),
        (
            "09:00",
            "2026-03-02T09:00:00+01:00",
            "2026-03-03T09:00:00+01:00",
        ),
        (
            "weekdays 09:00",
            "2026-03-06T17:00:00+01:00",
            "2026-03-09T09:00:00+01:00",
        ),
        (
            "weekend 10:00",
            "2026-03-02T03:00:00+01:00",
            "2026-03-07T10:00:00+01:00",
        ),
        (
            "monday 09:00",
            "2026-03-02T09:00:01+01:00",
            "2026-03-09T09:00:00+01:00",
        ),
        (
            "tue,thu 00:00",
            "2026-03-03T00:00:00+01:00",
            "2026-03-05T00:00:00+01:00",
        ),
        (
            "weekdays 09:00",
            "2026-03-27T17:00:00+01:00",
            "2026-03-30T09:00:00+02:00",
        ),
        // Any time within the hours will do, also now.
        (
            "weekdays 09:00-18:00",
            "2026-03-06T18:00:00+01:00",
            "2026-03-09T09:00:00+01:00",
        ),
        (
            "weekdays 09:00-18:00",
            "2026-03-06T17:59:59+01:00",
            "2026-03-06T17:59:59+01:00",
        ),
        (
            "sunday 02:30",
            "2026-03-28T12:00:00+01:00",
            "2026-03-29T03:00:00+02:00",
        ),
        (
            "sunday 02:30",
            "2026-10-24T12:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
        ),
    ] {
        let moment: Moment = text.parse().unwrap();
        assert_eq!(
            moment.next(berlin(), at(from)),
            Some(at(next)),
            "{text} after {from}"
        );
    }
}

#[test]
fn hours_of_the_week_begin_and_end_on_the_local_clock() {
    for (text, now, covers, flips) in [
        (
            "22:00-06:00",
            "2026-03-02T05:59:59+01:00",
            true,
            "2026-03-02T06:00:00+01:00",
        ),
        (
            "22:00-06:00",
            "2026-03-02T06:00:00+01:00",
            false,
            "2026-03-02T22:00:00+01:00",
        ),
        // The night from Friday to Saturday begins on a weekday, the one from Sunday does not.
        (
            "weekdays 22:00-06:00",
            "2026-03-07T03:00:00+01:00",
            true,
            "2026-03-07T06:00:00+01:00",
        ),
        (
            "weekdays 22:00-06:00",
            "2026-03-02T03:00:00+01:00",
            false,
            "2026-03-02T22:00:00+01:00",
        ),
        (
            "weekdays",
            "2026-03-02T03:00:00+01:00",
            true,
            "2026-03-07T00:00:00+01:00",
        ),
        (
            "weekend 00:00-24:00",
            "2026-03-06T12:00:00+01:00",
            false,
            "2026-03-07T00:00:00+01:00",
        ),
        (
            "22:00-06:00",
            "2026-03-28T23:00:00+01:00",
            true,
            "2026-03-29T06:00:00+02:00",
        ),
    ] {
        let window: Window = text.parse().unwrap();
        let now = at(now);
        assert_eq!(window.covers(berlin(), now), covers, "{text} at {now}");
        assert_eq!(
            window.flips_at(berlin(), now),
            Some(at(flips)),
            "{text} at {now}"
        );
    }
}

/// The plan of a policy with this step.
fn plan_with(step: &str, incident: &IncidentView, ctx: &Context) -> Result<Plan, Report> {
    let answer = format!("#{{ steps: [{step}], reason: \"r\" }}");
    let text = format!("fn escalate(incident) {{ {answer} }}");
    let set = load(&[("escalation.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    set.escalate(incident, ctx).map(|verdict| verdict.value)
}

/// The plan of a minor incident that has been active since `since`, asked at `now`.
fn plan(step: &str, since: Timestamp, now: Timestamp) -> Plan {
    let mut facts = super::facts();
    facts.grade = Some(Grade::Minor);
    (facts.opened_at, facts.active_since) = (Timestamp(0), since);
    let context = Context::new(ContextFacts {
        now: policy_time(berlin(), now),
        ..ContextFacts::default()
    });
    plan_with(step, &IncidentView::new(facts), &context).unwrap()
}

#[test]
fn a_step_at_the_next_time_is_for_the_one_after_the_incident_became_active() {
    let since = at("2026-03-07T03:00:00+01:00");
    let step = "#{ at: next(\"weekdays 09:00\"), page: person(\"ada\"), wait: hours(1) }";
    for now in [
        since,
        at("2026-03-09T08:00:00+01:00"),
        at("2026-03-11T08:00:00+01:00"),
    ] {
        let plan = plan(step, since, now);
        assert_eq!(
            plan.steps[0].at,
            Some(at("2026-03-09T09:00:00+01:00")),
            "asked at {now}"
        );
    }
    let there = step.replace("09:00\")", "09:00\", \"America/New_York\")");
    let plan = plan(&there, since, since);
    assert_eq!(plan.steps[0].at, Some(at("2026-03-09T09:00:00-04:00")));
}

#[test]
fn a_step_without_a_page_only_waits() {
    let steps = "#{ wait: minutes(10) }, #{ page: person(\"ada\"), wait: hours(1) }";
    let plan = plan(steps, Timestamp(0), Timestamp(0));
    assert!(plan.steps[0].page.is_empty());
    assert_eq!(
        (plan.steps[0].wait_ms, plan.steps[1].page.len()),
        (600_000, 1)
    );
}

#[test]
fn a_wait_reaches_over_a_long_weekend() {
    let plan = plan(
        "#{ page: person(\"ada\"), wait: days(7) }",
        Timestamp(0),
        Timestamp(0),
    );
    assert_eq!(plan.steps[0].wait_ms, 7 * 24 * 3_600_000);
}

#[test]
fn what_is_wrong_with_a_step_is_said() {
    for (step, message) in [
        (
            "#{ wait: minutes(5) }",
            "`steps[0].page` is missing; the last step must page somebody",
        ),
        (
            "#{ page: person(\"ada\"), wait: minutes(5), at: \"09:00\" }",
            "`steps[0].at` is the string \"09:00\"; expected a time, as `next(",
        ),
        (
            "#{ page: person(\"ada\"), wait: days(8) }",
            "`steps[0].wait` is 192h; between 1s and 168h",
        ),
    ] {
        let report = plan_with(step, &incident(), &super::context()).unwrap_err();
        assert!(report.message.contains(message), "{step}: {report}");
    }
}

#[test]
fn a_misspelt_time_is_found_with_its_remedy() {
    for (call, message, remedy) in [
        (
            "next(\"weekday 9\")",
            "\"weekday 9\" is not a time of the week",
            "weekdays 09:00",
        ),
        (
            "next(\"25:00\")",
            "\"25:00\" is not a time of the week",
            "weekdays 09:00",
        ),
        (
            "next(\"09:00\", \"CEST\")",
            "\"CEST\" is not a time zone",
            "Europe/Berlin",
        ),
        (
            "ctx.within(\"22-6\")",
            "\"22-6\" is not a range of hours",
            "22:00-06:00",
        ),
    ] {
        let report = routing_fault(&format!("fn route(alert, ctx) {{ {call} }}"));
        assert!(report.message.contains(message), "{call}: {report}");
        assert!(report.remedy.contains(remedy), "{call}: {report}");
    }
    let report = routing_fault("fn route(alert) { next(\"09:00\") }");
    assert!(report.message.contains("a time of the week"), "{report}");
}
