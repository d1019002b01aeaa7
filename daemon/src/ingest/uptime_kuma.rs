//! Uptime Kuma's webhook notification, with the preset body.
//!
//! Source: `server/notification-providers/webhook.js` and `server/model/monitor.js` of Uptime Kuma
//! 2. Test messages and those about certificates and domains have only a text, `msg`: both other
//! fields are null. What ends is said of monitors only, so an alert about a certificate or a domain
//! ends when that expires, as then its monitor goes down, or by hand.

use chrono_tz::Tz;
use serde_json::Value;
use tocsin_core::{Labels, Signal, SignalStatus, Timestamp};

use super::batch::{Fault, Item, kind, read_object, wrong_shape};
use super::fields::{Object, add_label, scalar, tag_labels, take_text};
use super::fingerprint::sender_fingerprint;
use super::{Malformed, Parsed, Received};
use crate::time::parse_local_time;

/// A day, in milliseconds: Uptime Kuma rounds the days that remain down.
const DAY_MS: u64 = 24 * tocsin_core::time::HOUR_MS;
/// Most days until something expires that are believed; certificates have at most 13 months.
const DAYS_MAX: u64 = 3_660;
/// What Uptime Kuma writes as the URL of a monitor that has none.
const NO_URL: [&str; 2] = ["https://", "http://"];

/// Parses a notification from Uptime Kuma.
///
/// # Errors
/// When the body is not a JSON object with `heartbeat`, `monitor` or `msg`.
pub fn parse(body: &[u8], ctx: &Received) -> Result<Parsed, Malformed> {
    if body.starts_with(b"--") {
        return Err(Malformed {
            title: "The body is not JSON",
            detail: "it looks like multipart/form-data; in Uptime Kuma, choose \"Preset - \
                     application/json\" as the request body"
                .to_owned(),
            pointer: None,
        });
    }
    let mut top = read_object(body)?;
    let heartbeat = take_object(&mut top, "heartbeat")?;
    let monitor = take_object(&mut top, "monitor")?;
    let mut parsed = Parsed::default();
    match heartbeat {
        Some(heartbeat) => match idle(&heartbeat) {
            Some(why) => parsed.note("/heartbeat/status", why),
            None => parsed.add(0, "", (heartbeat, monitor), |(beat, monitor), item| {
                alert(beat, monitor.unwrap_or_default(), ctx, item)
            }),
        },
        None => match (take_text(&mut top, "msg"), monitor) {
            (Ok(Some(text)), None) => match Expiry::of(&text) {
                Some(expiry) => parsed.add(0, "", expiry, |it, item| Ok(it.signal(ctx, item))),
                None => parsed.note(
                    "/heartbeat",
                    "it is about no monitor, such as a test; it opens nothing",
                ),
            },
            _ => return Err(wrong_shape("/heartbeat", &Value::Null, "an object")),
        },
    }
    Ok(parsed)
}

fn take_object(top: &mut Object, name: &str) -> Result<Option<Object>, Malformed> {
    match top.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(other) => Err(wrong_shape(&format!("/{name}"), &other, "an object")),
    }
}

/// Why a heartbeat says nothing of an alert.
fn idle(heartbeat: &Object) -> Option<&'static str> {
    match heartbeat.get("status")?.as_u64()? {
        0 | 1 => None,
        2 => Some("the monitor is pending: it is tried again before it counts as down"),
        3 => Some("the monitor is in maintenance"),
        _ => Some("a status that is not known here; nothing was done"),
    }
}

fn alert(
    mut heartbeat: Object,
    mut monitor: Object,
    ctx: &Received,
    item: &mut Item<'_>,
) -> Result<Signal, Fault> {
    let (status, state) = match heartbeat.get("status") {
        Some(value) if value.as_u64() == Some(0) => (SignalStatus::Firing, "down"),
        Some(value) if value.as_u64() == Some(1) => (SignalStatus::Resolved, "up"),
        found => {
            let found = kind(found.unwrap_or(&Value::Null));
            let message = format!("`status` must be 0 for down or 1 for up, and is {found}");
            return Err(Fault::new("/heartbeat/status", message));
        }
    };
    let id = id(&monitor, &heartbeat)
        .ok_or_else(|| Fault::new("/monitor/id", "the monitor has no `id`"))?;
    let name = text(&mut monitor, "/monitor/name", item);
    let name = name.unwrap_or_else(|| format!("monitor {id}"));
    let at = time(&mut heartbeat, "/heartbeat/time", item);
    let down_since = time(&mut heartbeat, "/heartbeat/lastDownTime", item);
    let mut signal = ctx.signal(
        sender_fingerprint(&id),
        status,
        format!("{name} is {state}"),
    );
    if status == SignalStatus::Resolved {
        signal.starts_at = down_since.or(at).unwrap_or(ctx.received_at);
        signal.ends_at = Some(at.unwrap_or(ctx.received_at).min(ctx.received_at));
    } else {
        signal.starts_at = at.unwrap_or(ctx.received_at);
    }
    signal.summary = text(&mut heartbeat, "/heartbeat/msg", item).unwrap_or_default();
    signal.labels = labels(&mut monitor, name, item);
    if let Some(said) = text(&mut monitor, "/monitor/description", item) {
        signal.annotations.insert("description".to_owned(), said);
    }
    let url = text(&mut monitor, "/monitor/url", item);
    let url = url.filter(|it| !NO_URL.contains(&it.trim()));
    signal.link = url.and_then(|it| item.link("/monitor/url", &it));
    Ok(signal)
}

