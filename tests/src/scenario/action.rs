//! The actions of a scenario.

use std::collections::BTreeMap;

use super::words::{number, pair, span};

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// An alert fires, or is repeated.
    Fire {
        /// Its labels, including `alertname`.
        labels: BTreeMap<String, String>,
        /// How long it fires without a repeat, in milliseconds; unlimited if absent.
        lasts: Option<u64>,
    },
    /// A PagerDuty client triggers an alert, or triggers it again.
    Trigger {
        /// Its deduplication key.
        name: String,
        /// Its severity; the others are custom details.
        labels: BTreeMap<String, String>,
    },
    /// A PagerDuty client resolves an alert.
    Resolve { name: String },
    /// A person ends an alert by hand.
    EndByHand { person: String, name: String },
    /// All alerts with these labels end.
    End { labels: BTreeMap<String, String> },
    /// Many alerts fire; they differ in the label whose value contains `%d`.
    Storm {
        count: u64,
        labels: BTreeMap<String, String>,
    },
    /// A person presses a button of the newest message that has it, by action id or label.
    Press { person: String, button: String },
    /// A person follows the link in their newest mail, and presses the button there.
    MailLink {
        person: String,
        /// The number of the incident whose own link it is; without, the one for all.
        incident: Option<u64>,
    },
    /// A person follows the link of an answer in their newest mail, and presses the button there.
    MailAnswer { person: String, answer: String },
    /// A person writes a command in Slack, outside any war room.
    Slash {
        person: String,
        line: String,
        /// The incident in whose war room it is written, if in one.
        room: Option<u64>,
    },
    /// An alert of a drill begins or ends.
    Drill {
        /// Names the run.
        run: String,
        alert: String,
        labels: BTreeMap<String, String>,
        firing: bool,
    },
    /// PagerDuty's change event: something was deployed.
    Change {
        title: String,
        /// Its custom details.
        labels: BTreeMap<String, String>,
    },
    /// A person gives a command through the API.
    Command {
        person: String,
        /// The incident's number.
        incident: u64,
        /// The command in the API's format.
        action: serde_json::Value,
    },
    /// A person changes who is on call through the API.
    OnCall {
        person: String,
        /// The change in the API's format.
        action: serde_json::Value,
    },
    /// A person tests the way to somebody through the API.
    TestPage {
        person: String,
        /// Whose contacts are tested.
        whom: String,
        /// Only through contacts of this kind.
        channel: Option<String>,
    },
    /// Alerts with these labels are silenced.
    Silence {
        labels: BTreeMap<String, String>,
        /// Duration in milliseconds.
        lasts: u64,
    },
    /// The newest silence is ended.
    EndSilence,
    /// The daemon is killed and restarted.
    Restart,
    /// The daemon is killed and restarted after this many milliseconds.
    Down(u64),
    /// How Slack behaves from now on.
    Slack(Slack),
    /// Whether the mail relay accepts mail from now on.
    Mail { accepts: bool },
    /// A policy's file changes.
    Policy {
        /// Its name without `.rhai`.
        name: String,
        /// The new text; the file is removed if absent.
        text: Option<String>,
    },
    /// The policies are restored to the initial ones.
    PoliciesRepaired,
}

/// How Slack behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slack {
    /// Normally.
    Well,
    /// Connections are refused.
    Down,
    /// Requests are read but get no response.
    Hangs,
    /// Messages are posted, but the responses are lost.
    LosesAnswers,
    /// Each response has this HTTP status.
    Status(u16),
    /// Each response is `ok: false` with this error.
    Error(String),
    /// Each response is 429 with this `Retry-After` in seconds.
    Limits(u32),
}

