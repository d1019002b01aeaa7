//! `ctx.firing(…)`, `ctx.count(…)`, `ctx.count_distinct(…)` and `ctx.flaps(…)`: how many alerts
//! fire, and how often.

use rhai::{Dynamic, Engine, Map};
use tocsin_core::Labels;

use crate::describe::describe;
use crate::limits::{COUNT_WINDOW_MS_MAX, QUESTION_LABELS_MAX};
use crate::quantity::Count;
use crate::raised::{Fallible, Raised};
use crate::span::Span;
use crate::trace::{Facts, LabelsOf, Quantity, Read, read};
use crate::view::{AlertView, Context};

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_fn("firing", |ctx: &mut Context, wanted: Map| {
            let labels = labels(ctx, "firing", wanted)?;
            Fallible::Ok(Count::of(Quantity::Firing(labels), ctx.as_facts()))
        })
        .register_fn("count", |ctx: &mut Context, wanted: Map, within: Span| {
            let labels = labels(ctx, "count", wanted)?;
            let asked = Quantity::Began(labels, window("count", within)?);
            Fallible::Ok(Count::of(asked, ctx.as_facts()))
        })
        .register_fn(
            "count_distinct",
            |ctx: &mut Context, of: &str, wanted: Map, within: Span| {
                let labels = labels(ctx, "count_distinct", wanted)?;
                note_own(ctx, [of]);
                let within = window("count_distinct", within)?;
                let asked = Quantity::Distinct(of.to_owned(), labels, within);
                Fallible::Ok(Count::of(asked, ctx.as_facts()))
            },
        )
        .register_fn(
            "flaps",
            |ctx: &mut Context, alert: AlertView, within: Span| {
                let asked = Quantity::Flaps(window("flaps", within)?);
                let facts = Facts {
                    alert: Some(&alert),
                    ..ctx.as_facts()
                };
                Fallible::Ok(Count::of(asked, facts))
            },
        );
}

/// Whether the alert that is asked about counts too is read of the alert.
fn note_own<'a>(ctx: &Context, names: impl IntoIterator<Item = &'a str>) {
    if ctx.own().is_some() {
        for name in names {
            read(
                Read::Label(LabelsOf::Alert, name.to_owned()),
                ctx.as_facts(),
            );
        }
    }
}

/// The labels that a function is asked for, which are read of the alert that is asked about.
fn labels(ctx: &Context, function: &str, wanted: Map) -> Fallible<Labels> {
    if wanted.len() > QUESTION_LABELS_MAX {
        return Err(Raised::error(
            format!("`ctx.{function}` is asked for {} labels", wanted.len()),
            format!("ask for at most {QUESTION_LABELS_MAX}"),
        ));
    }
    let label = |(name, value): (rhai::Identifier, Dynamic)| {
        let found = describe(&value);
        match value.into_string() {
            Ok(text) => Ok((name.to_string(), text)),
            Err(_) => Err(Raised::error(
                format!("the label `{name}` in `ctx.{function}` is {found}; labels are texts"),
                format!("write it as `{name}: \"…\"`"),
            )),
        }
    };
    let labels: Labels = wanted.into_iter().map(label).collect::<Fallible<_>>()?;
    note_own(ctx, labels.keys().map(String::as_str));
    // A value that an alert has is no pattern.
    let is_own = |name: &str, value: &str| {
        let own = ctx.own().and_then(|it| it.0.labels.get(name));
        own.is_some_and(|it| it == value)
    };
    let pattern = labels
        .iter()
        .find(|(name, value)| value.contains('*') && !is_own(name, value));
    match pattern {
        Some((name, value)) => Err(Raised::error(
            format!(
                "the label `{name}` in `ctx.{function}` is {value:?}; labels are compared exactly"
            ),
            "give the whole value, or leave the label out",
        )),
        None => Ok(labels),
    }
}

fn window(function: &str, within: Span) -> Fallible<u64> {
    match within.0 {
        ms if ms <= COUNT_WINDOW_MS_MAX => Ok(ms),
        _ => Err(Raised::error(
            format!("`ctx.{function}` looks back over {within}"),
            format!("give it at most {}", Span(COUNT_WINDOW_MS_MAX)),
        )),
    }
}
