//! Numbers and ages whose comparisons are recorded instead of their value, so that a verdict
//! stands while the number changes and the comparison does not. Every other use reads the value.

use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FLOAT, INT, ImmutableString, Map, NativeCallContext,
    format_map_as_json,
};
use tocsin_core::time::{MINUTE_MS, SECOND_MS};

use crate::comparison::{COMPARISONS, Comparison};
use crate::describe::describe;
use crate::raised::{Fallible, Raised};
use crate::span::Span;
use crate::trace::{AgeOf, Answer, Facts, Quantity, Read, note, steady};

/// Deepest map that becomes JSON, in levels.
const JSON_DEPTH_MAX: usize = 32;

/// A whole number that a script may compare, calculate with or print.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    quantity: Quantity,
    value: INT,
}

/// How old something is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    of: AgeOf,
    ms: u64,
}

impl Count {
    pub(crate) fn of(quantity: Quantity, facts: Facts<'_>) -> Self {
        let value = steady(&quantity, facts);
        Self { quantity, value }
    }

    /// The value, which the verdict then depends on.
    pub(crate) fn exactly(&self) -> INT {
        note(
            Read::Exactly(self.quantity.clone()),
            Answer::Whole(self.value),
        );
        self.value
    }

    fn is_at_least(&self, than: INT) -> bool {
        let answer = self.value >= than;
        note(
            Read::AtLeast(self.quantity.clone(), than),
            Answer::Flag(answer),
        );
        answer
    }

    fn equals(&self, other: INT) -> bool {
        let answer = self.value == other;
        note(
            Read::Equals(self.quantity.clone(), other),
            Answer::Flag(answer),
        );
        answer
    }

    fn is_more_than(&self, than: INT) -> bool {
        match than.checked_add(1) {
            Some(next) => self.is_at_least(next),
            None => false,
        }
    }
}

impl Age {
    pub(crate) fn of(of: AgeOf, facts: Facts<'_>) -> Self {
        let ms = Quantity::Age(of, 1).value(facts).unwrap_or(0);
        let ms = u64::try_from(ms).unwrap_or(0);
        Self { of, ms }
    }

    /// The age in whole units of so many milliseconds, to be compared like a count.
    fn in_units(self, unit_ms: u64) -> Count {
        let value = INT::try_from(self.ms / unit_ms).unwrap_or(INT::MAX);
        Count {
            quantity: Quantity::Age(self.of, unit_ms),
            value,
        }
    }

    fn exactly(self) -> Span {
        let _recorded = self.in_units(1).exactly();
        Span(self.ms)
    }

    /// For people.
    fn text(self) -> String {
        self.exactly().rounded().to_string()
    }
}

/// A value as a verdict is decoded from it: a count is the number that it is.
pub(crate) fn plain(value: Dynamic) -> Dynamic {
    match value.read_lock::<Count>().map(|it| it.exactly()) {
        Some(number) => number.into(),
        None => value,
    }
}

/// A map of which only texts, numbers, flags, lists and maps are left, as JSON has.
fn plain_map(map: Map, depth: usize) -> Fallible<Map> {
    let plain = |(name, value)| Ok((name, plain_deep(value, depth)?));
    map.into_iter().map(plain).collect()
}

fn plain_deep(value: Dynamic, depth: usize) -> Fallible<Dynamic> {
    let value = plain(value);
    if depth >= JSON_DEPTH_MAX {
        return Err("a map in `to_json` is nested too deeply".into());
    }
    let deeper = depth.saturating_add(1);
    match value.type_name() {
        "map" => Ok(plain_map(value.cast(), deeper)?.into()),
        "array" => {
            let items = value.cast::<Array>().into_iter();
            let plain: Fallible<Array> = items.map(|it| plain_deep(it, deeper)).collect();
            Ok(plain?.into())
        }
        "()" | "bool" | "i64" | "f64" | "char" | "string" => Ok(value),
        _ => Err(Raised::error(
            format!("`to_json` has {}, which JSON has not", describe(&value)),
            "make a text of it, with `x.to_string()`",
        )),
    }
}