impl Action {
    /// Parses the action of a line; `None` if the line is not an action.
    ///
    /// # Errors
    /// When the action is invalid.
    pub(super) fn read(words: &[String], block: Option<String>) -> Result<Option<Self>, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(Some(match (words.as_slice(), block) {
            (["policy", name, "becomes"], Some(text)) => Self::Policy {
                name: (*name).to_owned(),
                text: Some(text),
            },
            (_, Some(_)) => return Ok(None),
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
            (["trigger", name, rest @ ..], None) => Self::Trigger {
                name: (*name).to_owned(),
                labels: labels(None, rest)?,
            },
            (["resolve", name], None) => Self::Resolve {
                name: (*name).to_owned(),
            },
            (["end", name, rest @ ..], None) => Self::End {
                labels: labels(Some(name), rest)?,
            },
            (["storm", count, name, rest @ ..], None) => Self::Storm {
                count: number(count)?,
                labels: labels(Some(name), rest)?,
            },
            (["drill", run, fires @ ("fires" | "ends"), alert, rest @ ..], None) => Self::Drill {
                run: (*run).to_owned(),
                alert: (*alert).to_owned(),
                labels: labels(None, rest)?,
                firing: *fires == "fires",
            },
            (["change", title, rest @ ..], None) => Self::Change {
                title: (*title).to_owned(),
                labels: labels(None, rest)?,
            },
            (["silence", rest @ .., "for", lasts], None) => Self::Silence {
                labels: labels(None, rest)?,
                lasts: span(lasts)?,
            },
            (["the", "silence", "is", "ended"], None) => Self::EndSilence,
            (["restart"], None) => Self::Restart,
            (["down", "for", lasts], None) => Self::Down(span(lasts)?),
            (["slack", rest @ ..], None) => Self::Slack(slack(rest)?),
            (["the", "mail", "relay", "refuses"], None) => Self::Mail { accepts: false },
            (["the", "mail", "relay", "works"], None) => Self::Mail { accepts: true },
            ([person, rest @ ..], None) => return by_person(person, rest),
            ([], None) => return Err("the line ends after its time".to_owned()),
        }))
    }
}

fn by_person(person: &str, words: &[&str]) -> Result<Option<Action>, String> {
    let person = person.to_owned();
    let action = match words {
        ["presses", "acknowledge"] => {
            let button = "ack".to_owned();
            return Ok(Some(Action::Press { person, button }));
        }
        ["presses" | "answers", button] => {
            let button = (*button).to_owned();
            return Ok(Some(Action::Press { person, button }));
        }
        ["follows", "the", "mail", "link", rest @ ..] => {
            let incident = match rest {
                [] => None,
                ["of", "incident", at] => Some(number(at)?),
                _ => return Ok(None),
            };
            return Ok(Some(Action::MailLink { person, incident }));
        }
        ["answers", answer, "by", "mail"] => {
            let answer = (*answer).to_owned();
            return Ok(Some(Action::MailAnswer { person, answer }));
        }
        ["writes", line, place @ ..] => {
            let room = match place {
                [] => None,
                ["in", "the", "room", "of", "incident", incident] => Some(number(incident)?),
                _ => return Ok(None),
            };
            let line = (*line).to_owned();
            return Ok(Some(Action::Slash { person, line, room }));
        }
        ["tests", "the", "way", "to", whom, channel @ ..] => {
            let channel = match channel {
                [] => None,
                ["by", channel] => Some((*channel).to_owned()),
                _ => return Ok(None),
            };
            let whom = (*whom).to_owned();
            return Ok(Some(Action::TestPage {
                person,
                whom,
                channel,
            }));
        }
        ["ends", "alert", name] => {
            let name = (*name).to_owned();
            return Ok(Some(Action::EndByHand { person, name }));
        }
        ["takes", rest @ ..] => {
            let action = match rest {
                [rotation] => serde_json::json!({ "action": "take", "rotation": rotation }),
                [rotation, "for", lasts] => serde_json::json!({
                    "action": "take", "rotation": rotation, "for": lasts,
                }),
                _ => return Ok(None),
            };
            return Ok(Some(Action::OnCall { person, action }));
        }
        ["puts", who, "on", "call", "for", rotation, "for", lasts] => {
            let action = serde_json::json!({
                "action": "override", "rotation": rotation, "person": who, "for": lasts,
            });
            return Ok(Some(Action::OnCall { person, action }));
        }
        ["swaps", rotation, shift, "with", with] => {
            let action = serde_json::json!({
                "action": "swap", "rotation": rotation, "shift": shift, "with": with,
            });
            return Ok(Some(Action::OnCall { person, action }));
        }
        ["acknowledges", "incident", at] => (at, serde_json::json!({ "action": "ack" })),
        ["merges", "incident", at, "into", into] => (
            at,
            serde_json::json!({ "action": "merge", "into": number::<u64>(into)? }),
        ),
        ["grades", "incident", at, grade, "because", why] => (
            at,
            serde_json::json!({ "action": "grade", "grade": grade, "reason": why }),
        ),
        // A verb of the API, in the third person, with its fields.
        [verb, "incident", at, fields @ ..] if fields.iter().all(|it| it.contains('=')) => {
            let Some(verb) = verb.strip_suffix('s') else {
                return Ok(None);
            };
            let mut action = serde_json::json!({ "action": verb });
            for field in fields {
                let (name, value) = pair(field)?;
                action[name] = value.into();
            }
            (at, action)
        }
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
