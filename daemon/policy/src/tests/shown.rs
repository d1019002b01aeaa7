//! What a verdict read, as people see it.

use serde_json::{Value, json};
use tocsin_core::limits::VERDICT_INPUT_BYTES_MAX;

use super::{alert, context, load};
use crate::trace::{Answer, LabelsOf, Read, Trace};
use crate::{Evaluated, eval};

fn trace(count: usize) -> Trace {
    let label = |number: usize| Read::Label(LabelsOf::Alert, format!("label{number}"));
    let reads = (0..count).map(|it| (label(it), Answer::Text("x".to_owned())));
    Trace {
        reads: reads.collect(),
        is_cut: false,
    }
}

fn pairs(shown: &Value) -> Vec<(String, Value)> {
    serde_json::from_value(shown.clone()).unwrap()
}

#[test]
fn of_many_reads_the_first_few_and_the_last_which_decided_are_kept() {
    let shown = trace(200).bounded();
    assert!(shown.to_string().len() <= VERDICT_INPUT_BYTES_MAX);
    let shown = pairs(&shown);
    let name = |at: usize| shown[at].0.clone();
    assert_eq!(name(0), "alert.labels[\"label0\"]");
    assert_eq!(name(3), "alert.labels[\"label3\"]");
    let left_out = 200 - (shown.len() - 1);
    assert_eq!(
        shown[4],
        ("…".to_owned(), json!(format!("{left_out} more")))
    );
    assert_eq!(name(5), format!("alert.labels[\"label{}\"]", 4 + left_out));
    assert_eq!(name(shown.len() - 1), "alert.labels[\"label199\"]");
}

#[test]
fn few_reads_are_kept_all_and_missing_ones_are_marked() {
    let mut few = trace(5);
    assert_eq!(few.bounded(), few.whole());
    few.is_cut = true;
    let shown = pairs(&few.bounded());
    assert!(shown.contains(&("…".to_owned(), json!("0+ more"))));
}

#[test]
fn an_evaluation_shows_every_read() {
    let text = "fn route(alert) { for n in 0..200 { alert.labels[`label${n}`]; } \
         #{ key: \"k\", service: \"s\", reason: \"r\" } }";
    let set = load(&[("routing.rhai", text)]).unwrap();
    let asked = alert(&[]).signal().clone();
    let Evaluated::Verdict { source, .. } = &eval(&set, asked, &context())[0] else {
        panic!("it has a verdict");
    };
    assert_eq!(pairs(source.input.as_ref().unwrap()).len(), 200);
}

#[test]
fn ages_and_changes_are_shown_as_people_write_them() {
    let text = "fn route(alert, ctx) { for it in ctx.changes(minutes(10)) { } \
         #{ key: `${ctx.age(alert)}`, service: \"s\", reason: \"r\" } }";
    let set = load(&[("routing.rhai", text)]).unwrap();
    let mut asked = alert(&[]).signal().clone();
    let mut facts = context().facts().clone();
    facts.now.utc = tocsin_core::Timestamp(1_790_000_000_000);
    asked.starts_at = facts.now.utc.minus_ms(66_741_008);
    facts.changes = vec![crate::ChangeFacts {
        service: "shop".to_owned(),
        title: "deploy".to_owned(),
        at: facts.now.utc.minus_ms(1_000),
        link: None,
    }];
    let done = eval(&set, asked, &crate::Context::new(facts));
    let Evaluated::Verdict { source, answer, .. } = &done[0] else {
        panic!("it has a verdict");
    };
    assert_eq!(answer["key"], "18h32m");
    assert_eq!(
        pairs(source.input.as_ref().unwrap()),
        [
            (
                "ctx.changes(10m)".to_owned(),
                json!(["shop \"deploy\" at 2026-09-21T14:13:19Z "])
            ),
            ("ctx.age(alert)".to_owned(), json!("18h32m")),
        ]
    );
}