/// Registers all that a script may do with them.
pub(crate) fn register(engine: &mut Engine) {
    register_comparisons(engine);
    register_arithmetic(engine);
    register_text(engine);
    register_ages(engine);
}

fn register_comparisons(engine: &mut Engine) {
    engine
        .register_fn(">=", |a: Count, b: INT| a.is_at_least(b))
        .register_fn("<", |a: Count, b: INT| !a.is_at_least(b))
        .register_fn(">", |a: Count, b: INT| a.is_more_than(b))
        .register_fn("<=", |a: Count, b: INT| !a.is_more_than(b))
        .register_fn("==", |a: Count, b: INT| a.equals(b))
        .register_fn("!=", |a: Count, b: INT| !a.equals(b))
        .register_fn("<=", |a: INT, b: Count| b.is_at_least(a))
        .register_fn(">", |a: INT, b: Count| !b.is_at_least(a))
        .register_fn("<", |a: INT, b: Count| b.is_more_than(a))
        .register_fn(">=", |a: INT, b: Count| !b.is_more_than(a))
        .register_fn("==", |a: INT, b: Count| b.equals(a))
        .register_fn("!=", |a: INT, b: Count| !b.equals(a))
        .register_fn("contains", |range: &mut std::ops::Range<INT>, it: Count| {
            it.is_at_least(range.start) && !it.is_at_least(range.end)
        })
        .register_fn(
            "contains",
            |range: &mut std::ops::RangeInclusive<INT>, it: Count| {
                it.is_at_least(*range.start()) && !it.is_more_than(*range.end())
            },
        );
    for Comparison { symbol, holds } in COMPARISONS {
        engine
            .register_fn(symbol, move |a: Count, b: Count| {
                holds(a.exactly().partial_cmp(&b.exactly()))
            })
            .register_fn(symbol, move |a: Count, b: FLOAT| {
                holds((a.exactly() as FLOAT).partial_cmp(&b))
            })
            .register_fn(symbol, move |a: FLOAT, b: Count| {
                holds(a.partial_cmp(&(b.exactly() as FLOAT)))
            });
    }
}

fn register_arithmetic(engine: &mut Engine) {
    type Operation = fn(INT, INT) -> Option<INT>;
    for (name, operation) in [
        ("+", INT::checked_add as Operation),
        ("-", INT::checked_sub),
        ("*", INT::checked_mul),
        ("/", INT::checked_div),
        ("%", INT::checked_rem),
        ("**", |a, b| a.checked_pow(u32::try_from(b).ok()?)),
        ("min", |a, b| Some(a.min(b))),
        ("max", |a, b| Some(a.max(b))),
    ] {
        let run = move |a: INT, b: INT| {
            operation(a, b).ok_or_else(|| fault(format!("`{a} {name} {b}` is out of range")))
        };
        engine
            .register_fn(name, move |a: Count, b: INT| run(a.exactly(), b))
            .register_fn(name, move |a: INT, b: Count| run(a, b.exactly()))
            .register_fn(name, move |a: Count, b: Count| {
                run(a.exactly(), b.exactly())
            });
    }
    for (name, operation) in [
        ("+", (|a, b| a + b) as fn(FLOAT, FLOAT) -> FLOAT),
        ("-", |a, b| a - b),
        ("*", |a, b| a * b),
        ("/", |a, b| a / b),
    ] {
        engine
            .register_fn(name, move |a: Count, b: FLOAT| {
                operation(a.exactly() as FLOAT, b)
            })
            .register_fn(name, move |a: FLOAT, b: Count| {
                operation(a, b.exactly() as FLOAT)
            });
    }
    engine
        .register_fn("-", |it: Count| it.exactly().saturating_neg())
        .register_fn("abs", |it: Count| it.exactly().saturating_abs())
        .register_fn("to_int", |it: Count| it.exactly())
        .register_fn("to_float", |it: Count| it.exactly() as FLOAT)
        .register_fn("..", |a: INT, b: Count| a..b.exactly())
        .register_fn("..=", |a: INT, b: Count| a..=b.exactly())
        .register_fn("range", range(|a: INT, b: Count| (a, b.exactly())))
        .register_fn("range", range(|a: Count, b: INT| (a.exactly(), b)))
        .register_fn(
            "range",
            range(|a: Count, b: Count| (a.exactly(), b.exactly())),
        )
        .register_fn(
            "range",
            |ctx: NativeCallContext, a: INT, b: Count, step: INT| {
                ctx.call_native_fn::<Dynamic>("range", (a, b.exactly(), step))
            },
        );
}

