//! What must be so in a story.

use super::words::number;

/// Something that must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Every page that came was expected by a line before.
    NobodyPaged,
    /// Each of these people gets a page through this channel; claims it.
    Paged {
        people: Vec<String>,
        /// `slack` or `mail`.
        channel: String,
        /// About which incident, if the line says so.
        incident: Option<u64>,
    },
    /// All of this is so of an incident.
    Incident {
        number: u64,
        /// What is so.
        claims: Vec<Claim>,
    },
    /// So many incidents were opened, all told.
    Incidents(u64),
    /// An incident's stream is at most so long.
    EventsAtMost {
        /// The incident's number.
        incident: u64,
        most: usize,
    },
    /// A line of the incident's log has this in it.
    Log {
        /// The incident's number.
        incident: u64,
        text: String,
        /// How many lines have it; at least one when absent.
        times: Option<usize>,
    },
    /// Some report about the policies has this in it.
    Report(String),
    /// So many war rooms were made, all told.
    WarRooms(usize),
    /// A message in the incident's war room has this in it.
    RoomSays {
        /// The incident's number.
        incident: u64,
        text: String,
    },
    /// An alert stands so.
    Alert {
        name: String,
        /// `fires`, `is over`, `waits`, `is silenced` or `is ignored`.
        stands: String,
    },
    /// A person sees no button any more.
    NoButton(String),
}

/// What may be so of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    Status(String),
    Grade(String),
    /// The reason of its grade has this in it.
    Because(String),
    /// The policy file that graded it, as its first event has it.
    GradedBy(String),
    Operator(String),
    /// Nobody has acknowledged it.
    Unanswered,
    /// How many alerts ever joined.
    Alerts(u64),
    /// How many of them fire.
    Firing(u64),
    Service(String),
    Team(String),
    /// How often it came back.
    Reopened(u32),
}

impl Fact {
    /// The fact of a line.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read(words: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(match words.as_slice() {
            ["nobody", "paged"] => Self::NobodyPaged,
            ["paged", people, "by", channel] => paged(people, channel, None),
            ["paged", people, "by", channel, "for", "incident", at] => {
                paged(people, channel, Some(number(at)?))
            }
            ["incident", at, claims @ ..] if !claims.is_empty() => Self::Incident {
                number: number(at)?,
                claims: self::claims(claims)?,
            },
            ["no", "incident"] => Self::Incidents(0),
            [count, "incident" | "incidents"] => Self::Incidents(number(count)?),
            ["events", "of", "incident", at, "at", "most", most] => Self::EventsAtMost {
                incident: number(at)?,
                most: number(most)?,
            },
            ["log", "of", "incident", at, "says", text] => Self::Log {
                incident: number(at)?,
                text: (*text).to_owned(),
                times: None,
            },
            ["log", "of", "incident", at, "says", text, times, "times"] => Self::Log {
                incident: number(at)?,
                text: (*text).to_owned(),
                times: Some(number(times)?),
            },
            ["report", "says", text] => Self::Report((*text).to_owned()),
            [count, "war", "room" | "rooms"] => Self::WarRooms(number(count)?),
            ["room", "of", "incident", at, "says", text] => Self::RoomSays {
                incident: number(at)?,
                text: (*text).to_owned(),
            },
            ["alert", name, stands @ ..] => Self::Alert {
                name: (*name).to_owned(),
                stands: stands.join(" "),
            },
            [person, "sees", "no", "button"] => Self::NoButton((*person).to_owned()),
            _ => return Err("neither something to do nor something to expect".to_owned()),
        })
    }
}

fn paged(people: &str, channel: &str, incident: Option<u64>) -> Fact {
    Fact::Paged {
        people: people.split(',').map(str::to_owned).collect(),
        channel: channel.to_owned(),
        incident,
    }
}

fn claims(mut words: &[&str]) -> Result<Vec<Claim>, String> {
    let mut claims = Vec::new();
    while !words.is_empty() {
        let (claim, rest) = match words {
            [
                it @ ("open" | "mitigated" | "resolved" | "closed"),
                rest @ ..,
            ] => (Claim::Status((*it).to_owned()), rest),
            [it @ ("minor" | "major" | "critical"), rest @ ..] => {
                (Claim::Grade((*it).to_owned()), rest)
            }
            ["because", why, rest @ ..] => (Claim::Because((*why).to_owned()), rest),
            ["graded", "by", file, rest @ ..] => (Claim::GradedBy((*file).to_owned()), rest),
            ["operator", who, rest @ ..] => (Claim::Operator((*who).to_owned()), rest),
            ["unanswered", rest @ ..] => (Claim::Unanswered, rest),
            ["alerts", count, rest @ ..] => (Claim::Alerts(number(count)?), rest),
            ["firing", count, rest @ ..] => (Claim::Firing(number(count)?), rest),
            ["service", name, rest @ ..] => (Claim::Service((*name).to_owned()), rest),
            ["team", name, rest @ ..] => (Claim::Team((*name).to_owned()), rest),
            ["reopened", count, rest @ ..] => (Claim::Reopened(number(count)?), rest),
            [other, ..] => return Err(format!("an incident is not `{other}`")),
            [] => break,
        };
        claims.push(claim);
        words = rest;
    }
    Ok(claims)
}
