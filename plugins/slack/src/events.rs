//! Handles each event in Slack.

use crate::blocks::{self, Message};
use crate::post::Post;
use crate::room::involved;
use crate::{announce, archive, asked, changes, help, jobs, room, summary, text};
use tocsin_plugin_sdk::types::{
    Audience, Delivery, Event, EventBody, Failure, IncidentChange, LogEntry, LogKind, Outcome,
    Status, Update,
};
use tocsin_plugin_sdk::{commands, config, log};

/// Handles one event. A retry can safely repeat every external effect.
pub(crate) fn handle(event: Event, delivery: &Delivery) -> Result<Outcome, Failure> {
    match &event.body {
        EventBody::IncidentOpened(incident) => {
            announce::opened(incident)?;
            if !room::is_wanted(incident)? {
                return Ok(Outcome::Ignored);
            }
            let mut room = room::ensure(incident, delivery)?;
            match blocks::suspects(incident, None) {
                None => Ok(Outcome::Done),
                Some(message) => {
                    let effect = (format!("suspects:{}", event.id), event.at);
                    room.post(effect, message, incident, delivery)
                }
            }
        }
        EventBody::IncidentChanged(change) => changed(change, &event, delivery),
        EventBody::UpdatePosted(update) => updated(update, delivery),
        EventBody::LogAdded(entry) => logged(entry, &event, delivery),
        EventBody::Page(page) => asked::page(page, event.at),
        EventBody::Prompt(prompt) => asked::prompt(prompt, event.at),
        EventBody::Settled(settled) => asked::settled(settled),
        EventBody::Job(job) => jobs::handle(job, delivery),
        EventBody::DocumentReady(_) | EventBody::Other(_) => Ok(Outcome::Ignored),
    }
}

fn changed(
    change: &IncidentChange,
    event: &Event,
    delivery: &Delivery,
) -> Result<Outcome, Failure> {
    announce::changed(change)?;
    summary::changed(change);
    help::changed(change, event);
    let incident = &change.after;
    archive::changed(change)?;
    if !room::is_wanted(incident)? {
        return Ok(Outcome::Ignored);
    }
    let lines = changes::lines(change);
    let are_others = involved::are_others(change);
    let suspects = blocks::suspects(incident, Some(&change.before));
    if lines.is_empty() && suspects.is_none() && !changes::changes_topic(change) && !are_others {
        return Ok(Outcome::Ignored);
    }
    if incident.status == Status::Closed && !room::exists(incident)? {
        return Ok(Outcome::Ignored);
    }
    let mut room = room::ensure(incident, delivery)?;
    room.update_topic(incident)?;
    let mentioned = involved::mentioned(incident);
    let mut invited = match are_others {
        true => involved::everybody(incident),
        false => involved::at_hand(incident),
    };
    // The incident names only some of its open tasks.
    invited.extend_from_slice(&mentioned);
    room.invite(&invited, incident)?;
    if let Some(message) = suspects {
        let effect = (format!("suspects:{}", event.id), event.at);
        room.post(effect, message, incident, delivery)?;
    }
    if lines.is_empty() {
        return Ok(Outcome::Done);
    }
    let effect = (format!("change:{}", event.id), event.at);
    let line = format!("{}{}", lines.join("\n"), text::copies(&mentioned));
    room.post(effect, Message::line(line), incident, delivery)
}

fn updated(update: &Update, delivery: &Delivery) -> Result<Outcome, Failure> {
    let setting = match update.audience {
        Audience::Engineering => "engineering-channel",
        Audience::Company => "company-channel",
        Audience::WarRoom => {
            let incident = &update.incident;
            if !room::is_wanted(incident)? {
                return Ok(Outcome::Ignored);
            }
            let mut room = room::ensure(incident, delivery)?;
            let effect = (format!("update:{}:room", update.id), update.at);
            return room.post(effect, blocks::update(update), incident, delivery);
        }
        Audience::Public => return Ok(Outcome::Ignored),
    };
    match config::get(setting).filter(|it| !it.is_empty()) {
        Some(channel) => post_update(update, &channel),
        None => {
            log::warn(
                "no channel is configured for this update",
                &[("set", setting)],
            );
            Ok(Outcome::Ignored)
        }
    }
}

fn post_update(update: &Update, channel: &str) -> Result<Outcome, Failure> {
    let effect = format!("update:{}:{channel}", update.id);
    let message = blocks::update(update);
    Post::new(channel, effect, update.at, message).send()?;
    Ok(Outcome::Done)
}

fn logged(entry: &LogEntry, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
    let Some(incident_id) = &event.incident_id else {
        return Ok(Outcome::Ignored);
    };
    let incident = commands::get(incident_id)?;
    if !room::is_wanted(&incident)? {
        return Ok(Outcome::Ignored);
    }
    let mut room = room::ensure(&incident, delivery)?;
    let kind = match entry.kind {
        LogKind::Seen => ":mag: *Seen*",
        LogKind::Decided => ":scales: *Decided*",
        LogKind::Done => ":hammer_and_wrench: *Done*",
        LogKind::Note => ":memo: *Note*",
    };
    let body = text::from_markdown(&entry.body);
    let message = Message::line(format!("{kind} by {}: {body}", text::actor(&entry.author)));
    let effect = (format!("log:{}", entry.id), entry.at);
    room.post(effect, message, &incident, delivery)
}
