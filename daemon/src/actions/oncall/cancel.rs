//! `cancel`: ends an override, or takes it back.

use clap::Args;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OnCallVerb;

/// Cancel an override: one that has begun ends now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    /// The override's ID, as `tocsin oncall list` shows it.
    pub(crate) id: String,
}

impl OnCallVerb for Cancel {
    const NAME: &'static str = "cancel";
    const SYNTAX: &'static str = "ID";
    const EXAMPLE: &'static str = "tocsin oncall cancel 1f0c5a9e";

    fn parse(words: &[&str]) -> Result<Self, String> {
        match words {
            [id] => Ok(Self {
                id: (*id).to_owned(),
            }),
            _ => Err("write `oncall cancel ID`; `oncall list` shows the IDs".to_owned()),
        }
    }

    fn canceled(&self) -> Option<&str> {
        Some(&self.id)
    }
}
