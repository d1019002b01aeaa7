//! The expectations of a scenario.

use super::words::{number, pair};

/// Something that must be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Every page so far was expected by an earlier line.
    NobodyPaged,
    /// Each of these people got a page through this channel; marks it as expected.
    Paged {
        people: Vec<String>,
        /// `slack` or `mail`.
        channel: String,
        /// The incident, if the line names it.
        incident: Option<u64>,
    },
    /// All claims are true of the incident.
    Incident { number: u64, claims: Vec<Claim> },
    /// How many incidents were opened in total.
    Incidents(u64),
    /// The length limit of an incident's stream.
    EventsAtMost {
        /// The incident's number.
        incident: u64,
        most: usize,
    },
    /// A line of the incident's log contains this text.
    Log {
        /// The incident's number.
        incident: u64,
        text: String,
        /// How many lines contain it; at least one if absent.
        times: Option<usize>,
    },
    /// Lines of the incident's log contain these texts, in this order.
    LogInOrder {
        /// The incident's number.
        incident: u64,
        texts: Vec<String>,
    },
    /// A report about the policies contains this text.
    Report(String),
    /// How many war rooms were created in total.
    WarRooms(usize),
    /// A message in the incident's war room contains this text.
    RoomSays {
        /// The incident's number.
        incident: u64,
        text: String,
    },
    /// Whether a message or a reply in the channel of an audience contains this text.
    ChannelSays {
        /// `engineering` or `company`.
        channel: String,
        text: String,
        is_so: bool,
    },
    /// How many messages and replies there are in the channel of an audience.
    ChannelMessages { channel: String, count: usize },
    /// The state of an alert.
    Alert {
        name: String,
        /// `fires`, `is over`, `waits`, `is silenced`, `is silenced in its incident` or
        /// `is ignored`.
        state: String,
    },
    /// A label of an alert.
    AlertHas {
        name: String,
        /// The label's name and value.
        label: (String, String),
    },
    /// How an alert changed so far, the oldest change first.
    AlertDid { name: String, changes: String },
    /// How many messages that brought pages a person has got, or at most.
    Messages {
        person: String,
        count: usize,
        at_most: bool,
    },
    /// Each of these people was paged about each incident up to this number; marks all those pages
    /// as expected.
    PagedAbout { people: Vec<String>, last: u64 },
    /// All claims are true of each incident up to this number.
    Each { last: u64, claims: Vec<Claim> },
    /// How many questions a person was asked, through a channel if it is named.
    Questions {
        person: String,
        count: usize,
        channel: Option<String>,
    },
    /// The newest message that brought pages to a person contains this text.
    MessageSays { person: String, text: String },
    /// The newest message that brought pages to a person names these incidents first, in this
    /// order.
    MessageNames { person: String, numbers: Vec<u64> },
    /// What became of a person's newest page about an incident at a contact.
    Attempt {
        person: String,
        /// `slack` or `mail`.
        channel: String,
        incident: u64,
        /// `queued`, `failed`, `accepted`, `seen` or `pressed`.
        state: String,
    },
    /// The reply to the newest command that a person wrote in Slack contains this text.
    Told { person: String, text: String },
    /// The API's response contains this text.
    Get { path: String, text: String },
    /// A person has no message with a button, which is named by its action id or label.
    NoButton { person: String, button: String },
    /// A person got a test page through this channel; marks it as expected.
    Tested { person: String, channel: String },
    /// How far the newest test of a person through this channel has come.
    Test {
        person: String,
        channel: String,
        /// `queued`, `accepted`, `seen`, `pressed`, `failed` or `unanswered`.
        state: String,
    },
    /// Whether the newest test page or reminder to a person says this.
    TestSays {
        person: String,
        text: String,
        is_so: bool,
    },
    /// Whether `tocsin doctor` says this.
    Doctor { text: String, is_so: bool },
    /// Whether `tocsin check` says this.
    Check { text: String, is_so: bool },
    /// Whether a person's contact of this kind is proven.
    Proven {
        person: String,
        kind: String,
        is_so: bool,
    },
}

/// A claim about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    Status(String),
    Grade(String),
    /// The reason for its grade contains this text.
    Because(String),
    Security,
    /// The policy file that graded it, from its first event.
    GradedBy(String),
    Operator(String),
    /// Nobody has acknowledged it.
    Unanswered,
    /// How many alerts ever joined.
    Alerts(u64),
    /// How many of them are firing.
    Firing(u64),
    Service(String),
    Team(String),
    /// How often it was reopened.
    Reopened(u32),
}

