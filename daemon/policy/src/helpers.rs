//! Built-in functions for policies: durations, page targets, string patterns. All are pure, so that
//! a policy gives the same result in a test, a replay and in production.

use rhai::{Dynamic, Engine, FLOAT, INT, ImmutableString};
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

use crate::comparison::{COMPARISONS, Comparison};
use crate::describe::describe;
use crate::limits::PATTERN_BYTES_MAX;
use crate::quantity::Count;
use crate::raised::{Fallible, Raised};
use crate::span::Span;

/// The names of all helpers and methods, to suggest the nearest one to an unknown name.
pub(crate) const NAMES: &[&str] = &[
    "seconds",
    "minutes",
    "hours",
    "days",
    "person",
    "oncall",
    "team",
    "number",
    "next",
    "within",
    "firing",
    "count",
    "count_distinct",
    "flaps",
    "is_open",
    "matches",
    "label",
    "first_label",
    "contains",
    "keys",
    "on_call",
    "has_rotation",
    "load",
    "changes",
    "sub_string",
    "starts_with",
    "ends_with",
    "to_upper",
    "to_lower",
    "trim",
    "replace",
    "split",
    "index_of",
    "push",
    "pop",
    "len",
    "min",
    "max",
    "to_string",
    "to_int",
    "parse_int",
    "to_float",
    "abs",
    "filter",
    "map",
    "some",
    "all",
    "find",
    "sort",
    "reverse",
    "values",
    "is_empty",
    "range",
    "print",
    "type_of",
    "throw",
];

pub(crate) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Span>("Duration");
    register_span(engine);
    register_number(engine);
    engine.register_fn("person", |name: &str| target("person", name));
    engine.register_fn("oncall", |rotation: &str| target("oncall", rotation));
    engine.register_fn("team", |name: &str| target("team", name));
    engine.register_fn("matches", |text: &str, pattern: &str| -> Fallible<bool> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(format!(
                "the pattern of `matches` is {} bytes long; at most {PATTERN_BYTES_MAX}",
                pattern.len()
            )
            .into());
        }
        Ok(glob(pattern, text))
    });
}

fn register_span(engine: &mut Engine) {
    for (name, unit_ms) in [
        ("seconds", SECOND_MS),
        ("minutes", MINUTE_MS),
        ("hours", HOUR_MS),
        ("days", 24 * HOUR_MS),
    ] {
        engine.register_fn(name, move |count: INT| span(name, count, unit_ms));
    }
    for Comparison { symbol, holds } in COMPARISONS {
        engine.register_fn(symbol, move |a: Span, b: Span| holds(a.partial_cmp(&b)));
    }
    engine
        .register_fn("+", |a: Span, b: Span| Span(a.0.saturating_add(b.0)))
        .register_fn("-", |a: Span, b: Span| Span(a.0.saturating_sub(b.0)))
        .register_fn("*", |a: Span, times: INT| -> Fallible<Span> {
            match u64::try_from(times) {
                Ok(times) => Ok(Span(a.0.saturating_mul(times))),
                Err(_) => Err(format!("a duration cannot be multiplied by {times}").into()),
            }
        })
        .register_fn("to_string", |a: &mut Span| {
            ImmutableString::from(a.to_string())
        })
        .register_fn("to_debug", |a: &mut Span| {
            ImmutableString::from(a.to_string())
        })
        .register_get("minutes", |a: &mut Span| whole(a.0 / MINUTE_MS))
        .register_get("seconds", |a: &mut Span| whole(a.0 / SECOND_MS));
}

/// `number(text, default)`: labels are texts, and a number is not compared with a text.
fn register_number(engine: &mut Engine) {
    engine
        .register_fn("number", |text: Dynamic, default: Dynamic| {
            number(text).unwrap_or(default)
        })
        .register_fn("number", |text: Dynamic| -> Fallible<Dynamic> {
            number(text).map_err(|found| {
                Raised::error(
                    format!("{} is not a number", describe(&found)),
                    "give a default for that case: `number(text, 0)`",
                )
            })
        });
}

/// The number that a text says, whole if it can be; a number is itself.
fn number(value: Dynamic) -> Result<Dynamic, Dynamic> {
    if value.is_int() || value.is_float() || value.is::<Count>() {
        return Ok(value);
    }
    let Ok(text) = value.as_immutable_string_ref().map(|it| it.clone()) else {
        return Err(value);
    };
    let text = text.trim();
    if let Ok(whole) = text.parse::<INT>() {
        return Ok(whole.into());
    }
    let fraction = text.parse::<FLOAT>().ok().filter(|it| it.is_finite());
    fraction.map(Dynamic::from).ok_or(value.clone())
}

fn span(name: &str, count: INT, unit_ms: u64) -> Fallible<Span> {
    u64::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(unit_ms))
        .map(Span)
        .ok_or_else(|| {
            let remedy = format!("a duration is 0 or longer, as `{name}(5)`");
            Raised::error(format!("{name}({count}) is not a duration"), remedy)
        })
}

fn whole(count: u64) -> INT {
    INT::try_from(count).unwrap_or(INT::MAX)
}

fn target(kind: &str, name: &str) -> Fallible<ImmutableString> {
    if name.is_empty() {
        return Err(format!("{kind}(\"\") names nobody; give a name").into());
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(format!("the name in {kind}(…) is longer than {NAME_BYTES_MAX} bytes").into());
    }
    Ok(format!("{kind}:{name}").into())
}

/// Whether all of `text` matches `pattern`, in which `*` matches any string and `?` one character.
/// The time is at most proportional to the product of both lengths.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut pattern_at = pattern.chars();
    let mut text_at = text.chars();
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (pattern_here, text_here) = (pattern_at.clone(), text_at.clone());
        match (pattern_at.next(), text_at.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                retry = Some((pattern_at.clone(), text_here.clone()));
                text_at = text_here;
                continue;
            }
            (Some('?'), Some(_)) => continue,
            (Some(want), Some(have)) if want == have => continue,
            _ => drop(pattern_here),
        }
        let Some((after_star, mut from)) = retry.take() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        pattern_at = after_star.clone();
        text_at = from.clone();
        retry = Some((after_star, from));
    }
}
