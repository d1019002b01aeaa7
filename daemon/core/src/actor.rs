//! Who did something. Every event records its actor, for the log and to measure how incident load
//! is distributed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{IntegrationId, PersonId, PluginId};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Actor {
    /// A person from the configuration.
    Person(PersonId),
    /// A sender of alerts.
    Integration(IntegrationId),
    /// A plugin, on its own behalf.
    Plugin(PluginId),
    /// The holder of an API token that is not tied to a person, by the token's name.
    Token(String),
    /// The daemon itself: a timer, a policy's verdict.
    Tocsin,
}

impl Actor {
    /// The person, if it is one.
    #[must_use]
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Person(id) => Some(id),
            _ => None,
        }
    }

    /// Whether it is a person, or the holder of a token that is not tied to one.
    #[must_use]
    pub fn is_somebody(&self) -> bool {
        matches!(self, Self::Person(_) | Self::Token(_))
    }

    /// The kind as text: `person`, `integration`, `plugin`, `token`, `tocsin`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Integration(_) => "integration",
            Self::Plugin(_) => "plugin",
            Self::Token(_) => "token",
            Self::Tocsin => "tocsin",
        }
    }

    /// The name alone; `tocsin` for the daemon itself.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Person(id) => id.as_str(),
            Self::Integration(id) => id.as_str(),
            Self::Plugin(id) => id.as_str(),
            Self::Token(name) => name,
            Self::Tocsin => "tocsin",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
