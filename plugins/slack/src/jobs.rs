//! Jobs that this plugin queues for itself, so that a webhook responds within Slack's three seconds
//! and a page does not wait for the war room.

use crate::asked::{self, Asked};
use crate::{announce, archive, help, room, summary};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Delivery, Failure, Job, Label, Outcome, Person, Status};
use tocsin_plugin_sdk::{jobs, log};

/// "settle": a button was pressed; remove it.
#[derive(Deserialize)]
struct Settle {
    id: String,
    note: String,
    /// The message; none for one item of a page about several.
    pressed: Option<Asked>,
}

/// "refresh": something that a message about several names was settled; show it.
#[derive(Deserialize)]
struct Refresh {
    id: String,
}

/// "summary", "counts" and "helping": messages about an incident changed.
#[derive(Deserialize)]
struct Shown {
    incident: String,
}

/// "tell": a message for one person only.
#[derive(Deserialize)]
struct Tell {
    channel: String,
    user: String,
    text: String,
}

/// "invite": somebody was paged; invite them to the war room.
#[derive(Deserialize)]
struct Invite {
    incident: String,
    user: String,
}

/// Runs one job.
pub(crate) fn handle(job: &Job, delivery: &Delivery) -> Result<Outcome, Failure> {
    match job.topic.as_str() {
        "settle" => {
            let job: Settle = payload(job)?;
            asked::press(&job.id, &job.note, job.pressed)
        }
        asked::REFRESH => {
            let job: Refresh = payload(job)?;
            asked::refresh(&job.id)
        }
        summary::TOPIC => {
            let job: Shown = payload(job)?;
            summary::refresh(&job.incident)
        }
        summary::COUNTS => {
            let job: Shown = payload(job)?;
            summary::soon(&job.incident);
            Ok(Outcome::Done)
        }
        help::ASK => help::ask(payload(job)?),
        help::SHOW => {
            let job: Shown = payload(job)?;
            help::show(&job.incident)
        }
        "tell" => {
            let job: Tell = payload(job)?;
            asked::tell(&job.channel, &job.user, &job.text)
        }
        announce::TOPIC => announce::run(delivery),
        archive::TOPIC => archive::run(),
        "invite" => invite(&payload(job)?, delivery),
        _ => Ok(Outcome::Ignored),
    }
}

/// Queues a job, one at a time for each `once`. A full queue must not keep a delivery from doing
/// the rest; what the job would show is shown by the next one.
pub(crate) fn later(delay_ms: u64, topic: &str, once: &str, payload: &Value) {
    if let Err(error) = jobs::enqueue_after(delay_ms, topic, payload, Some(once)) {
        log::warn(&format!("{error:?}"), &[("once", once)]);
    }
}

fn invite(job: &Invite, delivery: &Delivery) -> Result<Outcome, Failure> {
    let incident = match commands::get(&job.incident) {
        Err(CommandError::NotFound) => return Ok(Outcome::Ignored),
        result => result?,
    };
    let is_over = matches!(incident.status, Status::Resolved | Status::Closed);
    if is_over || !room::is_wanted(&incident)? {
        return Ok(Outcome::Ignored);
    }
    let contacts = vec![Label {
        key: "slack".into(),
        value: job.user.clone(),
    }];
    let id = job.user.clone();
    let person = Person {
        name: id.clone(),
        id,
        contacts,
        extra: "{}".into(),
    };
    room::ensure(&incident, delivery)?.invite(&[person], &incident)?;
    Ok(Outcome::Done)
}

fn payload<T: DeserializeOwned>(job: &Job) -> Result<T, Failure> {
    serde_json::from_str(&job.payload).map_err(|error| {
        Failure::Permanent(format!(
            "the payload of job {} is invalid: {error}",
            job.topic
        ))
    })
}