/// Rhai's own `range` with the numbers that counts are.
fn range<A, B>(
    plain: fn(A, B) -> (INT, INT),
) -> impl Fn(NativeCallContext<'_>, A, B) -> Result<Dynamic, Box<EvalAltResult>> {
    move |ctx, a, b| ctx.call_native_fn("range", plain(a, b))
}

fn register_text(engine: &mut Engine) {
    engine.register_fn("to_json", |map: &mut Map| -> Fallible<String> {
        Ok(format_map_as_json(&plain_map(map.clone(), 0)?))
    });
    for name in ["to_string", "to_debug"] {
        engine
            .register_fn(name, |it: &mut Count| it.exactly().to_string())
            .register_fn(name, |it: &mut Age| it.text());
    }
    engine
        .register_fn("+", |a: ImmutableString, b: Count| {
            format!("{a}{}", b.exactly())
        })
        .register_fn("+", |a: Count, b: ImmutableString| {
            format!("{}{b}", a.exactly())
        })
        .register_fn("+", |a: ImmutableString, b: Age| format!("{a}{}", b.text()))
        .register_fn("+", |a: Age, b: ImmutableString| format!("{}{b}", a.text()));
}

fn register_ages(engine: &mut Engine) {
    let span = |it: Span| INT::try_from(it.0).unwrap_or(INT::MAX);
    engine
        .register_get("minutes", |it: &mut Age| it.in_units(MINUTE_MS))
        .register_get("seconds", |it: &mut Age| it.in_units(SECOND_MS));
    for Comparison { symbol, holds } in COMPARISONS {
        engine.register_fn(symbol, move |a: Age, b: Age| {
            holds(a.exactly().partial_cmp(&b.exactly()))
        });
    }
    for (name, compares) in [
        (">=", (|a, b| a.is_at_least(b)) as fn(Count, INT) -> bool),
        ("<", |a, b| !a.is_at_least(b)),
        (">", |a, b| a.is_more_than(b)),
        ("<=", |a, b| !a.is_more_than(b)),
        ("==", |a, b| a.equals(b)),
        ("!=", |a, b| !a.equals(b)),
    ] {
        engine.register_fn(name, move |a: Age, b: Span| {
            compares(a.in_units(1), span(b))
        });
    }
    for (name, compares) in [
        ("<=", (|a, b| b.is_at_least(a)) as fn(INT, Count) -> bool),
        (">", |a, b| !b.is_at_least(a)),
        ("<", |a, b| b.is_more_than(a)),
        (">=", |a, b| !b.is_more_than(a)),
        ("==", |a, b| b.equals(a)),
        ("!=", |a, b| !b.equals(a)),
    ] {
        engine.register_fn(name, move |a: Span, b: Age| {
            compares(span(a), b.in_units(1))
        });
    }
    engine
        .register_fn("+", |a: Age, b: Span| {
            Span(a.exactly().0.saturating_add(b.0))
        })
        .register_fn("-", |a: Age, b: Span| {
            Span(a.exactly().0.saturating_sub(b.0))
        });
}

fn fault(text: String) -> Box<EvalAltResult> {
    text.into()
}
