//! `open`: opens an incident by hand. It acts on no existing incident, so it is not in the list
//! of verbs.

use std::collections::BTreeMap;

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{Draft, TeamId};
use utoipa::ToSchema;

use super::grade::grades;

/// An incident to open by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIncident {
    /// What is wrong, in one line.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,
    /// More details.
    #[serde(default)]
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) summary: String,
    /// The affected service.
    #[serde(default)]
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) service: String,
    /// The team that owns it.
    #[serde(default)]
    #[arg(long, value_name = "ID")]
    pub(crate) team: Option<String>,
    /// How bad it is. By default, the policy decides.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "major")]
    #[arg(long, value_parser = grades())]
    pub(crate) grade: Option<tocsin_core::Grade>,
    /// Whether it is a drill.
    #[serde(default)]
    #[arg(skip)]
    pub(crate) drill: bool,
}

impl NewIncident {
    /// The core's draft; `teams` are those of the configuration.
    ///
    /// # Errors
    /// Which field is not valid, and why.
    pub(crate) fn into_draft<T>(self, teams: &BTreeMap<TeamId, T>) -> Result<Draft, String> {
        let team = self.team.filter(|it| !it.is_empty()).map(TeamId);
        if let Some(team) = team.as_ref().filter(|it| !teams.contains_key(*it)) {
            return Err(format!("there is no team `{team}` in the configuration"));
        }
        if self.service.len() > NAME_BYTES_MAX {
            return Err(format!(
                "a service's name can have at most {NAME_BYTES_MAX} bytes"
            ));
        }
        Ok(Draft {
            title: self.title,
            summary: self.summary,
            service: self.service,
            team,
            key: None,
            grade: self.grade,
            drill: self.drill,
        })
    }
}
