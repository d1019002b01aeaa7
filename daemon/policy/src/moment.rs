//! Times of the week in policies: `next("weekdays 09:00")` for a step of a plan, and
//! `ctx.within("weekdays 22:00-06:00")`.

use std::str::FromStr;

use chrono_tz::Tz;
use rhai::{Engine, ImmutableString};
use tocsin_core::Timestamp;

use crate::calendar::{Moment, UnknownMoment, Window};
use crate::raised::{Fallible, Raised};
use crate::text::cut;
use crate::trace::{Answer, Facts, Read, read};
use crate::view::Context;

/// Longest text of a time or a zone, in bytes.
const TEXT_BYTES_MAX: usize = 64;

/// The first such time after an incident became active. It is found when the verdict is read, as
/// only then the incident is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    time: String,
    zone: Option<String>,
}

impl Next {
    /// When that is; `None` at once.
    pub(crate) fn resolve(&self, facts: Facts<'_>) -> Option<Timestamp> {
        when(Read::Next(self.time.clone(), self.zone.clone()), facts)
    }

    /// When that is again after it; `None` at once.
    pub(crate) fn resolve_again(&self, facts: Facts<'_>) -> Option<Timestamp> {
        when(Read::Again(self.time.clone(), self.zone.clone()), facts)
    }
}

fn when(asked: Read, facts: Facts<'_>) -> Option<Timestamp> {
    match read(asked, facts) {
        Answer::Whole(ms) => Some(Timestamp(ms)),
        _ => None,
    }
}

pub(crate) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Next>("Time")
        .register_fn("next", |time: &str| next(time, None))
        .register_fn("next", |time: &str, zone: &str| next(time, Some(zone)))
        .register_fn("to_string", |it: &mut Next| shown(it))
        .register_fn("to_debug", |it: &mut Next| shown(it))
        .register_fn("within", |ctx: &mut Context, hours: &str| {
            within(ctx, hours, None)
        })
        .register_fn("within", |ctx: &mut Context, hours: &str, zone: &str| {
            within(ctx, hours, Some(zone))
        });
}

fn next(time: &str, zone: Option<&str>) -> Fallible<Next> {
    parsed::<Moment>(time)?;
    Ok(Next {
        time: time.to_owned(),
        zone: zone.map(known_zone).transpose()?,
    })
}

fn within(ctx: &Context, hours: &str, zone: Option<&str>) -> Fallible<bool> {
    parsed::<Window>(hours)?;
    let zone = zone.map(known_zone).transpose()?;
    let answer = read(Read::Within(hours.to_owned(), zone), ctx.as_facts());
    Ok(answer == Answer::Flag(true))
}

fn parsed<T: FromStr<Err = UnknownMoment>>(text: &str) -> Fallible<T> {
    text.parse().map_err(|unknown: UnknownMoment| {
        let UnknownMoment {
            text,
            wanted,
            examples,
        } = unknown;
        let text = cut(&text, TEXT_BYTES_MAX);
        Raised::error(
            format!("{text:?} is not {wanted}"),
            format!("write {examples}"),
        )
    })
}

fn known_zone(zone: &str) -> Fallible<String> {
    match zone.parse::<Tz>() {
        Ok(_) => Ok(zone.to_owned()),
        Err(_) => Err(Raised::error(
            format!("{:?} is not a time zone", cut(zone, TEXT_BYTES_MAX)),
            "use an IANA name such as \"Europe/Berlin\", or \"UTC\"",
        )),
    }
}

fn shown(next: &Next) -> ImmutableString {
    format!("next {}", next.time).into()
}
