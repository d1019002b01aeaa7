//! Identifiers, each with its own type so that they cannot be confused.

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
    /// The routing policy's key, which groups alerts. At most one incident is open per key.
    IncidentKey
);
id!(
    /// A source of alerts, by its name in the configuration.
    IntegrationId
);
id!(
    /// Identifies an alert within its integration, as given by the sender.
    Fingerprint
);
id!(
    /// A person, by their id in the configuration.
    PersonId
);
id!(
    /// A team, by its name in the configuration.
    TeamId
);
id!(
    /// A page: `{incident}-p{n}`, so that a retry has the same id.
    PageId
);
id!(
    /// A plugin, by its name in the configuration.
    PluginId
);

id!(
    /// A change, such as a deployment; one that is reported again has the same.
    ChangeId
);

id!(
    /// A question: `{incident}-q{n}`.
    PromptId
);

/// A message to a person that brings pages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    pub person: PersonId,
    /// Unique for the person.
    pub number: u64,
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "message-{}-{}", self.number, self.person)
    }
}

impl MessageId {
    /// The message of an id in text form; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, person) = text.strip_prefix("message-")?.split_once('-')?;
        let number = number.parse().ok()?;
        (!person.is_empty()).then(|| Self {
            person: person.into(),
            number,
        })
    }
}

/// A test of the way to a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TestId {
    pub person: PersonId,
    /// Unique for the person for ever: what a channel remembers of an earlier test must not be
    /// taken for this one.
    pub number: u64,
}

impl std::fmt::Display for TestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "test-{}-{}", self.number, self.person)
    }
}

impl TestId {
    /// The test of an id in text form; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, person) = text.strip_prefix("test-")?.split_once('-')?;
        let number = number.parse().ok()?;
        (!person.is_empty()).then(|| Self {
            person: person.into(),
            number,
        })
    }
}

/// An id and a number for a new incident, in case one opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncidentId {
    pub id: IncidentId,
    pub number: u64,
}

/// An id that names something of an incident by its number.
macro_rules! numbered {
    ($name:ident, $mark:literal) => {
        impl $name {
            #[must_use]
            pub fn of(incident: &IncidentId, number: u32) -> Self {
                Self(format!(concat!("{}-", $mark, "{}"), incident, number))
            }

            /// The incident and the number; `None` when the text is no such id.
            #[must_use]
            pub fn parts(&self) -> Option<(IncidentId, u32)> {
                let (incident, number) = self.0.rsplit_once(concat!("-", $mark))?;
                let number = number.parse().ok()?;
                (!incident.is_empty()).then(|| (incident.into(), number))
            }
        }
    };
}
numbered!(PageId, "p");
numbered!(PromptId, "q");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_id_names_its_incident_and_its_number() {
        let incident = IncidentId::from("0198-p2-x");
        assert_eq!(PageId::of(&incident, 7).parts(), Some((incident, 7)));
        for other in ["", "-p1", "i1", "i1-p", "i1-pp1", "i1-p4294967296"] {
            assert_eq!(PageId::from(other).parts(), None, "{other}");
        }
    }
}
