//! CloudWatch's alarms, as they come in a message of Amazon SNS.
//!
//! Source: Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms"; composite alarms have
//! `AlarmRule` in place of a metric. An alarm sends each change of its state once.

use serde_json::Value;
use tocsin_core::{Signal, SignalStatus};

use super::batch::{Fault, Item};
use super::fields::{Object, add_label, take_optional_text, take_time};
use super::fingerprint::sender_fingerprint;
use super::sns::is_region;
use super::{Parsed, Received};

/// Where the message is in the body.
const BASE: &str = "/Message";

/// Parses a message. Whatever is not of an alarm is noted and does nothing: a topic may have other
/// publishers.
#[must_use]
pub fn parse(message: &[u8], ctx: &Received) -> Parsed {
    let mut parsed = Parsed::default();
    match serde_json::from_slice(message) {
        Ok(Value::Object(alarm)) if alarm.contains_key("AlarmName") => {
            parsed.add(0, BASE, alarm, |alarm, item| signal(alarm, ctx, item));
        }
        _ => parsed.note(BASE, "not an alarm of CloudWatch; nothing was done"),
    }
    parsed
}

fn signal(mut alarm: Object, ctx: &Received, item: &mut Item<'_>) -> Result<Signal, Fault> {
    let mut text = |name: &str| take_optional_text(&mut alarm, name, item);
    let name = text("AlarmName");
    let name = name.ok_or_else(|| Fault::new("/AlarmName", "there is no `AlarmName`"))?;
    let state = text("NewStateValue").unwrap_or_default();
    let status = match state.as_str() {
        "ALARM" => SignalStatus::Firing,
        "OK" => SignalStatus::Resolved,
        // Nobody knows whether what is measured is well.
        "INSUFFICIENT_DATA" => SignalStatus::Firing,
        other => {
            let message =
                format!("the state must be ALARM, OK or INSUFFICIENT_DATA, not `{other}`");
            return Err(Fault::new("/NewStateValue", message));
        }
    };
    let (account, region) = (text("AWSAccountId"), text("Region"));
    let arn = text("AlarmArn");
    let reason = text("NewStateReason");
    let description = text("AlarmDescription");
    let at = take_time(&mut alarm, "StateChangeTime")?;
    let trigger = alarm.remove("Trigger");
    let known = |it: &Option<String>| it.clone().unwrap_or_default();
    let id = arn
        .clone()
        .unwrap_or_else(|| format!("{}/{}/{name}", known(&account), known(&region)));
    let title = match state.as_str() {
        "INSUFFICIENT_DATA" => format!("{name} has no data"),
        _ => name.clone(),
    };
    let mut signal = ctx.signal(sender_fingerprint(&id), status, title);
    if let Some(at) = at.map(|it| it.min(ctx.received_at)) {
        signal.starts_at = at;
        signal.ends_at = signal.ends_at.map(|_| at);
    }
    signal.summary = reason.unwrap_or_default();
    signal.link = arn.as_deref().and_then(console);
    if let Some(description) = description {
        signal
            .annotations
            .insert("description".to_owned(), description);
    }
    let metric = |name: &str| trigger.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let labels = [
        ("alertname", Some(name)),
        ("state", Some(state)),
        ("account", account),
        ("region", arn.as_deref().and_then(region_of).or(region)),
        ("namespace", metric("Namespace")),
        ("metric", metric("MetricName")),
    ];
    for (name, value) in labels {
        add_label(&mut signal.labels, name, value);
    }
    for (name, value) in dimensions(trigger.as_ref()) {
        signal.labels.entry(name).or_insert(value);
    }
    Ok(signal)
}

/// The dimensions of the metric, such as `InstanceId`.
fn dimensions(trigger: Option<&Value>) -> Vec<(String, String)> {
    let listed = trigger.and_then(|it| it.get("Dimensions")?.as_array());
    let text = |it: &Value, name: &str| Some(it.get(name)?.as_str()?.to_owned());
    let pair = |it: &Value| Some((text(it, "name")?, text(it, "value")?));
    listed.into_iter().flatten().filter_map(pair).collect()
}

/// The region's code, as `Region` has its name for people.
fn region_of(arn: &str) -> Option<String> {
    let region = arn.split(':').nth(3)?;
    is_region(region).then(|| region.to_owned())
}

/// The alarm in AWS's console.
fn console(arn: &str) -> Option<String> {
    let region = region_of(arn)?;
    let name = arn.splitn(7, ':').nth(6)?;
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    Some(format!(
        "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{}",
        name.replace('+', "%20")
    ))
}
