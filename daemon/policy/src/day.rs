//! Weekdays in policies: a type of its own, since `weekday == "Sunday"` would silently be false.

use rhai::{Dynamic, Engine, ImmutableString};

use crate::raised::{Fallible, Raised};
use crate::view::Weekday;

/// A day of the week, which scripts compare with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) Weekday);

impl Day {
    /// The day with this name, in lower case as policies write it.
    pub(crate) fn named(name: &str) -> Fallible<Self> {
        let day = Weekday::ALL.into_iter().find(|day| day.as_str() == name);
        day.map(Self).ok_or_else(|| {
            let remedy = match meant(name) {
                Some(day) => format!("write \"{}\"", day.as_str()),
                None => format!(
                    "weekdays are {}",
                    Weekday::ALL.map(Weekday::as_str).join(", ")
                ),
            };
            let name = crate::text::cut(name, 64);
            Raised::error(format!("{name:?} is not a weekday"), remedy)
        })
    }
}

/// The day that a name in another spelling means: `Sunday`, `sun`.
fn meant(name: &str) -> Option<Weekday> {
    let name = name.trim().to_lowercase();
    let starts = |day: &Weekday| name.len() >= 2 && day.as_str().starts_with(&name);
    Weekday::ALL.into_iter().find(starts)
}

/// A value as a verdict is decoded from it: a weekday is its name.
pub(crate) fn plain(value: Dynamic) -> Dynamic {
    match value.read_lock::<Day>().map(|it| it.0.as_str()) {
        Some(name) => name.into(),
        None => value,
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Day>("Weekday")
        .register_fn("==", |a: Day, b: Day| a == b)
        .register_fn("!=", |a: Day, b: Day| a != b)
        .register_fn("to_string", |it: &mut Day| it.0.as_str())
        .register_fn("to_debug", |it: &mut Day| it.0.as_str())
        .register_fn("+", |a: ImmutableString, b: Day| {
            format!("{a}{}", b.0.as_str())
        })
        .register_fn("+", |a: Day, b: ImmutableString| {
            format!("{}{b}", a.0.as_str())
        });
    for (symbol, wanted) in [("==", true), ("!=", false)] {
        engine
            .register_fn(
                symbol,
                move |a: Day, b: ImmutableString| -> Fallible<bool> {
                    Ok((Day::named(&b)? == a) == wanted)
                },
            )
            .register_fn(
                symbol,
                move |a: ImmutableString, b: Day| -> Fallible<bool> {
                    Ok((Day::named(&a)? == b) == wanted)
                },
            );
    }
}
