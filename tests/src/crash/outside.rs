//! The Slack stand-in, slow on purpose so that kills happen between a request and its response, and
//! the check of what it received, by idempotency key.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tocsin::standin::slack::{Fault, FaultRule, Request, SlackStandIn};
use tocsin_core::Event;
use tocsin_core::pager::PageAttempt;

use super::record::Record;
use crate::sim::Rng;

/// Minimum delay of every response, in milliseconds.
const USUAL_MS: u64 = 4;

/// What Slack received.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) requests: usize,
    /// How often each message was posted, by its key.
    pub(super) posts: BTreeMap<String, usize>,
    /// The incidents that each message named, by its key.
    named: BTreeMap<String, BTreeSet<u64>>,
    /// Pages that arrived in a message together with others.
    pub(super) bundled: usize,
    pub(super) faults: Vec<String>,
}

/// Chooses how Slack behaves until the next kill.
pub(super) fn misbehave(slack: &SlackStandIn, rng: &mut Rng) {
    slack.heal();
    let usual = Duration::from_millis(USUAL_MS + rng.below(8));
    slack.fail(FaultRule::always(Fault::Slow(usual)));
    if rng.chance(40) {
        let slow = Duration::from_millis(50 + rng.below(250));
        let times = 1 + u32::try_from(rng.below(6)).unwrap_or(0);
        slack.fail(FaultRule::times(times, Fault::Slow(slow)).on("chat.postMessage"));
    }
    if rng.chance(20) {
        slack.fail(FaultRule::times(1, Fault::LoseAnswer).on("chat.postMessage"));
    }
    if rng.chance(10) {
        slack.fail(FaultRule::times(1, Fault::LoseAnswer).on("conversations.create"));
    }
    if rng.chance(20) {
        slack.fail(FaultRule::times(1, Fault::Hang).on("chat.postMessage"));
    }
    if rng.chance(5) {
        slack.fail(FaultRule::times(1, Fault::Hang));
    }
}

/// Compares what was received with the store.
pub(super) fn seen(slack: &SlackStandIn, record: &Record) -> Seen {
    let mut seen = Seen {
        faults: slack.unexpected(),
        ..Seen::default()
    };
    let requests = slack.requests();
    seen.requests = requests.len();
    for request in requests
        .iter()
        .filter(|it| it.method() == "chat.postMessage")
    {
        match key_of(request) {
            Some(key) => {
                *seen.posts.entry(key.clone()).or_default() += 1;
                let shown = ["text", "blocks"].map(|it| request.field(it).unwrap_or_default());
                let named = shown.into_iter().flat_map(numbers_in);
                seen.named.entry(key).or_default().extend(named);
            }
            None => seen
                .faults
                .push("a message has no idempotency key".to_owned()),
        }
    }
    for found in record.incidents.values() {
        let incident = &found.incident;
        for (version, recorded) in (1_u64..).zip(&found.events) {
            let keys = match &recorded.event {
                Event::Logged { .. } => vec![format!("log:{}/{version}", incident.id)],
                Event::PageAccepted { page, contact, .. } => {
                    let attempt = PageAttempt {
                        incident: incident.id.clone(),
                        page: *page,
                        contact: *contact,
                        question: None,
                    };
                    let messages = record.messages.iter();
                    let with_it = messages.filter(|(_, pages)| pages.contains(&attempt));
                    with_it.map(|(id, _)| format!("page:{id}")).collect()
                }
                _ => continue,
            };
            let has_arrived = keys.iter().any(|it| seen.posts.contains_key(it));
            if !has_arrived && !record.is_owed(&incident.id) {
                seen.faults
                    .push(format!("lost delivery: {keys:?} never arrived"));
            }
            if has_arrived && matches!(recorded.event, Event::PageAccepted { .. }) {
                seen.check_named(incident.number, &keys);
            }
        }
    }
    one_key_each(&requests, &mut seen.faults);
    one_room_each(slack, record, &mut seen.faults);
    seen
}

impl Seen {
    /// A message names every incident whose page it brought.
    fn check_named(&mut self, number: u64, keys: &[String]) {
        let mut named = keys.iter().filter_map(|it| self.named.get(it));
        match named.find(|it| it.contains(&number)) {
            Some(named) => self.bundled += usize::from(named.len() > 1),
            None => self.faults.push(format!(
                "not named: incident {number} in any of the messages {keys:?}"
            )),
        }
    }

    /// Requests that repeated an earlier one's key.
    pub(super) fn duplicates(&self) -> usize {
        self.posts.values().map(|it| it - 1).sum()
    }
}

/// The incidents that a text names: `#4`, or `#7–#9` for several.
pub(super) fn numbers_in(text: &str) -> BTreeSet<u64> {
    let leading = |text: &str| {
        let end = text.find(|it: char| !it.is_ascii_digit());
        text[..end.unwrap_or(text.len())].parse::<u64>().ok()
    };
    let mut parts = text.split('#').skip(1).peekable();
    let mut numbers = BTreeSet::new();
    while let Some(part) = parts.next() {
        let Some(first) = leading(part) else { continue };
        let is_range = part.strip_prefix(&first.to_string()) == Some("–");
        let last = parts.peek().filter(|_| is_range).and_then(|it| leading(it));
        numbers.extend(first..=last.unwrap_or(first));
    }
    numbers
}

fn key_of(request: &Request) -> Option<String> {
    let metadata = request.field("metadata")?;
    let metadata: serde_json::Value = serde_json::from_str(metadata).ok()?;
    let key = metadata["event_payload"]["effect_id"].as_str()?;
    Some(key.to_owned())
}

/// Repeated messages in one channel have the same key.
fn one_key_each(requests: &[Request], faults: &mut Vec<String>) {
    let mut keys: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for request in requests
        .iter()
        .filter(|it| it.method() == "chat.postMessage")
    {
        let text = request.field("text").unwrap_or_default().to_owned();
        let place = request.field("channel").unwrap_or_default().to_owned();
        // Lines of the load are distinct; messages of the daemon may be repeated.
        if text.contains("line-") {
            keys.entry((place, text))
                .or_default()
                .extend(key_of(request));
        }
    }
    for ((_, text), keys) in keys.iter().filter(|it| it.1.len() > 1) {
        faults.push(format!("`{text}` was posted with {} keys", keys.len()));
    }
}

/// Each incident has one war room.
fn one_room_each(slack: &SlackStandIn, record: &Record, faults: &mut Vec<String>) {
    let rooms = slack.channels().len();
    let incidents = record.incidents.len();
    let owed = record
        .incidents
        .keys()
        .filter(|it| record.is_owed(it))
        .count();
    if rooms > incidents || rooms + owed < incidents {
        faults.push(format!("{incidents} incidents have {rooms} war rooms"));
    }
}
