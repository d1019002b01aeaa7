//! Incidents: lists, one with its log, and the outcome of an action.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tocsin_core::incident::{Attempt, HoldStage};
use tocsin_core::{Audience, ChangeStatus, Grade, Labels, Role, Status};
use utoipa::{IntoParams, ToSchema};

use super::SilenceLine;

/// Which incidents to list.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentQuery {
    /// `open`, `mitigated`, `resolved` or `closed`; or `active` for the first two.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<StatusFilter>,
    /// Maximum number of incidents, 1 to 500. Default 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<usize>,
    /// Only incidents with a lower number: `next_before` of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<u64>,
    /// A token, for clients that can send no header.
    #[serde(rename = "key", skip_serializing_if = "Option::is_none")]
    pub(crate) _key: Option<String>,
}

/// Which statuses to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusFilter {
    All,
    /// Open or mitigated.
    Active,
    One(Status),
}

/// Text that is not a status filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("status must be open, mitigated, resolved, closed, active or all")]
pub(crate) struct UnknownFilter;

/// Incidents, newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct IncidentList {
    pub(crate) incidents: Vec<IncidentLine>,
    /// `before` for the next page; null on the last page.
    pub(crate) next_before: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct IncidentLine {
    /// The short number that people use.
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) title: String,
    /// The affected service.
    pub(crate) service: String,
    /// The team that owns it.
    pub(crate) team: Option<String>,
    #[schema(value_type = String, example = "critical")]
    pub(crate) grade: Grade,
    /// Whether only people with clearance may see the details.
    pub(crate) security: bool,
    #[schema(value_type = String, example = "open")]
    pub(crate) status: Status,
    /// Whether it is a drill.
    pub(crate) drill: bool,
    /// Whether somebody has acknowledged it.
    pub(crate) acknowledged: bool,
    /// The operator: the person who responds.
    pub(crate) operator: Option<String>,
    pub(crate) opened_at: String,
    /// When the service was working again.
    pub(crate) resolved_at: Option<String>,
}

/// An incident with its log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct IncidentDetail {
    #[serde(flatten)]
    pub(crate) line: IncidentLine,
    pub(crate) summary: String,
    pub(crate) grade_reason: String,
    /// A URL for people.
    pub(crate) link: Option<String>,
    /// The first alert's labels.
    #[schema(value_type = Object)]
    pub(crate) labels: Labels,
    pub(crate) alerts: AlertCounts,
    /// Who was paged, and the state of each page.
    pub(crate) pages: Vec<PageLine>,
    /// When the next escalation step is due; null while the escalation is stopped or pauses.
    pub(crate) next_escalation_at: Option<String>,
    /// Whether the escalation pauses because every firing alert is silenced.
    #[serde(default)]
    pub(crate) paused: bool,
    /// Who has which role, and who was asked to take one.
    #[serde(default)]
    pub(crate) roles: Vec<RoleLine>,
    /// Who helps besides.
    #[serde(default)]
    pub(crate) responders: Vec<String>,
    /// The updates that audiences were promised.
    #[serde(default)]
    pub(crate) promises: Vec<PromiseLine>,
    /// The open tasks and the last finished ones; none without clearance.
    #[serde(default)]
    pub(crate) tasks: Vec<TaskLine>,
    /// The changes to its services that may have caused it, and those while it is open; none
    /// without clearance.
    #[serde(default)]
    pub(crate) changes: Vec<ChangeLine>,
    /// How many more there were in the time before it, which are not listed.
    #[serde(default)]
    pub(crate) changes_unlisted: u32,
    /// Until when the acknowledgement holds; null without one.
    #[serde(default)]
    pub(crate) hold: Option<HoldLine>,
    /// Silences that match its alerts, at most 4; none without clearance.
    #[serde(default)]
    pub(crate) silences: Vec<SilenceLine>,
    /// The number of the incident that it was merged into.
    #[serde(default)]
    pub(crate) merged_into: Option<u64>,
    /// The numbers of the incidents that were merged into it.
    #[serde(default)]
    pub(crate) took_in: Vec<u64>,
    /// When it reopens, unless its alerts end before: it is resolved although some still fire.
    #[serde(default)]
    pub(crate) reopens_at: Option<String>,
    /// Its counterparts in other systems.
    pub(crate) refs: Vec<RefLine>,
    /// When the impact was mitigated.
    pub(crate) mitigated_at: Option<String>,
    /// What happened, in order.
    pub(crate) timeline: Vec<TimelineLine>,
}

