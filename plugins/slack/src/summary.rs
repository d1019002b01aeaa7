//! Keeps the pinned message of a war room current: who does what, what was promised, what is left
//! to do, and how many alerts fire.
//!
//! Changes are gathered by a job, as Slack allows 50 edits per minute: those of people for some
//! seconds, and those of the number of alerts, which change all the time in a storm, for a minute.

use crate::{blocks, jobs, post, room};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{Failure, IncidentChange, Outcome};

/// The job that edits the message.
pub(crate) const TOPIC: &str = "summary";
/// The job after which it is edited soon.
pub(crate) const COUNTS: &str = "counts";
/// How long changes are gathered, in milliseconds.
const GATHER_MS: u64 = 3_000;
/// How long changes of only the number of alerts are, in milliseconds.
const COUNTS_GATHER_MS: u64 = 60_000;

/// Has the message edited if it shows a change.
pub(crate) fn changed(change: &IncidentChange) {
    let (before, after) = (&change.before, &change.after);
    if blocks::summary(before) == blocks::summary(after) {
        return;
    }
    match change.changed.as_slice() {
        [only] if only == "alerts" => queue(COUNTS_GATHER_MS, COUNTS, &after.id),
        _ => soon(&after.id),
    }
}

/// Has the message edited within seconds.
pub(crate) fn soon(incident: &str) {
    queue(GATHER_MS, TOPIC, incident);
}

fn queue(delay_ms: u64, topic: &str, incident: &str) {
    let once = format!("{topic}:{incident}");
    jobs::later(delay_ms, topic, &once, &json!({ "incident": incident }));
}

/// Shows the incident as it is now. If it was flagged and has not moved yet, the message is in the
/// public room and stays as it is; the move removes it.
///
/// # Errors
/// Those of Slack and the store that a retry or the operator can fix.
pub(crate) fn refresh(incident: &str) -> Result<Outcome, Failure> {
    let incident = match commands::get(incident) {
        Err(CommandError::NotFound) => return Ok(Outcome::Ignored),
        result => result?,
    };
    let Some((channel, ts)) = room::pinned(&incident)? else {
        return Ok(Outcome::Ignored);
    };
    post::edit(&channel, &ts, &blocks::summary(&incident))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use crate::standin::Slack;
    use crate::tests::{ROOM, deliver, opened, secret};
    use tocsin_plugin_sdk::serde_json::json;
    use tocsin_plugin_sdk::testing::{change, incident, person};
    use tocsin_plugin_sdk::types::{EventBody, Incident};

    fn alter(slack: &Slack, revision: u64, changed: &[&str], edit: impl FnOnce(&mut Incident)) {
        let mut after = incident();
        after.revision = revision;
        edit(&mut after);
        slack.host.add_incident(&after);
        let body = EventBody::IncidentChanged(change(&incident(), &after, changed));
        deliver(slack, &format!("e-{revision}"), body).unwrap();
    }

    fn pinned(slack: &Slack) -> String {
        let messages = slack.channel(ROOM).messages;
        let mut pinned = messages.iter().filter(|it| it["pinned"] == true);
        let (first, second) = (pinned.next(), pinned.next());
        assert!(second.is_none(), "{second:?}");
        first.unwrap()["blocks"].to_string()
    }

    #[test]
    fn the_pinned_message_is_kept_current() {
        let slack = Slack::start();
        deliver(&slack, "e-1", opened()).unwrap();
        assert!(pinned(&slack).contains("nobody yet"), "{}", pinned(&slack));
        alter(&slack, 2, &["operator"], |it| {
            it.operator = Some(person("Jo", "slack", "U1"));
        });
        slack.pass(5_000);
        assert!(
            pinned(&slack).contains("*Operator:* <@U1>"),
            "{}",
            pinned(&slack)
        );
    }

    #[test]
    fn a_storm_edits_it_once_a_minute_and_people_within_seconds() {
        let slack = Slack::start();
        deliver(&slack, "e-1", opened()).unwrap();
        let counted = |it: &mut Incident, count: u64| {
            it.extra = json!({"alerts": {"total": count, "firing": count}}).to_string();
        };
        for count in 2..=30 {
            alter(&slack, count, &["alerts"], |it| counted(it, count));
            slack.pass(1_000);
        }
        assert_eq!(slack.calls("chat.update"), 0);
        alter(&slack, 31, &["operator", "alerts"], |it| {
            counted(it, 31);
            it.operator = Some(person("Jo", "slack", "U1"));
        });
        slack.pass(5_000);
        assert_eq!(slack.calls("chat.update"), 1);
        slack.pass(60_000);
        assert_eq!(slack.calls("chat.update"), 2);
        assert!(
            pinned(&slack).contains("31 of 31 firing"),
            "{}",
            pinned(&slack)
        );
        assert_eq!(slack.texts(ROOM).len(), 2, "{:?}", slack.texts(ROOM));
    }

    #[test]
    fn between_its_flag_and_its_move_an_incident_is_not_shown_in_the_public_room() {
        let slack = Slack::start();
        deliver(&slack, "e-1", opened()).unwrap();
        alter(&slack, 2, &["operator"], |it| {
            it.operator = Some(person("Jo", "slack", "U1"));
        });
        let task = json!({"number": 1, "text": "rotate the leaked key"});
        let mut flagged = secret();
        flagged.extra = json!({"tasks": {"count": 1, "open": [task]}}).to_string();
        slack.host.add_incident(&flagged);
        slack.pass(5_000);
        assert_eq!(slack.calls("chat.update"), 0);
        assert!(!pinned(&slack).contains("leaked"), "{}", pinned(&slack));
        let moved = EventBody::IncidentChanged(change(&incident(), &flagged, &["security"]));
        deliver(&slack, "e-3", moved).unwrap();
        let shown = slack.channels().pop().unwrap();
        let first = shown.messages[0].to_string();
        assert!(shown.private && first.contains("leaked"), "{shown:?}");
    }

    #[test]
    fn an_app_without_the_scope_to_pin_still_opens_rooms() {
        let slack = Slack::start();
        slack.refuse("pins.add", "missing_scope");
        deliver(&slack, "e-1", opened()).unwrap();
        assert_eq!(slack.texts(ROOM).len(), 1);
        let logs = slack.host.logs().join("\n");
        assert!(logs.contains("add the scope pins:write"), "{logs}");
    }
}