fn id(monitor: &Object, heartbeat: &Object) -> Option<String> {
    let places = [monitor.get("id"), heartbeat.get("monitorID")];
    let mut found = places
        .into_iter()
        .flatten()
        .filter_map(|it| scalar(it).ok()?);
    found.find(|it| !it.trim().is_empty())
}

/// Takes the text at a pointer of two parts, of which `map` is the first; another type is noted.
fn text(map: &mut Object, pointer: &str, item: &mut Item<'_>) -> Option<String> {
    let (_, name) = pointer.rsplit_once('/')?;
    take_text(map, name).unwrap_or_else(|fault| {
        item.note(pointer, format!("left out: {}", fault.message));
        None
    })
}

fn time(map: &mut Object, pointer: &str, item: &mut Item<'_>) -> Option<Timestamp> {
    let text = text(map, pointer, item)?;
    let at = parse_local_time(Tz::UTC, &text);
    if at.is_none() {
        let message = "left out: a time must be such as 2026-01-31 12:00:00.000, in UTC";
        item.note(pointer, message);
    }
    at
}

/// The monitor's tags, and what it watches. A tag does not replace the latter.
fn labels(monitor: &mut Object, name: String, item: &mut Item<'_>) -> Labels {
    let tags = match monitor.remove("tags") {
        Some(Value::Array(tags)) => tags,
        _ => Vec::new(),
    };
    let part = |tag: &Value, field: &str| tag.get(field).and_then(|it| scalar(it).ok()?);
    let pairs = tags
        .iter()
        .filter_map(|it| Some((part(it, "name")?, part(it, "value").unwrap_or_default())));
    let mut labels = tag_labels(pairs);
    for (pointer, label) in [("/monitor/type", "type"), ("/monitor/hostname", "host")] {
        if let Some(said) = text(monitor, pointer, item) {
            labels.insert(label.to_owned(), said);
        }
    }
    if let Some(group) = group(monitor) {
        labels.insert("group".to_owned(), group);
    }
    labels.insert("alertname".to_owned(), name);
    labels
}

/// The names of the groups that a monitor is in, from `path`, which ends with its own name.
fn group(monitor: &Object) -> Option<String> {
    let (_, groups) = monitor.get("path")?.as_array()?.split_last()?;
    let names: Vec<_> = groups.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| names.join(" / "))
}

/// A message that a certificate or a domain expires soon.
struct Expiry<'a> {
    /// The message without the number of days: it identifies the alert.
    what: &'a str,
    /// What expires, for people.
    subject: String,
    labels: Labels,
    days: u64,
    text: &'a str,
}

impl<'a> Expiry<'a> {
    /// Recognizes `[NAME][URL] server certificate CN will expire in 7 days`, the same without type
    /// and CN, and `Domain name DOMAIN will expire in 7 days`.
    fn of(text: &'a str) -> Option<Self> {
        let (what, days) = text.trim().strip_suffix(" days")?.rsplit_once(" in ")?;
        // What has expired already has a negative number of days.
        let days = days.parse::<i64>().ok()?.max(0).unsigned_abs();
        let ends = [" will expire", " will be expired"];
        let what = ends.iter().find_map(|it| what.strip_suffix(it))?;
        let mut labels = Labels::new();
        let mut label =
            |name: &str, value: &str| add_label(&mut labels, name, Some(value.to_owned()));
        label("severity", "warning");
        let subject = if let Some(domain) = what.strip_prefix("Domain name ") {
            label("alertname", "DomainExpiry");
            label("domain", domain);
            what.to_owned()
        } else {
            let (monitor, certificate) = what.strip_prefix('[')?.rsplit_once("] ")?;
            let (name, url) = monitor.rsplit_once("][")?;
            let (kind, common_name) = match certificate {
                "Certificate" => ("", ""),
                typed => typed.split_once(" certificate ")?,
            };
            let host = url::Url::parse(url).ok();
            let host = host.as_ref().and_then(url::Url::host_str);
            label("alertname", "CertificateExpiry");
            label("monitor", name);
            label("domain", host.unwrap_or(common_name));
            label("certificate", common_name);
            label("certificate_type", kind);
            format!("certificate of {name}")
        };
        Some(Self {
            what,
            subject,
            labels,
            days,
            text,
        })
    }

    fn signal(self, ctx: &Received, item: &mut Item<'_>) -> Signal {
        let fingerprint = sender_fingerprint(&format!("expiry: {}", self.what));
        let days = self.days.min(DAYS_MAX);
        let title = format!("{} expires in {days} days", self.subject);
        let mut signal = ctx.signal(fingerprint, SignalStatus::Firing, title);
        signal.ends_at = Some(ctx.received_at.plus_ms((days + 1) * DAY_MS));
        signal.summary = self.text.to_owned();
        signal.labels = self.labels;
        let message = "Uptime Kuma does not say when it is renewed: the alert ends when it has \
                       expired, or by hand";
        item.note("/msg", message);
        signal
    }
}
