//! What an announcement shows of one incident.

use super::{is_active, is_attended};
use crate::{room, text};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Audience, Grade, Incident, Status, Timestamp};

/// Longest title, list of services and name, in characters: the entries of a message fit into a row
/// of the store.
const TITLE_CHARS_MAX: usize = 60;
const SERVICES_CHARS_MAX: usize = 40;
const NAME_CHARS_MAX: usize = 30;

/// An incident in an announcement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) title: String,
    /// For those who do not know its title.
    pub(super) services: String,
    pub(super) rank: Rank,
    pub(super) drill: bool,
    pub(super) mitigated: bool,
    /// Whether somebody has looked after it since it was opened or reopened.
    pub(super) attended: bool,
    pub(super) operator: Option<String>,
    pub(super) spokesperson: Option<String>,
    /// The war room's id.
    pub(super) room: Option<String>,
    pub(super) opened_at: Timestamp,
    /// When the next update is due that the company was promised.
    pub(super) company_due: Option<Timestamp>,
    /// As the company, for engineers.
    pub(super) engineering_due: Option<Timestamp>,
    /// When it ended; none while it is active.
    pub(super) ended_at: Option<Timestamp>,
    /// The incident that it was merged into.
    pub(super) merged_into: Option<u64>,
    /// Whether a reply said that it is over.
    #[serde(default)]
    pub(super) told: bool,
}

/// A grade, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rank {
    Critical,
    Major,
    Minor,
}

impl Rank {
    pub(super) fn grade(self) -> Grade {
        match self {
            Self::Critical => Grade::Critical,
            Self::Major => Grade::Major,
            Self::Minor => Grade::Minor,
        }
    }
}

impl Entry {
    pub(super) fn of(incident: &Incident) -> Self {
        let name = |it: &tocsin_plugin_sdk::types::Person| short(&it.name, NAME_CHARS_MAX);
        let due = |audience: Audience| {
            let mut promised = incident.next_updates.iter();
            promised.find(|it| it.audience == audience).map(|it| it.due)
        };
        let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
        let public = incident.public_title.clone();
        let services = public.unwrap_or_else(|| incident.services.join(", "));
        let ended_at = incident.resolved_at.unwrap_or(incident.opened_at);
        Entry {
            id: incident.id.clone(),
            number: incident.number,
            title: short(&incident.title, TITLE_CHARS_MAX),
            services: short(&services, SERVICES_CHARS_MAX),
            rank: match incident.grade {
                Grade::Critical => Rank::Critical,
                Grade::Major => Rank::Major,
                Grade::Minor => Rank::Minor,
            },
            drill: incident.drill,
            mitigated: incident.status == Status::Mitigated,
            attended: is_attended(incident),
            operator: incident.operator.as_ref().map(name),
            spokesperson: incident.spokesperson.as_ref().map(name),
            room: room::linked(incident).map(Into::into),
            opened_at: incident.opened_at,
            company_due: due(Audience::Company),
            engineering_due: due(Audience::Engineering),
            ended_at: (!is_active(incident)).then_some(ended_at),
            merged_into: extra["merged-into"].as_u64(),
            told: false,
        }
    }

    /// Whether its end is worth a message of its own.
    pub(super) fn is_serious(&self) -> bool {
        self.rank <= Rank::Major
    }

    /// Open ones first, then the worst, then the oldest.
    pub(super) fn order(&self) -> (bool, Rank, u64) {
        (self.ended_at.is_some(), self.rank, self.number)
    }
}

fn short(what: &str, chars_max: usize) -> String {
    text::cut(&text::one_line(what), chars_max)
}
