//! The queries of Alertmanager's API v2.

use std::collections::BTreeMap;

use regex::Regex;
use tocsin_core::{Labels, Timestamp};

use super::view::{AlertGroup, AlertRecord, AlertState, GettableAlert, Receiver};
use crate::silence::{
    MATCHERS_MAX, Matcher, MatcherError, MatcherSyntaxError, matches_all, parse_matcher,
};

/// The parameters of `GET /api/v2/alerts`.
#[derive(Clone, Debug)]
pub struct AlertQuery {
    matchers: Vec<Matcher>,
    receiver: Option<Regex>,
    receiver_matchers: Vec<Matcher>,
    active: bool,
    silenced: bool,
    inhibited: bool,
    unprocessed: bool,
}

impl Default for AlertQuery {
    fn default() -> Self {
        Self {
            matchers: Vec::new(),
            receiver: None,
            receiver_matchers: Vec::new(),
            active: true,
            silenced: true,
            inhibited: true,
            unprocessed: true,
        }
    }
}

impl AlertQuery {
    /// Parses the query's decoded pairs; unknown parameters are ignored.
    ///
    /// # Errors
    /// When a parameter's value is not valid.
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for (name, value) in pairs {
            query.set(name, value)?;
        }
        Ok(query)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        match name {
            "active" => self.active = flag("active", value)?,
            "silenced" => self.silenced = flag("silenced", value)?,
            "inhibited" => self.inhibited = flag("inhibited", value)?,
            "unprocessed" => self.unprocessed = flag("unprocessed", value)?,
            "filter" => add_matcher(&mut self.matchers, value)?,
            "receiver_matchers" => add_matcher(&mut self.receiver_matchers, value)?,
            "receiver" if !value.is_empty() => {
                self.receiver = Some(crate::silence::compile_pattern("receiver", value)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the query selects this alert. Resolved alerts are never selected.
    #[must_use]
    pub fn takes(&self, record: &AlertRecord, now: Timestamp) -> bool {
        !record.has_ended(now)
            && (self.active || record.is_muted())
            && (self.silenced || record.silenced_by.is_empty())
            && (self.inhibited || record.inhibited_by.is_empty())
            && (self.unprocessed || record.state() != AlertState::Unprocessed)
            && record
                .receivers
                .iter()
                .any(|name| self.takes_receiver(name))
            && matches_all(&self.matchers, &record.labels)
    }

    /// Whether the query selects this receiver. The daemon's receivers have no labels, so
    /// `receiver_matchers` match empty values.
    #[must_use]
    pub fn takes_receiver(&self, name: &str) -> bool {
        self.receiver
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(name))
            && matches_all(&self.receiver_matchers, &Labels::new())
    }

    /// The selected alerts, by fingerprint.
    #[must_use]
    pub fn list<'a>(
        &self,
        records: impl IntoIterator<Item = &'a AlertRecord>,
        now: Timestamp,
    ) -> Vec<GettableAlert> {
        let mut found: Vec<_> = records
            .into_iter()
            .filter(|record| self.takes(record, now))
            .collect();
        found.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        found
            .into_iter()
            .map(|record| GettableAlert::of(record, now))
            .collect()
    }

    /// The selected receivers.
    #[must_use]
    pub fn receivers<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<Receiver> {
        names
            .into_iter()
            .filter(|name| self.takes_receiver(name))
            .map(Receiver::named)
            .collect()
    }
}

/// The parameters of `GET /api/v2/alerts/groups`.
#[derive(Clone, Debug)]
pub struct GroupQuery {
    alerts: AlertQuery,
    muted: bool,
}

impl GroupQuery {
    /// Parses the query's decoded pairs; unknown parameters are ignored.
    ///
    /// # Errors
    /// When a parameter's value is not valid.
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, QueryError> {
        let mut query = Self {
            alerts: AlertQuery::default(),
            muted: true,
        };
        for (name, value) in pairs {
            match name {
                "muted" => query.muted = flag("muted", value)?,
                // The alerts' own parameter; groups do not have it.
                "unprocessed" => {}
                _ => query.alerts.set(name, value)?,
            }
        }
        Ok(query)
    }

    /// The selected groups, by receiver and labels. An alert with two receivers is in two groups.
    #[must_use]
    pub fn list<'a>(
        &self,
        records: impl IntoIterator<Item = &'a AlertRecord>,
        now: Timestamp,
    ) -> Vec<AlertGroup> {
        let mut groups: BTreeMap<(&str, &Labels), Vec<&AlertRecord>> = BTreeMap::new();
        for record in records {
            if !self.alerts.takes(record, now) {
                continue;
            }
            for receiver in record
                .receivers
                .iter()
                .filter(|r| self.alerts.takes_receiver(r))
            {
                groups
                    .entry((receiver, &record.group))
                    .or_default()
                    .push(record);
            }
        }
        groups.retain(|_, alerts| self.muted || !alerts.iter().all(|alert| alert.is_muted()));
        groups
            .into_iter()
            .map(|((receiver, labels), mut alerts)| {
                alerts.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
                AlertGroup {
                    labels: labels.clone(),
                    route_labels: Labels::new(),
                    receiver: Receiver::named(receiver),
                    alerts: alerts
                        .into_iter()
                        .map(|a| GettableAlert::of(a, now))
                        .collect(),
                }
            })
            .collect()
    }
}

fn add_matcher(matchers: &mut Vec<Matcher>, text: &str) -> Result<(), QueryError> {
    if matchers.len() >= MATCHERS_MAX {
        return Err(QueryError::TooMany);
    }
    matchers.push(parse_matcher(text)?);
    Ok(())
}

fn flag(name: &'static str, value: &str) -> Result<bool, QueryError> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(QueryError::Flag {
            name,
            value: value.chars().take(40).collect(),
        }),
    }
}

/// Why a query is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A parameter is neither true nor false.
    #[error("the parameter `{name}` must be true or false, not `{value}`")]
    Flag {
        name: &'static str,
        /// The beginning of its value.
        value: String,
    },
    /// There are too many filters.
    #[error("a query can have at most {MATCHERS_MAX} filters")]
    TooMany,
    /// A filter is not a matcher.
    #[error(transparent)]
    Filter(#[from] MatcherSyntaxError),
    /// The receiver's pattern does not compile.
    #[error(transparent)]
    Receiver(#[from] MatcherError),
}
