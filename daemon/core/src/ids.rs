//! Names of things, each a type of its own, so that a page cannot be sent to an incident.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

id!(
    /// An incident: a UUID version 7 in text form, made by the shell.
    IncidentId
);
id!(
    /// What an incident is about: the routing policy's key. One incident is open per key.
    IncidentKey
);
id!(
    /// A source of alerts, by its name in the configuration.
    IntegrationId
);
id!(
    /// An alert within its integration, as its sender identifies it.
    Fingerprint
);
id!(
    /// A person, by their handle in the configuration.
    PersonId
);
id!(
    /// A team, by its name in the configuration.
    TeamId
);
id!(
    /// A page: `{incident}-p{n}`, so that a retry names the same page.
    PageId
);
id!(
    /// A plugin, by its name in the configuration.
    PluginId
);

/// An id and a number for an incident, should one open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncidentId {
    pub id: IncidentId,
    pub number: u64,
}
