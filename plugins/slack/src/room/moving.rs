//! From a public room to a private one, because the incident was flagged late.
//!
//! Every step may be the last one of its call, and each may be done by another delivery than the
//! one before. So both rows are claimed, and what must not be repeated is noted in them. The
//! public row is written even if there is no public room: it keeps a call that is about to create
//! one from doing so.

use super::claim::{Claim, NAMES_TRIED_MAX};
use super::{Row, channel, key};
use crate::api;
use crate::blocks::Message;
use crate::post::{self, Post, Standing};
use crate::{names, text};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident};
use tocsin_plugin_sdk::{config, kv, log};

/// How many of our messages are taken out of a public room: Slack takes about 50 edits a minute,
/// and until they are done the room is not archived.
const REMOVED_MAX: usize = 100;
/// What then stands there.
const REMOVED: &str = "_Removed_";

/// Opens the private room, and closes the public one if there is one.
pub(super) fn open_alone(
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
    // Before the link to the private room takes the place of the one to the public room.
    let from = if public.row.left {
        None
    } else {
        public_channel(public, incident)?
    };
    if !private.row.ready {
        private.furnish(incident, true)?;
    }
    if let (Some(from), Some(to)) = (from, private.row.channel.clone()) {
        let before: Vec<&str> = public.row.invited.iter().map(String::as_str).collect();
        channel::invite(&to, &before, &mut private.row.invited)?;
        arrive(private, &to, &from, incident)?;
        close(public, &from, incident)?;
    }
    public.row.left = true;
    // It may hold the title.
    public.row.tried = None;
    Ok(())
}

/// The public room: the one that is noted, or one that an earlier call created without learning
/// of it, or one that only the incident remembers.
fn public_channel(public: &mut Claim, incident: &Incident) -> Result<Option<String>, Failure> {
    if public.row.channel.is_some() {
        return Ok(public.row.channel.clone());
    }
    let name = public.row.tried.clone();
    let linked = incident.refs.iter().find(|it| it.kind == "channel");
    let linked = linked.map(|it| it.id.as_str());
    if name.is_none() && linked.is_none() {
        return Ok(None);
    }
    let name = name.unwrap_or_default();
    let found = channel::find_ours(|it| {
        let meant = it["name"] == name.as_str() || linked.is_some_and(|id| it["id"] == id);
        meant && it["is_private"] != true && public.may_adopt(it, &name, incident)
    })?;
    if let Some(id) = found.and_then(|it| it["id"].as_str().map(String::from)) {
        // Noted now: it is about to lose the name by which it was found.
        public.row.channel = Some(id);
        public.save()?;
    }
    Ok(public.row.channel.clone())
}

/// Says in the private room where the incident came from.
fn arrive(private: &mut Claim, to: &str, from: &str, incident: &Incident) -> Result<(), Failure> {
    if private.row.arrived {
        return Ok(());
    }
    let line = format!(
        ":lock: This incident moved here from <#{from}>, which was public. \
         Whoever was invited there is invited here."
    );
    Post {
        channel: to,
        effect: format!("arrived:{}", private.key),
        since: incident.opened_at,
        message: Message::line(line),
    }
    .send()?;
    private.row.arrived = true;
    private.save()
}

/// Takes away what the public room says about the incident, and archives it.
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
    tell(public, channel, incident)?;
    remove_ours(channel, incident)?;
    archive(channel)
}

/// Gives the channel a name that tells nothing.
fn rename(channel: &str, incident: &Incident) -> Result<(), Failure> {
    let prefix = config::get("channel-prefix").unwrap_or_else(|| "inc".into());
    for taken in 0..NAMES_TRIED_MAX {
        let name = names::room(&prefix, incident.number, "moved", false, taken);
        let params = [("channel", channel), ("name", name.as_str())];
        match api::post("conversations.rename", &params, None) {
            Ok(_) => return Ok(()),
            Err(error) if error.is("name_taken") => {
                // By itself, if the answer to an earlier try was lost.
                let itself = |it: &Value| it["name"] == name.as_str() && it["id"] == channel;
                if channel::find_ours(itself)?.is_some() {
                    return Ok(());
                }
            }
            Err(error) => return channel::tolerated(error.into_failure("conversations.rename")),
        }
    }
    log::error(
        "a public room keeps its name because all others are taken: rename it by hand",
        &[("channel", channel)],
    );
    Ok(())
}

fn tell(public: &mut Claim, channel: &str, incident: &Incident) -> Result<(), Failure> {
    if public.row.told {
        return Ok(());
    }
    let line = ":lock: This incident moved to a private room. Please do not discuss it here.";
    let sent = Post {
        channel,
        effect: moved_effect(incident),
        since: incident.opened_at,
        message: Message::line(line.into()),
    }
    .send();
    // Somebody may have archived it, or put the app out of it.
    sent.map(drop).or_else(channel::tolerated)?;
    public.row.told = true;
    public.save()
}

/// Takes back what we wrote there; what people wrote, no app can take away. An archived channel
/// cannot be edited, so this comes before.
fn remove_ours(channel: &str, incident: &Incident) -> Result<(), Failure> {
    let notice = moved_effect(incident);
    let mut ours: Vec<Standing> = Vec::new();
    let read = post::each_of_ours(channel, incident.opened_at, |it| {
        if it.effect != notice && it.text != REMOVED {
            ours.push(it);
        }
        false
    });
    read.or_else(channel::tolerated)?;
    let message = Message::block(REMOVED);
    let blocks = Value::from(message.blocks).to_string();
    // The oldest say most: title and summary.
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
                let what = "the public room of a security incident stays open: archive it by hand";
                log::error(what, &[("channel", channel), ("why", &why)]);
                Ok(())
            }
            other => Err(other),
        },
    }
}

#[cfg(test)]
mod tests;
