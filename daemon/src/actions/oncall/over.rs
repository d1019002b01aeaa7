//! `override`: puts a person on call for a while, whoever's turn it is.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::PersonId;
use utoipa::ToSchema;

use super::OnCallVerb;
use super::times::{End, person};
use super::verb::Asked;
use crate::config::{Moment, Span};
use crate::people::{NewOverride, OverrideRefusal};

/// Put a person on call for a while, whoever's turn it is.
///
/// Times are local to the rotation's time zone unless they have an offset from UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    /// Which rotation, by its ID in the configuration.
    pub(crate) rotation: String,
    /// Who is on call.
    #[schema(value_type = String)]
    pub(crate) person: PersonId,
    /// From when, such as 2026-12-24T18:00; left out, from now on.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Moment>,
    /// Until when; either this or `for`.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[arg(
        long,
        value_name = "TIME",
        required_unless_present = "lasts",
        conflicts_with = "lasts"
    )]
    pub(crate) until: Option<Moment>,
    /// How long, such as 4h.
    #[schema(value_type = Option<String>)]
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    #[arg(id = "lasts", long = "for", value_name = "SPAN")]
    pub(crate) lasts: Option<Span>,
    /// Why, for others to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl OnCallVerb for Override {
    const NAME: &'static str = "override";
    const SYNTAX: &'static str = "ROTATION PERSON [FROM] UNTIL|4h [REASON]";
    const EXAMPLE: &'static str = "tocsin oncall override payments bob --from 2026-12-24T18:00 \
                                   --until 2026-12-27T09:00 --reason holidays";

    fn parse(words: &[&str]) -> Result<Self, String> {
        let usage = || {
            "write `oncall override ROTATION PERSON [FROM] UNTIL|4h [REASON]`, such as \
             `oncall override payments bob 2026-12-24T18:00 2026-12-27T09:00 holidays`"
                .to_owned()
        };
        let [rotation, who, rest @ ..] = words else {
            return Err(usage());
        };
        let first = rest.first().and_then(|it| End::parse(it));
        let second = rest.get(1).and_then(|it| End::parse(it));
        let (from, end, reason) = match (first, second) {
            (Some(End::At(from)), Some(end)) => (Some(from), end, &rest[2..]),
            (Some(end), _) => (None, end, &rest[1..]),
            (None, _) => return Err(usage()),
        };
        let (until, lasts) = end.fields();
        Ok(Self {
            rotation: (*rotation).to_owned(),
            person: person(who),
            from,
            until,
            lasts,
            reason: Some(reason.join(" ")).filter(|it| !it.is_empty()),
        })
    }

    fn wanted(&self, asked: Asked<'_>) -> Result<Vec<NewOverride>, OverrideRefusal> {
        let Some(rotation) = asked.roster.rotations.get(&self.rotation) else {
            return Err(asked.roster.no_rotation(&self.rotation));
        };
        let zone = rotation.zone;
        let end = End::of(self.until, self.lasts)?.ok_or_else(|| {
            OverrideRefusal::Other("it has no end; give `until` or `for`".to_owned())
        })?;
        let from = self.from.map_or(asked.now, |it| it.instant(zone));
        Ok(vec![NewOverride {
            rotation: self.rotation.clone(),
            person: self.person.clone(),
            from,
            until: end.instant(zone, from),
            reason: self.reason.clone().unwrap_or_default(),
        }])
    }
}