impl Fact {
    /// Parses the fact of a line, and of the block that follows it.
    ///
    /// # Errors
    /// When the line is not a fact.
    pub(super) fn read(words: &[String], block: Option<&str>) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let Some(block) = block {
            return match words.as_slice() {
                ["log", "of", "incident", at, "has", "in", "order"] => Ok(Self::LogInOrder {
                    incident: number(at)?,
                    texts: block.lines().map(|it| it.trim().to_owned()).collect(),
                }),
                _ => Err("only `log of incident NUMBER has in order` has a block".to_owned()),
            };
        }
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
            ["paged", people, "about", "incidents", range] => Self::PagedAbout {
                people: people.split(',').map(str::to_owned).collect(),
                last: range_from_1(range)?,
            },
            ["incidents", range, claims @ ..] if !claims.is_empty() => Self::Each {
                last: range_from_1(range)?,
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
            [count, "message" | "messages", "to", person] => Self::Messages {
                person: (*person).to_owned(),
                count: number(count)?,
                at_most: false,
            },
            ["at", "most", count, "messages", "to", person] => Self::Messages {
                person: (*person).to_owned(),
                count: number(count)?,
                at_most: true,
            },
            [count, "question" | "questions", "to", person, by @ ..] => Self::Questions {
                person: (*person).to_owned(),
                count: number(count)?,
                channel: match by {
                    [] => None,
                    ["by", channel] => Some((*channel).to_owned()),
                    _ => return Err("a question is `by slack` or `by mail`".to_owned()),
                },
            },
            ["report", "says", text] => Self::Report((*text).to_owned()),
            [count, "war", "room" | "rooms"] => Self::WarRooms(number(count)?),
            ["room", "of", "incident", at, "says", text] => Self::RoomSays {
                incident: number(at)?,
                text: (*text).to_owned(),
            },
            [channel @ ("engineering" | "company"), says @ .., text] if says_so(says).is_some() => {
                Self::ChannelSays {
                    channel: (*channel).to_owned(),
                    text: (*text).to_owned(),
                    is_so: says_so(says) == Some(true),
                }
            }
            [count, "message" | "messages", "in", channel] => Self::ChannelMessages {
                channel: (*channel).to_owned(),
                count: number(count)?,
            },
            ["alert", name, "has", label] => Self::AlertHas {
                name: (*name).to_owned(),
                label: pair(label)?,
            },
            ["alert", name, "did", changes] => Self::AlertDid {
                name: (*name).to_owned(),
                changes: (*changes).to_owned(),
            },
            ["alert", name, state @ ..] => Self::Alert {
                name: (*name).to_owned(),
                state: state.join(" "),
            },
            ["a", "test", "page", "to", person, "by", channel] => Self::Tested {
                person: (*person).to_owned(),
                channel: (*channel).to_owned(),
            },
            ["the", "test", "of", person, "by", channel, "is", state] => Self::Test {
                person: (*person).to_owned(),
                channel: (*channel).to_owned(),
                state: (*state).to_owned(),
            },
            ["the", "test", "page", "to", person, says @ .., text] if says_so(says).is_some() => {
                Self::TestSays {
                    is_so: says_so(says) == Some(true),
                    person: (*person).to_owned(),
                    text: (*text).to_owned(),
                }
            }
            ["doctor", says @ .., text] if says_so(says).is_some() => Self::Doctor {
                text: (*text).to_owned(),
                is_so: says_so(says) == Some(true),
            },
            ["check", says @ .., text] if says_so(says).is_some() => Self::Check {
                text: (*text).to_owned(),
                is_so: says_so(says) == Some(true),
            },
            [person, "is", rest @ .., "proven", "by", kind] if matches!(rest, [] | ["not"]) => {
                Self::Proven {
                    person: (*person).to_owned(),
                    kind: (*kind).to_owned(),
                    is_so: rest.is_empty(),
                }
            }
            ["message", "to", person, "says", text] => Self::MessageSays {
                person: (*person).to_owned(),
                text: (*text).to_owned(),
            },
            ["message", "to", person, "names", numbers] => Self::MessageNames {
                person: (*person).to_owned(),
                numbers: numbers.split(',').map(number).collect::<Result<_, _>>()?,
            },
            [
                "page",
                "to",
                person,
                "by",
                channel,
                "for",
                "incident",
                at,
                "is",
                state,
            ] => Self::Attempt {
                person: (*person).to_owned(),
                channel: (*channel).to_owned(),
                incident: number(at)?,
                state: (*state).to_owned(),
            },
            [person, "is", "told", text] => Self::Told {
                person: (*person).to_owned(),
                text: (*text).to_owned(),
            },
            ["GET", path, "says", text] => Self::Get {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            },
            [person, "sees", "no", button] => Self::NoButton {
                person: (*person).to_owned(),
                button: if *button == "button" { "ack" } else { button }.to_owned(),
            },
            _ => return Err("neither an action nor a fact".to_owned()),
        })
    }
}

/// Whether a text is said, of `says` or `does not say`.
fn says_so(words: &[&str]) -> Option<bool> {
    match words {
        ["says"] => Some(true),
        ["does", "not", "say"] => Some(false),
        _ => None,
    }
}

/// The last number of a range such as `1..300`.
fn range_from_1(text: &str) -> Result<u64, String> {
    let last = text.strip_prefix("1..");
    number(last.ok_or_else(|| format!("`{text}` must be 1..LAST"))?)
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
            ["security", rest @ ..] => (Claim::Security, rest),
            ["graded", "by", file, rest @ ..] => (Claim::GradedBy((*file).to_owned()), rest),
            ["operator", who, rest @ ..] => (Claim::Operator((*who).to_owned()), rest),
            ["unanswered", rest @ ..] => (Claim::Unanswered, rest),
            ["alerts", count, rest @ ..] => (Claim::Alerts(number(count)?), rest),
            ["firing", count, rest @ ..] => (Claim::Firing(number(count)?), rest),
            ["service", name, rest @ ..] => (Claim::Service((*name).to_owned()), rest),
            ["team", name, rest @ ..] => (Claim::Team((*name).to_owned()), rest),
            ["reopened", count, rest @ ..] => (Claim::Reopened(number(count)?), rest),
            [other, ..] => return Err(format!("`{other}` is not a claim about an incident")),
            [] => break,
        };
        claims.push(claim);
        words = rest;
    }
    Ok(claims)
}
