//! Makes years of incidents as a daemon does: alerts fire, people are paged and acknowledge, log
//! entries are added, the alerts resolve, and time passes.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use serde_json::json;
use tocsin::runtime::{
    About, Answer, Cause, Delivery, End, Ended, EngineError, IncidentState, Observed, Request,
    settlement,
};
use tocsin_core::command::Command;
use tocsin_core::consequences::Notice;
use tocsin_core::event::{LogDraft, LogKind, Ref};
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Actor, IncidentId, PageId, Route, Signal, SignalStatus, Timestamp};
use tocsin_store::{Claimed, Class, Store as _};

use crate::cost::memory;
use crate::rig::{Rig, signal};

const BEGIN: Timestamp = Timestamp(1_704_067_200_000);
/// Incidents that are open at the same time: a group of the writer.
const COHORT: u64 = 256;
/// Time between cohorts, in milliseconds: longer than anything that is stored for a day.
const COHORT_MS: u64 = 36 * HOUR_MS;
/// Most rounds to finish everything due.
const ROUNDS_MAX: usize = 1_000;

/// When an incident's cohort begins.
pub(crate) fn time_of(incident: u64) -> Timestamp {
    BEGIN.plus_ms(incident / COHORT * COHORT_MS)
}

/// Makes the incidents from one number to another.
pub(crate) fn make(folder: &Path, from: u64, to: u64) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let begun = Instant::now();
    runtime.block_on(async {
        let rig = Rig::open(folder, time_of(from)).await?;
        let mut first = from;
        while first < to {
            let names = first..to.min(first + COHORT);
            simulate(&rig, names, time_of(first)).await?;
            first += COHORT;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let mut line = json!({"made": to, "of": to - from, "seconds": seconds});
        line["disk_bytes"] = rig.store.size_bytes()?.into();
        line["held"] = rig.app.view.in_memory_count().into();
        memory(&mut line)?;
        println!("{line}");
        Ok(())
    })
}

async fn simulate(rig: &Rig, names: std::ops::Range<u64>, at: Timestamp) -> Result<()> {
    let app = &rig.app;
    let say = |instance, status, at: Timestamp| {
        let one = |it: u64| observed(rig, &signal(&it.to_string(), instance, status, at));
        ask_all(rig, names.clone().map(one).collect())
    };
    rig.clock.set(at);
    say(1, SignalStatus::Firing, at).await?;
    deliver(rig, at).await?;
    let later = at.plus_ms(MINUTE_MS);
    rig.clock.set(later);
    say(1, SignalStatus::Firing, later).await?;
    say(2, SignalStatus::Firing, later).await?;
    let incidents: Vec<_> = app.view.in_memory().iter().map(id_of).collect();
    for words in [ACK, SEEN, DONE] {
        let asked = incidents.iter().map(|id| command(id, words(id)));
        ask_all(rig, asked.collect()).await?;
        deliver(rig, later).await?;
    }
    let over = at.plus_ms(12 * MINUTE_MS);
    rig.clock.set(over);
    say(1, SignalStatus::Resolved, over).await?;
    say(2, SignalStatus::Resolved, over).await?;
    for minutes in [13, 19, 60] {
        let now = at.plus_ms(minutes * MINUTE_MS);
        rig.clock.set(now);
        pass(rig, now).await?;
    }
    let asked = incidents.iter().map(|id| command(id, Command::Close));
    ask_all(rig, asked.collect()).await?;
    let end = at.plus_ms(COHORT_MS - MINUTE_MS);
    rig.clock.set(end);
    pass(rig, end).await?;
    for _ in 0..ROUNDS_MAX {
        rig.clock.set(rig.app.clock.now().plus_ms(10));
        let is_over = forget(rig).await? && app.view.in_memory_count() == 0;
        if is_over && app.leases.ended_before(end, 1).is_empty() {
            return Ok(());
        }
    }
    bail!("after {ROUNDS_MAX} sweeps something of the cohort at {at} remains")
}