/// How many alerts an incident has.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertCounts {
    /// Distinct alerts that ever joined.
    pub(crate) total: u64,
    /// Alerts that are firing now.
    pub(crate) firing: u64,
    /// Firing alerts that are silenced.
    #[serde(default)]
    pub(crate) silenced: u64,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RoleLine {
    /// `operator`, `spokesperson`, `commander` or `shadow`.
    #[schema(value_type = String)]
    pub(crate) role: Role,
    pub(crate) person: Option<String>,
    /// Who was asked to take it and has not answered.
    pub(crate) asked: Option<String>,
}

/// An update that an audience was promised.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PromiseLine {
    /// `engineering`, `company` or `public`.
    #[schema(value_type = String)]
    pub(crate) audience: Audience,
    pub(crate) due: String,
    /// Whether it was not kept.
    pub(crate) broken: bool,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaskLine {
    /// Its number within the incident.
    pub(crate) task: u32,
    pub(crate) text: String,
    /// Who does it.
    pub(crate) owner: Option<String>,
    pub(crate) done_at: Option<String>,
}

/// A change, such as a deployment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChangeLine {
    /// Its number within the incident.
    pub(crate) change: u32,
    pub(crate) title: String,
    pub(crate) at: String,
    /// `suspected`: it was made shortly before; `made`: while the incident was open; `confirmed` or
    /// `cleared` by a person.
    #[schema(value_type = String)]
    pub(crate) status: ChangeStatus,
    pub(crate) link: Option<String>,
}

/// Until when an acknowledgement holds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HoldLine {
    pub(crate) until: String,
    /// What happens then, or what is waited for: `holds` (its operator is asked whether they are
    /// still on it), `snoozed` (the escalation starts again), `asked`, `risen`, `paged` or
    /// `passed-on` (it starts again without an answer).
    #[schema(value_type = String)]
    pub(crate) stage: HoldStage,
}

/// A page to one person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PageLine {
    /// Its number within the incident.
    pub(crate) page: u32,
    pub(crate) person: String,
    /// The kind of the contact that is being tried, or that accepted it.
    pub(crate) via: Option<String>,
    #[schema(inline)]
    pub(crate) state: PageState,
    /// What became of it at each contact that was tried, in order.
    #[serde(default)]
    pub(crate) attempts: Vec<AttemptLine>,
    /// When the next rung of the person's ladder is tried, unless somebody acknowledges before.
    #[serde(default)]
    pub(crate) next_rung_at: Option<String>,
    pub(crate) at: String,
}

/// What became of a page at one contact.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AttemptLine {
    /// The contact's kind.
    pub(crate) by: String,
    /// `queued`, `failed`, `accepted`, `seen` or `pressed`.
    #[schema(value_type = String)]
    pub(crate) state: Attempt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PageState {
    /// No channel has accepted it yet.
    Waiting,
    /// A channel accepted it.
    #[serde(rename = "taken")]
    Accepted,
    /// Every channel failed.
    Exhausted,
    /// It no longer needs an answer.
    Settled,
}

impl PageState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "taken",
            Self::Exhausted => "exhausted",
            Self::Settled => "settled",
        }
    }
}

/// The incident's counterpart in another system, such as a chat channel.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RefLine {
    pub(crate) plugin: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) url: Option<String>,
}

/// An entry of the incident's log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TimelineLine {
    pub(crate) at: String,
    pub(crate) by: String,
    /// The kind of actor: `person`, `integration`, `plugin`, `token` or `tocsin`.
    pub(crate) by_kind: String,
    /// What happened, in one line.
    pub(crate) text: String,
    /// Where people can read it, for a log entry that was written elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
}

/// The outcome of an action.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Outcome {
    /// The incident's number.
    pub(crate) number: Option<u64>,
    /// The incident's id.
    pub(crate) id: Option<String>,
    /// The reply for the person.
    pub(crate) reply: String,
    /// How many events the request recorded.
    pub(crate) events: usize,
    /// Whether the request was already carried out under the same `Idempotency-Key`.
    pub(crate) repeated: bool,
}

impl StatusFilter {
    pub(crate) fn takes(self, status: Status) -> bool {
        match self {
            Self::All => true,
            Self::Active => status.is_active(),
            Self::One(one) => one == status,
        }
    }
}

impl FromStr for StatusFilter {
    type Err = UnknownFilter;

    fn from_str(text: &str) -> Result<Self, UnknownFilter> {
        match text {
            "" | "all" => Ok(Self::All),
            "active" => Ok(Self::Active),
            status => status.parse().map(Self::One).map_err(|_| UnknownFilter),
        }
    }
}

impl fmt::Display for StatusFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Active => "active",
            Self::One(status) => status.as_str(),
        })
    }
}

impl Serialize for StatusFilter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StatusFilter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
