//! A change, such as a deployment, as any sender reports it and as it is stored.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{ChangeId, IntegrationId, Timestamp};

/// A change, such as a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Empty of rows that were written before changes had one.
    #[serde(default)]
    pub id: ChangeId,
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// One line for people.
    pub summary: String,
    pub timestamp: Timestamp,
    /// Its source, such as a host or a pipeline.
    #[serde(default)]
    pub source: Option<String>,
    /// The services that it changes, without duplicates.
    #[serde(default, alias = "service", deserialize_with = "one_or_many")]
    pub services: Vec<String>,
    #[serde(default)]
    pub environment: Option<String>,
    /// Its outcome, in the sender's words.
    #[serde(default)]
    pub outcome: Option<String>,
    #[serde(default)]
    pub revision: Option<String>,
    /// Links for people.
    #[serde(default)]
    pub links: Vec<ChangeLink>,
}

/// A link for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLink {
    /// An http or https URL.
    pub href: String,
    /// The link's text.
    #[serde(default)]
    pub text: Option<String>,
}

/// What an incident keeps of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeBrief {
    pub id: ChangeId,
    pub at: Timestamp,
    /// One line for people.
    pub title: String,
    /// Its first link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Change {
    #[must_use]
    pub fn brief(&self) -> ChangeBrief {
        ChangeBrief {
            id: self.id.clone(),
            at: self.timestamp,
            title: self.summary.clone(),
            link: self.links.first().map(|it| it.href.clone()),
        }
    }
}

/// Rows that were written when a change had one service have it, or null, in place of a list.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Services {
        One(Option<String>),
        Many(Vec<String>),
    }
    Ok(match Services::deserialize(deserializer)? {
        Services::One(one) => one.into_iter().collect(),
        Services::Many(many) => many,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_with_one_service_or_none_is_still_read() {
        let cases = [
            (json!({"service": "shop"}), vec!["shop"]),
            (json!({"service": null}), vec![]),
            (json!({"services": ["shop", "cart"]}), vec!["shop", "cart"]),
            (json!({}), vec![]),
        ];
        for (mut row, services) in cases {
            row["integration"] = "ci".into();
            row["summary"] = "Deploy".into();
            row["timestamp"] = 1.into();
            let read: Change = serde_json::from_value(row.clone()).unwrap();
            assert_eq!(read.services, services, "{row}");
            let again: Change = serde_json::from_value(json!(read)).unwrap();
            assert_eq!(again, read, "{row}");
        }
    }
}
