//! The comparisons of a script. Rhai answers a comparison of unlike types with false, which hides
//! a mistake until the night on which it matters; here it is a fault with a remedy.
//!
//! Numbers of both kinds are alike, as are strings and characters. `== ()` and `!= ()` ask whether
//! there is a value at all, so they compare with everything.

use std::cmp::Ordering;

use rhai::{Dynamic, Engine, FLOAT, INT, ImmutableString, Variant};

use crate::bind::CandidateView;
use crate::comparison::{COMPARISONS, Comparison};
use crate::day::Day;
use crate::describe::describe;
use crate::quantity::{Age, Count};
use crate::raised::{Fallible, Raised};
use crate::span::Span;

/// Registers the comparisons of like types, and the fault of all others, which is found last.
pub(crate) fn register(engine: &mut Engine) {
    compare(engine, |a: INT, b: INT| a.partial_cmp(&b));
    compare(engine, |a: FLOAT, b: FLOAT| float_order(a, b));
    compare(engine, |a: INT, b: FLOAT| float_order(a as FLOAT, b));
    compare(engine, |a: FLOAT, b: INT| float_order(a, b as FLOAT));
    compare(engine, |a: bool, b: bool| a.partial_cmp(&b));
    compare(engine, |a: char, b: char| a.partial_cmp(&b));
    compare(engine, |a: ImmutableString, b: ImmutableString| {
        a.as_str().partial_cmp(b.as_str())
    });
    compare(engine, |a: ImmutableString, b: char| {
        a.as_str().partial_cmp(b.encode_utf8(&mut [0; 4]))
    });
    compare(engine, |a: char, b: ImmutableString| {
        let order = b.as_str().partial_cmp(a.encode_utf8(&mut [0; 4]));
        order.map(Ordering::reverse)
    });
    for Comparison { symbol, .. } in COMPARISONS {
        engine.register_fn(symbol, move |a: Dynamic, b: Dynamic| unlike(symbol, &a, &b));
    }
}

fn compare<A: Variant + Clone, B: Variant + Clone>(
    engine: &mut Engine,
    order: impl Fn(A, B) -> Option<Ordering> + Copy + Send + Sync + 'static,
) {
    for Comparison { symbol, holds } in COMPARISONS {
        engine.register_fn(symbol, move |a: A, b: B| holds(order(a, b)));
    }
}

/// As Rhai compares: numbers are equal that differ by no more than rounding.
fn float_order(a: FLOAT, b: FLOAT) -> Option<Ordering> {
    if (a - b).abs() <= FLOAT::EPSILON * a.abs().max(b.abs()) {
        return Some(Ordering::Equal);
    }
    a.partial_cmp(&b)
}

fn unlike(symbol: &str, a: &Dynamic, b: &Dynamic) -> Fallible<bool> {
    if a.is_unit() || b.is_unit() {
        match symbol {
            "==" => return Ok(a.is_unit() && b.is_unit()),
            "!=" => return Ok(!(a.is_unit() && b.is_unit())),
            _ => {}
        }
    }
    let (left, right) = (describe(a), describe(b));
    Err(Raised::error(
        format!("`{symbol}` cannot compare {left} with {right}"),
        remedy(a, b).unwrap_or_else(|| remedy(b, a).unwrap_or_else(|| LIKE.to_owned())),
    ))
}

const LIKE: &str = "compare values of the same type; `type_of(x)` tells a type, `x.to_string()` \
     makes a text, `number(text, default)` a number";

/// The remedy that `this` of the two values calls for.
fn remedy(this: &Dynamic, other: &Dynamic) -> Option<String> {
    let is_number = other.is_int() || other.is_float() || other.is::<Count>();
    if this.is_unit() {
        return Some("ask first whether there is a value, with `x != ()`".to_owned());
    }
    if this.is::<Age>() || this.is::<Span>() {
        return Some(match other.as_int() {
            Ok(number) => format!("give the unit: `seconds({number})`, `minutes(…)` or `hours(…)`"),
            Err(_) => "compare it with a duration, such as `minutes(5)`".to_owned(),
        });
    }
    if this.is::<CandidateView>() {
        return Some("compare its `id` with a name".to_owned());
    }
    if this.is::<Day>() {
        return Some("compare it with a name, such as \"monday\"".to_owned());
    }
    if this.is_string() && is_number {
        return Some(
            "labels are texts: write `number(text, default)` to compare a number".to_owned(),
        );
    }
    if this.is_bool() && other.is_string() {
        return Some("`true` and \"true\" differ: write both with quotes, or both without".into());
    }
    None
}
