//! `ctx.firing(…)`, `ctx.count(…)` and `ctx.flaps(…)`: how many alerts fire, and how often.

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
            let labels = labels("firing", wanted)?;
            note_own(ctx, &labels);
            Fallible::Ok(Count::of(Quantity::Firing(labels), ctx.as_facts()))
        })
        .register_fn("count", |ctx: &mut Context, wanted: Map, within: Span| {
            let labels = labels("count", wanted)?;
            note_own(ctx, &labels);
            let asked = Quantity::Began(labels, window("count", within)?);
            Fallible::Ok(Count::of(asked, ctx.as_facts()))
        })
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
fn note_own(ctx: &Context, wanted: &Labels) {
    if ctx.own().is_some() {
        for name in wanted.keys() {
            read(Read::Label(LabelsOf::Alert, name.clone()), ctx.as_facts());
        }
    }
}

fn labels(function: &str, wanted: Map) -> Fallible<Labels> {
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
    wanted.into_iter().map(label).collect()
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
