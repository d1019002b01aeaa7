//! The Slack calls that create and update a room.

use super::Row;
use crate::api::{self, ApiError};
use crate::blocks::Message;
use crate::post::Post;
use crate::text;
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Failure, Incident, Person};
use tocsin_plugin_sdk::{commands, http, log, people};

/// Most pages of the app's own channels that are searched; the whole workspace never is.
const CHANNEL_PAGES_MAX: usize = 10;
const CHANNEL_PAGE: &str = "200";

/// Creating is safe to repeat after a lost response: names are unique, so a duplicate is refused.
pub(super) fn create(name: &str, private: &str) -> Result<String, ApiError> {
    let once = format!("create:{name}");
    let params = [("name", name), ("is_private", private)];
    let mut result = api::post("conversations.create", &params, Some(&once));
    if matches!(result, Err(ApiError::Lost)) {
        http::forget(&once);
        result = api::post("conversations.create", &params, Some(&once));
    }
    if matches!(result, Err(ApiError::Unsure(_))) {
        http::forget(&once);
    }
    let answer = result?;
    let id = answer["channel"]["id"].as_str().map(Into::into);
    let missing = || ApiError::Unsure(Failure::retry("conversations.create returned no channel"));
    id.ok_or_else(missing)
}

/// The first matching channel among those that the app is a member of.
pub(super) fn find_ours(wanted: impl Fn(&Value) -> bool) -> Result<Option<Value>, Failure> {
    let mut cursor = String::new();
    for _ in 0..CHANNEL_PAGES_MAX {
        let mut params = vec![
            ("types", "public_channel,private_channel"),
            ("exclude_archived", "true"),
            ("limit", CHANNEL_PAGE),
        ];
        if !cursor.is_empty() {
            params.push(("cursor", cursor.as_str()));
        }
        let answer = match api::get("users.conversations", &params) {
            // A stand-in for Slack may not support it; then another name is tried.
            Err(error) if error.is("unknown_method") => return Ok(None),
            result => result.map_err(|error| error.into_failure("users.conversations"))?,
        };
        let channels = answer["channels"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if let Some(found) = channels.iter().find(|it| wanted(it)) {
            return Ok(Some(found.clone()));
        }
        let next = answer["response_metadata"]["next_cursor"]
            .as_str()
            .unwrap_or_default();
        if next.is_empty() {
            break;
        }
        cursor = next.to_string();
    }
    Ok(None)
}

/// A channel; none if there is no such channel for the app.
pub(super) fn info(channel: &str) -> Result<Option<Value>, Failure> {
    match api::get("conversations.info", &[("channel", channel)]) {
        Ok(mut answer) => Ok(Some(answer["channel"].take())),
        Err(error) => match error.into_failure("conversations.info") {
            Failure::Permanent(_) => Ok(None),
            other => Err(other),
        },
    }
}

/// Sets the topic from the incident's current state.
pub(super) fn set_topic(channel: &str, incident: &Incident) -> Result<(), Failure> {
    let topic = text::topic(incident);
    tolerate(
        "conversations.setTopic",
        &[("channel", channel), ("topic", &topic)],
    )
}

/// A channel, and whether it is the room of a security incident.
type Place<'a> = (&'a str, bool);

/// Invites the users who are not invited yet.
pub(super) fn invite(
    room: Place<'_>,
    incident: &Incident,
    users: &[&str],
    row: &mut Row,
) -> Result<(), Failure> {
    for user in users {
        if !row.invited.iter().any(|it| it == user) && admit(room, incident, user, row)? {
            row.invited.push((*user).into());
        }
    }
    Ok(())
}

/// Invites everybody who was invited to the room that this one replaces.
pub(super) fn invite_again(
    room: Place<'_>,
    incident: &Incident,
    row: &mut Row,
) -> Result<(), Failure> {
    for user in row.invited.clone() {
        admit(room, incident, &user, row)?;
    }
    Ok(())
}

/// Invites a user, alone: Slack refuses a whole list if one of them cannot be invited. Somebody
/// who may not see security incidents is not invited to the room of one, whatever its flag says
/// now; the room says so once.
fn admit(
    (channel, is_private): Place<'_>,
    incident: &Incident,
    user: &str,
    row: &mut Row,
) -> Result<bool, Failure> {
    let may_see = || people::by_contact("slack", user).is_some_and(|it| it.has_clearance());
    if !is_private || may_see() {
        let params = [("channel", channel), ("users", user)];
        tolerate("conversations.invite", &params)?;
        return Ok(true);
    }
    if !row.withheld.iter().any(|it| it == user) {
        let line = format!(
            ":no_entry: <@{user}> is not invited: they have no clearance for security incidents, \
             for which this room was opened. Page or hand over to somebody who has clearance."
        );
        let effect = format!("withheld:{channel}:{user}");
        Post::new(channel, effect, incident.opened_at, Message::line(line)).send()?;
        row.withheld.push(user.into());
    }
    Ok(false)
}

/// Pins a message, so that people find it. A refusal must not prevent the room from opening.
pub(super) fn pin(channel: &str, ts: &str) -> Result<(), Failure> {
    let params = [("channel", channel), ("timestamp", ts)];
    match api::post("pins.add", &params, None) {
        Ok(_) => Ok(()),
        Err(error) if error.is("already_pinned") => Ok(()),
        // An app that was installed for an earlier release has no such scope, and opens rooms.
        Err(error) if error.is("missing_scope") => {
            log::warn(
                "add the scope pins:write to the Slack app and reinstall it",
                &[],
            );
            Ok(())
        }
        Err(error) => tolerated(error.into_failure("pins.add")),
    }
}

/// The Slack ids of the people who have one.
pub(super) fn users(people: &[Person]) -> Vec<&str> {
    let known = people.iter().filter_map(|it| it.contact("slack"));
    known.collect()
}

/// Links the room to the incident. A refusal must not prevent the room from opening.
pub(super) fn link(incident: &Incident, channel: &str) -> Result<(), Failure> {
    let url = format!("https://slack.com/app_redirect?channel={channel}");
    match commands::link(&incident.id, "channel", channel, Some(&url)).map_err(Failure::from) {
        Err(error @ Failure::Retry(_)) => Err(error),
        Err(error) => {
            log::warn(
                "the war room could not be linked",
                &[("why", &format!("{error:?}"))],
            );
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Calls a method whose refusal must not prevent the room from opening; a refusal is only logged.
pub(super) fn tolerate(method: &str, params: &[(&str, &str)]) -> Result<(), Failure> {
    match api::post(method, params, None) {
        Ok(_) => Ok(()),
        Err(error) if error.is("already_in_channel") => Ok(()),
        Err(error) => tolerated(error.into_failure(method)),
    }
}

/// As [`tolerate`], for a call that failed.
pub(super) fn tolerated(failure: Failure) -> Result<(), Failure> {
    match failure {
        Failure::Permanent(why) => {
            log::warn(&why, &[]);
            Ok(())
        }
        other => Err(other),
    }
}
