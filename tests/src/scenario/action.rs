//! What is done in a story.

use std::collections::BTreeMap;

use super::words::{number, pair, span};

/// Something that is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// An alert fires, or is sent again.
    Fire {
        /// Its labels, `alertname` among them.
        labels: BTreeMap<String, String>,
        /// For how long the sender says that it fires, in milliseconds; for good when absent.
        lasts: Option<u64>,
    },
    /// All alerts with these labels end.
    End { labels: BTreeMap<String, String> },
    /// Many alerts fire, told apart by the label whose value has `%d` in it.
    Storm {
        count: u64,
        labels: BTreeMap<String, String>,
    },
    /// A person presses a button of the newest message that has it.
    Press { person: String },
    /// A person follows the link in their newest mail, and presses the button there.
    MailLink { person: String },
    /// A person gives a command through the API.
    Command {
        person: String,
        /// The incident's number.
        incident: u64,
        /// The command as the API has it.
        action: serde_json::Value,
    },
    /// Alerts with these labels are silenced.
    Silence {
        labels: BTreeMap<String, String>,
        /// For how long, in milliseconds.
        lasts: u64,
    },
    /// The newest silence is ended.
    EndSilence,
    /// The daemon is killed and started again.
    Restart,
    /// The daemon is killed and started again only after so many milliseconds.
    Down(u64),
    /// How Slack behaves from now on.
    Slack(Slack),
    /// Whether the mail relay takes mails from now on.
    Mail {
        /// Whether it does.
        takes: bool,
    },
    /// A policy's file changes.
    Policy {
        /// Which, without `.rhai`.
        name: String,
        /// Its text; removed when absent.
        text: Option<String>,
    },
    /// The policies are again as at the beginning.
    PoliciesRepaired,
}

/// How Slack behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slack {
    /// As it should.
    Well,
    /// Nothing listens.
    Down,
    /// Requests are read and never answered.
    Hangs,
    /// Messages are posted, and the answers never come.
    LosesAnswers,
    /// Each answer is this HTTP status.
    Status(u16),
    /// Each answer is `ok: false` with this error.
    Error(String),
    /// Each answer is 429 with `Retry-After` of so many seconds.
    Limits(u32),
}

impl Action {
    /// The action of a line, or `None` when the line is no action.
    ///
    /// # Errors
    /// When it is one and something in it is wrong.
    pub(super) fn read(words: &[String], block: Option<String>) -> Result<Option<Self>, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(Some(match (words.as_slice(), block) {
            (["policy", name, "becomes"], Some(text)) => Self::Policy {
                name: (*name).to_owned(),
                text: Some(text),
            },
            (_, Some(_)) => return Err("only `policy NAME becomes` has a block".to_owned()),
            (["policy", name, "is", "deleted"], None) => Self::Policy {
                name: (*name).to_owned(),
                text: None,
            },
            (["policies", "are", "repaired"], None) => Self::PoliciesRepaired,
            (["fire", name, rest @ ..], None) => {
                let mut labels = labels(Some(name), rest)?;
                let lasts = labels.remove("lasts").map(|it| span(&it)).transpose()?;
                Self::Fire { labels, lasts }
            }
            (["end", name, rest @ ..], None) => Self::End {
                labels: labels(Some(name), rest)?,
            },
            (["storm", count, name, rest @ ..], None) => Self::Storm {
                count: number(count)?,
                labels: labels(Some(name), rest)?,
            },
            (["silence", rest @ .., "for", lasts], None) => Self::Silence {
                labels: labels(None, rest)?,
                lasts: span(lasts)?,
            },
            (["the", "silence", "is", "ended"], None) => Self::EndSilence,
            (["restart"], None) => Self::Restart,
            (["down", "for", lasts], None) => Self::Down(span(lasts)?),
            (["slack", rest @ ..], None) => Self::Slack(slack(rest)?),
            (["the", "mail", "relay", "refuses"], None) => Self::Mail { takes: false },
            (["the", "mail", "relay", "works"], None) => Self::Mail { takes: true },
            ([person, rest @ ..], None) => return by_person(person, rest),
            ([], None) => return Err("nothing stands after the time".to_owned()),
        }))
    }
}

fn by_person(person: &str, words: &[&str]) -> Result<Option<Action>, String> {
    let person = person.to_owned();
    let action = match words {
        ["presses", "acknowledge"] => return Ok(Some(Action::Press { person })),
        ["follows", "the", "mail", "link"] => return Ok(Some(Action::MailLink { person })),
        ["acknowledges", "incident", at] => (at, serde_json::json!({ "action": "ack" })),
        // A verb of the API, in the third person.
        [verb, "incident", at] => match verb.strip_suffix('s') {
            Some(verb) => (at, serde_json::json!({ "action": verb })),
            None => return Ok(None),
        },
        ["grades", "incident", at, grade, "because", why] => (
            at,
            serde_json::json!({ "action": "grade", "grade": grade, "reason": why }),
        ),
        _ => return Ok(None),
    };
    Ok(Some(Action::Command {
        person,
        incident: number(action.0)?,
        action: action.1,
    }))
}

fn labels(name: Option<&str>, words: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let mut labels: BTreeMap<_, _> = words.iter().map(|it| pair(it)).collect::<Result<_, _>>()?;
    if let Some(name) = name {
        labels.insert("alertname".to_owned(), name.to_owned());
    }
    Ok(labels)
}

fn slack(words: &[&str]) -> Result<Slack, String> {
    Ok(match words {
        ["works"] => Slack::Well,
        ["is", "down"] => Slack::Down,
        ["hangs"] => Slack::Hangs,
        ["loses", "answers"] => Slack::LosesAnswers,
        ["limits", seconds] => Slack::Limits(number(seconds.trim_end_matches('s'))?),
        ["answers", what] => match what.parse() {
            Ok(status) => Slack::Status(status),
            Err(_) => Slack::Error((*what).to_owned()),
        },
        _ => {
            return Err(
                "slack `works`, `is down`, `hangs`, `loses answers`, `limits 20s`, or `answers` a \
                 status or an error"
                    .to_owned(),
            );
        }
    })
}
