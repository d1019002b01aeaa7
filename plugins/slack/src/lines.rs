//! What people write or pin in a war room that belongs in the incident's log: lines that begin with
//! `seen`, `decided` or `done`, and pinned messages.

use tocsin_plugin_sdk::commands::{self, CommandError, LogDraft};
use tocsin_plugin_sdk::log;
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Actor, Failure, LogKind, Timestamp};

use crate::plain::plain;

/// A line for the log.
#[derive(Clone, Debug)]
struct Line {
    channel: String,
    /// Who adds it to the log.
    user: String,
    entry: LogDraft,
}

/// Adds what an event brings to the log of its room's incident; other events and rooms are ignored.
///
/// # Errors
/// [`Failure::Retry`] when the engine is not available: Slack sends the event again.
pub(crate) fn handle(event: &Value) -> Result<(), Failure> {
    let Some(line) = read(event) else {
        return Ok(());
    };
    let incident = match commands::find_by_ref("channel", &line.channel) {
        Ok(Some(incident)) => incident,
        Ok(None) | Err(CommandError::NotFound) => return Ok(()),
        Err(error) => return not_logged(error),
    };
    let by = Actor::by_contact("slack", &line.user);
    match commands::add_log(&incident.id, &line.entry, &by) {
        Ok(()) => Ok(()),
        Err(error) => not_logged(error),
    }
}

fn not_logged(error: CommandError) -> Result<(), Failure> {
    match error {
        CommandError::Unavailable(why) => Err(Failure::retry(why)),
        error => {
            let why = format!("{error:?}");
            log::warn("a line of a war room is not in the log", &[("why", &why)]);
            Ok(())
        }
    }
}

fn read(event: &Value) -> Option<Line> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match event["type"].as_str()? {
        // What bots write, and edits and joins, has a subtype or a bot's ID.
        "message" if event["subtype"].is_null() && event["bot_id"].is_null() => {
            let (kind, body) = logged(event["text"].as_str()?)?;
            let channel = text(&event["channel"]);
            Some(Line {
                user: text(&event["user"]),
                entry: entry(kind, body, &channel, event),
                channel,
            })
        }
        "pin_added" => {
            let message = &event["item"]["message"];
            // The plugin pins its own summary.
            let is_own = !message["bot_id"].is_null() && message["user"] == event["user"];
            if is_own {
                return None;
            }
            let body = message["text"]
                .as_str()
                .filter(|it| !it.trim().is_empty())?;
            let channel = text(&event["channel_id"]);
            let is_by_another = message["user"] != event["user"];
            let author = message["user"].as_str().filter(|_| is_by_another);
            Some(Line {
                user: text(&event["user"]),
                entry: LogDraft {
                    author: author.map(|it| Actor::by_contact("slack", it)),
                    ..entry(LogKind::Note, body, &channel, message)
                },
                channel,
            })
        }
        _ => None,
    }
}

fn entry(kind: LogKind, body: &str, channel: &str, message: &Value) -> LogDraft {
    LogDraft {
        kind,
        body: plain(body),
        at: time_of(&message["ts"]),
        author: None,
        link: link_to(channel, message),
        extra: "{}".into(),
    }
}

/// The address of a message: Slack's own, if it says; otherwise one that opens its channel in
/// whichever workspace the reader is signed in to.
fn link_to(channel: &str, message: &Value) -> Option<String> {
    if let Some(link) = message["permalink"].as_str() {
        return Some(link.to_owned());
    }
    let ts = message["ts"].as_str()?;
    Some(format!(
        "https://slack.com/app_redirect?channel={channel}&message_ts={ts}"
    ))
}

/// The kind and the text of a line for the log; `None` if it is not for it.
fn logged(line: &str) -> Option<(LogKind, &str)> {
    let (word, body) = line.trim().split_once(char::is_whitespace)?;
    let kind = match word.trim_end_matches(':').to_ascii_lowercase().as_str() {
        "seen" => LogKind::Seen,
        "decided" => LogKind::Decided,
        "done" => LogKind::Done,
        _ => return None,
    };
    Some((kind, body.trim())).filter(|(_, body)| !body.is_empty())
}

/// Slack's time, such as `1795000000.000100`.
fn time_of(ts: &Value) -> Option<Timestamp> {
    let (seconds, micros) = ts.as_str()?.split_once('.')?;
    let millis = micros.get(..3)?.parse::<u64>().ok()?;
    Some(seconds.parse::<u64>().ok()?.checked_mul(1_000)? + millis)
}

#[cfg(test)]
mod tests {
    use tocsin_plugin_sdk::serde_json::json;

    use super::*;

    fn message(text: &str) -> Value {
        json!({ "type": "message", "channel": "C1", "user": "U1", "text": text,
            "ts": "1795000000.123400" })
    }

    #[test]
    fn lines_that_begin_with_seen_decided_or_done_are_for_the_log() {
        let cases = [
            ("seen latency 4 s", Some((LogKind::Seen, "latency 4 s"))),
            (
                "Decided: we roll back",
                Some((LogKind::Decided, "we roll back")),
            ),
            ("  done  it is back ", Some((LogKind::Done, "it is back"))),
            ("done", None),
            ("seen:", None),
            ("I have seen it", None),
        ];
        for (text, want) in cases {
            let found = read(&message(text)).map(|it| (it.entry.kind, it.entry.body));
            let want = want.map(|(kind, body)| (kind, body.to_owned()));
            assert_eq!(found, want, "{text}");
        }
        let entry = read(&message("seen it")).unwrap().entry;
        assert_eq!(entry.at, Some(1_795_000_000_123));
        let link = "https://slack.com/app_redirect?channel=C1&message_ts=1795000000.123400";
        assert_eq!(entry.link.as_deref(), Some(link));
    }

    #[test]
    fn what_bots_write_and_edits_are_not() {
        for (field, value) in [("bot_id", "B1"), ("subtype", "message_changed")] {
            let mut event = message("seen it");
            event[field] = json!(value);
            assert!(read(&event).is_none(), "{field}");
        }
    }

    #[test]
    fn a_pinned_message_is_a_note_of_its_author_and_time() {
        let link = "https://example.slack.com/archives/C1/p1795000000000100";
        let event = json!({ "type": "pin_added", "user": "U2", "channel_id": "C1",
            "item": { "message": { "text": "the dump is in &lt;tmp&gt;", "ts": "1795000000.000100",
                "user": "U3", "permalink": link } } });
        let Line { user, entry, .. } = read(&event).unwrap();
        assert_eq!((entry.kind, user.as_str()), (LogKind::Note, "U2"));
        assert_eq!(entry.body, "the dump is in <tmp>");
        assert_eq!(entry.at, Some(1_795_000_000_000));
        assert_eq!(entry.author.map(|it| it.id).as_deref(), Some("U3"));
        assert_eq!(entry.link.as_deref(), Some(link));
        let mut own = event.clone();
        own["item"]["message"]["bot_id"] = json!("B1");
        assert!(read(&own).is_some(), "a person pins what the bot says");
        own["item"]["message"]["user"] = json!("U2");
        assert!(read(&own).is_none(), "the bot pins its own summary");
    }
}