/// A signal with the policies' verdicts. The policies are asked about one alert only, and the
/// others get the same verdicts with their own key: otherwise this would take ten times as long.
fn observed(rig: &Rig, signal: &Signal) -> Request {
    let assessment = (signal.status == SignalStatus::Firing).then(|| {
        let mut assessment = rig.verdicts.clone();
        if let Route::Incident(target) = &mut assessment.route.value {
            target.key = signal.labels["service"].clone().into();
            target.service.clone_from(&signal.labels["service"]);
        }
        Box::new(assessment)
    });
    let signal = signal.clone();
    let last_seen = None;
    Observed {
        signal: signal.into(),
        last_seen,
    }
    .request(assessment)
}

/// Does everything that is due.
async fn pass(rig: &Rig, now: Timestamp) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        let fired = rig.app.due.turn().await?.timers;
        if deliver(rig, now).await? == 0 && fired == 0 {
            return Ok(());
        }
    }
    bail!("after {ROUNDS_MAX} turns something is still due")
}

/// Runs a sweep; returns whether there was nothing more to remove.
async fn forget(rig: &Rig) -> Result<bool> {
    rig.app.due.turn().await?;
    match rig.app.writer.ask(Request::Expire).await? {
        Answer::Expired(count) => Ok(count == 0),
        _ => Ok(true),
    }
}

fn id_of(state: &std::sync::Arc<IncidentState>) -> IncidentId {
    state.incident.id.clone()
}

type CommandFor = fn(&IncidentId) -> Command;
const ACK: CommandFor = |_| Command::Acknowledge {
    via: "slack".to_owned(),
};
const SEEN: CommandFor = |id| {
    Command::Log(LogDraft::of(
        LogKind::Seen,
        format!("the errors of {id} began with the deployment of 14:02, see the dashboard"),
    ))
};
const DONE: CommandFor = |_| {
    Command::Log(LogDraft::of(
        LogKind::Done,
        "rolled the checkout service back to the version of yesterday".to_owned(),
    ))
};

fn command(incident: &IncidentId, command: Command) -> Request {
    Request::Command {
        incident: incident.clone(),
        by: Actor::Person("ada".into()),
        command,
        cause: Cause::default(),
    }
}

/// Delivers every delivery that is ready; returns how many there were.
async fn deliver(rig: &Rig, now: Timestamp) -> Result<usize> {
    let mut count = 0;
    for class in Class::ALL {
        loop {
            let claim = Request::Claim {
                class,
                limit: 1_000,
                lease_ms: MINUTE_MS,
            };
            let claimed = match rig.app.writer.ask(claim).await? {
                Answer::Claimed(claimed) if !claimed.is_empty() => claimed,
                _ => break,
            };
            count += claimed.len();
            let asked = claimed.iter().flat_map(|it| accept(it, now));
            ask_all(rig, asked.collect()).await?;
        }
    }
    Ok(count)
}

/// What the chat does with a delivery: accepts it, and creates a channel for a new incident.
fn accept(claim: &Claimed, now: Timestamp) -> Vec<Request> {
    let mut ended = Ended::of(End::Done);
    let mut more = None;
    match serde_json::from_value::<Delivery>(claim.row.body.clone()) {
        Ok(Delivery::Message { message, .. }) => ended.about = Some(About::Message(message)),
        Ok(Delivery::Notice {
            incident,
            notice: Notice::Opened { .. },
            ..
        }) => more = Some(linked(&incident)),
        _ => {}
    }
    let settled = settlement(claim, ended, now, 0.5).request;
    more.into_iter().chain([settled]).collect()
}

fn linked(incident: &IncidentId) -> Request {
    let room = PageId(format!("C{incident}")).to_string();
    let link = Ref {
        plugin: "slack".into(),
        kind: "channel".to_owned(),
        url: Some(format!("https://shop.slack.example.org/archives/{room}")),
        id: room,
    };
    command(incident, Command::Link(link))
}

/// Sends all requests at once, so that they share groups. Stale commands may be refused.
async fn ask_all(rig: &Rig, asked: Vec<Request>) -> Result<()> {
    let mut pending = Vec::with_capacity(asked.len());
    for request in asked {
        pending.push(rig.app.writer.enqueue_when_free(request).await?);
    }
    for one in pending {
        match one.answer().await {
            Ok(_) | Err(EngineError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
