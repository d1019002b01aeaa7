//! `take`: the caller is on call from now on.

use clap::Args;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OnCallVerb;
use super::times::End;
use super::verb::Asked;
use crate::config::{Moment, Span};
use crate::people::{NewOverride, OverrideRefusal};

/// Put yourself on call, from now until the end of the current shift or the given time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Take {
    /// Which rotation, by its ID in the configuration.
    pub(crate) rotation: String,
    /// Until when, local to the rotation's time zone unless it has an offset from UTC; left out,
    /// until the current shift ends.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[arg(long, value_name = "TIME", conflicts_with = "lasts")]
    pub(crate) until: Option<Moment>,
    /// How long, such as 4h.
    #[schema(value_type = Option<String>)]
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    #[arg(id = "lasts", long = "for", value_name = "SPAN")]
    pub(crate) lasts: Option<Span>,
}

impl OnCallVerb for Take {
    const NAME: &'static str = "take";
    const SYNTAX: &'static str = "ROTATION [UNTIL|4h]";
    const EXAMPLE: &'static str = "tocsin oncall take payments --for 4h";

    fn parse(words: &[&str]) -> Result<Self, String> {
        let usage = "write `oncall take ROTATION [UNTIL|4h]`, such as `oncall take payments 4h`";
        let (rotation, end) = match words {
            [rotation] => (rotation, None),
            [rotation, end] => (rotation, Some(End::parse(end).ok_or(usage)?)),
            _ => return Err(usage.to_owned()),
        };
        let (until, lasts) = end.map(End::fields).unwrap_or_default();
        Ok(Self {
            rotation: (*rotation).to_owned(),
            until,
            lasts,
        })
    }

    fn wanted(&self, asked: Asked<'_>) -> Result<Vec<NewOverride>, OverrideRefusal> {
        let Some(person) = asked.by.person() else {
            return Err(OverrideRefusal::Other(format!(
                "`{}` is not a person, and only a person can take a shift; use a token of a \
                 person, or `override`",
                asked.by
            )));
        };
        let Some(rotation) = asked.roster.rotations.get(&self.rotation) else {
            return Err(asked.roster.no_rotation(&self.rotation));
        };
        let until = match End::of(self.until, self.lasts)? {
            Some(end) => end.instant(rotation.zone, asked.now),
            None if rotation.on_call(asked.now).contains(person) => {
                return Err(OverrideRefusal::Other(format!(
                    "{person} is on call already; say until when, to stay on call for longer"
                )));
            }
            None => rotation.next_handover(asked.now).ok_or_else(|| {
                OverrideRefusal::Other(
                    "the current shift has no end; say until when, or for how long".to_owned(),
                )
            })?,
        };
        Ok(vec![NewOverride {
            rotation: self.rotation.clone(),
            person: person.clone(),
            from: asked.now,
            until,
            reason: String::new(),
        }])
    }
}
