//! Moves an incident from its public room to a private one, because it was flagged late.
//!
//! A call can be interrupted after any step, and another delivery then continues. So both rows are
//! claimed, and steps that must not be repeated are recorded in them. The public row is written
//! even if there is no public room, so that a concurrent call does not create one.

use super::claim::{Claim, NAMES_TRIED_MAX};
use super::{Row, channel, key};
use crate::api;
use crate::blocks::Message;
use crate::post::{self, Post, PostedMessage};
use crate::{names, text};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident};
use tocsin_plugin_sdk::{kv, log};

/// How many of our messages are blanked in a public room: Slack allows about 50 edits per minute,
/// and the room is archived only afterwards.
const REMOVED_MAX: usize = 100;
/// The text that replaces them.
const REMOVED: &str = "_Removed_";

/// Opens the private room, and closes the public one if it exists.
pub(super) fn open_private(
    private: &mut Claim,
    incident: &Incident,
    delivery: &Delivery,
) -> Result<(), Failure> {
    let public_key = key(&incident.id, false);
    let (row, revision) = kv::get::<Row>(&public_key)?
        .map(|it| (it.value, Some(it.revision)))
        .unwrap_or_default();
    let mut public = Claim::take(public_key, row, revision, delivery)?;
    let result = move_over(private, &mut public, incident);
    public.release(result)?;
    private.row.alone = true;
    Ok(())
}

fn move_over(private: &mut Claim, public: &mut Claim, incident: &Incident) -> Result<(), Failure> {
    // Must come before the link to the private room replaces the one to the public room.
    let from = if public.row.left {
        None
    } else {
        public_channel(public, incident)?
    };
    if !private.row.ready {
        private.set_up(incident, true)?;
    }
    if let (Some(from), Some(to)) = (from, private.row.channel.clone()) {
        let before: Vec<&str> = public.row.invited.iter().map(String::as_str).collect();
        channel::invite((&to, true), incident, &before, &mut private.row)?;
        post_arrival(private, &to, &from, incident)?;
        close(public, &from, incident)?;
    }
    public.row.left = true;
    // It may contain the title.
    public.row.tried = None;
    Ok(())
}

/// The public room: from the row, or one that an earlier call created without getting the response,
/// or one that only the incident links to.
fn public_channel(public: &mut Claim, incident: &Incident) -> Result<Option<String>, Failure> {
    if public.row.channel.is_some() {
        return Ok(public.row.channel.clone());
    }
    let name = public.row.tried.clone();
    let linked = super::linked(incident);
    if name.is_none() && linked.is_none() {
        return Ok(None);
    }
    let name = name.unwrap_or_default();
    let found = channel::find_ours(|it| {
        let meant = it["name"] == name.as_str() || linked.is_some_and(|id| it["id"] == id);
        meant && it["is_private"] != true && public.may_adopt(it, &name, incident)
    })?;
    if let Some(id) = found.and_then(|it| it["id"].as_str().map(String::from)) {
        // Saved now: it is about to lose the name by which it was found.
        public.row.channel = Some(id);
        public.save()?;
    }
    Ok(public.row.channel.clone())
}

/// Posts in the private room where the incident came from.
fn post_arrival(
    private: &mut Claim,
    to: &str,
    from: &str,
    incident: &Incident,
) -> Result<(), Failure> {
    if private.row.arrived {
        return Ok(());
    }
    let line = format!(
        ":lock: This incident moved here from <#{from}>, which was public. \
         Everybody who was invited there and may see security incidents is invited here."
    );
    let effect = format!("arrived:{}", private.key);
    Post::new(to, effect, incident.opened_at, Message::line(line)).send()?;
    private.row.arrived = true;
    private.save()
}

/// Removes what the public room says about the incident, and archives it.
fn close(public: &mut Claim, channel: &str, incident: &Incident) -> Result<(), Failure> {
    let topic = text::moved(incident);
    let purpose = format!("{} {topic}", text::marker(&incident.id));
    rename(channel, incident)?;
    channel::tolerate(
        "conversations.setTopic",
        &[("channel", channel), ("topic", &topic)],
    )?;
    channel::tolerate(
        "conversations.setPurpose",
        &[("channel", channel), ("purpose", &purpose)],
    )?;
    post_moved(public, channel, incident)?;
    blank_ours(channel, incident)?;
    archive(channel)
}

/// Gives the channel a name that reveals nothing.
fn rename(channel: &str, incident: &Incident) -> Result<(), Failure> {
    let prefix = names::prefix(incident.drill);
    for taken in 0..NAMES_TRIED_MAX {
        let name = names::room(&prefix, incident.number, "moved", taken);
        let params = [("channel", channel), ("name", name.as_str())];
        match api::post("conversations.rename", &params, None) {
            Ok(_) => return Ok(()),
            Err(error) if error.is("name_taken") => {
                // By this channel itself, if the response to an earlier attempt was lost.
                let itself = |it: &Value| it["name"] == name.as_str() && it["id"] == channel;
                if channel::find_ours(itself)?.is_some() {
                    return Ok(());
                }
            }
            Err(error) => return channel::tolerated(error.into_failure("conversations.rename")),
        }
    }
    log::error(
        "cannot rename a public room because all candidate names are taken: rename it by hand",
        &[("channel", channel)],
    );
    Ok(())
}

fn post_moved(public: &mut Claim, channel: &str, incident: &Incident) -> Result<(), Failure> {
    if public.row.told {
        return Ok(());
    }
    let line = ":lock: This incident moved to a private room. Please do not discuss it here.";
    let message = Message::line(line.into());
    let sent = Post::new(channel, moved_effect(incident), incident.opened_at, message).send();
    // Somebody may have archived it, or removed the app from it.
    sent.map(drop).or_else(channel::tolerated)?;
    public.row.told = true;
    public.save()
}

/// Blanks our messages; an app cannot change those of people. An archived channel cannot be edited,
/// so this comes first.
fn blank_ours(channel: &str, incident: &Incident) -> Result<(), Failure> {
    let notice = moved_effect(incident);
    let mut ours: Vec<PostedMessage> = Vec::new();
    let read = post::each_of_ours(channel, incident.opened_at, |it| {
        if it.effect != notice && it.text != REMOVED {
            ours.push(it);
        }
        false
    });
    let read = read.map_err(|error| error.into_failure(post::HISTORY));
    read.or_else(channel::tolerated)?;
    let message = Message::block(REMOVED);
    let blocks = Value::from(message.blocks).to_string();
    // The oldest first: they have title and summary.
    for it in ours.iter().rev().take(REMOVED_MAX) {
        let params = [
            ("channel", channel),
            ("ts", it.ts.as_str()),
            ("text", message.text.as_str()),
            ("blocks", blocks.as_str()),
        ];
        channel::tolerate("chat.update", &params)?;
    }
    Ok(())
}

fn moved_effect(incident: &Incident) -> String {
    format!("moved:{}", incident.id)
}

fn archive(channel: &str) -> Result<(), Failure> {
    let method = "conversations.archive";
    match api::post(method, &[("channel", channel)], None) {
        Ok(_) => Ok(()),
        Err(error) if error.is("already_archived") => Ok(()),
        Err(error) => match error.into_failure(method) {
            Failure::Permanent(why) => {
                let what =
                    "cannot archive the public room of a security incident: archive it by hand";
                log::error(what, &[("channel", channel), ("why", &why)]);
                Ok(())
            }
            other => Err(other),
        },
    }
}

#[cfg(test)]
mod tests;
