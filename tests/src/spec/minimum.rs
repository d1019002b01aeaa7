//! Minimal checks that work without the vendors' documents: what each API requires of a request or
//! a response, written by hand from the vendors' documentation.

use serde_json::Value;
use tocsin::standin::slack::Request;

/// Required parameters of each Slack method; a bar separates alternatives.
const SLACK_REQUIRED: &[(&str, &[&str])] = &[
    ("auth.test", &[]),
    (
        "chat.postEphemeral",
        &["channel", "user", "text|blocks|attachments"],
    ),
    ("chat.postMessage", &["channel", "text|blocks|attachments"]),
    ("chat.update", &["channel", "ts", "text|blocks|attachments"]),
    ("conversations.archive", &["channel"]),
    ("conversations.create", &["name"]),
    ("conversations.history", &["channel"]),
    ("conversations.info", &["channel"]),
    ("conversations.invite", &["channel", "users"]),
    ("conversations.join", &["channel"]),
    ("conversations.list", &[]),
    ("conversations.members", &["channel"]),
    ("conversations.open", &["channel|users"]),
    ("conversations.rename", &["channel", "name"]),
    ("conversations.replies", &["channel", "ts"]),
    ("conversations.setPurpose", &["channel", "purpose"]),
    ("conversations.setTopic", &["channel", "topic"]),
    ("pins.add", &["channel", "timestamp"]),
    ("users.conversations", &[]),
    ("users.info", &["user"]),
    ("users.lookupByEmail", &["email"]),
    ("views.open", &["view", "trigger_id|interactivity_pointer"]),
];

type Shape = fn(&Value) -> bool;

/// Parameters that contain JSON text, and its type.
const SLACK_JSON: &[(&str, Shape)] = &[
    ("blocks", Value::is_array),
    ("attachments", Value::is_array),
    ("metadata", Value::is_object),
    ("view", Value::is_object),
];

/// Checks a request to Slack: a bearer token in the header only, a known method with its required
/// parameters, a form body, and valid JSON where required.
///
/// # Errors
/// What is wrong.
pub fn check_slack(request: &Request) -> Result<(), String> {
    let method = request.method();
    if request.header("authorization") != Some("Bearer") {
        return Err(format!(
            "{method}: no bearer token in the Authorization header"
        ));
    }
    if request.field("token").is_some() {
        return Err(format!("{method}: the token must not be a parameter"));
    }
    let known = SLACK_REQUIRED.iter().find(|it| it.0 == method);
    let (_, required) = known.ok_or_else(|| format!("{method} is unknown"))?;
    let given = |name: &str| request.field(name).is_some_and(|it| !it.is_empty());
    if let Some(missing) = required.iter().find(|it| !it.split('|').any(given)) {
        return Err(format!("{method}: {missing} is required"));
    }
    let kind = request.header("content-type").unwrap_or_default();
    if !request.body.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(format!("{method}: the body is {kind:?}, not a form"));
    }
    for (name, shape) in SLACK_JSON {
        let Some(text) = request.field(name) else {
            continue;
        };
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("{method}: {name} is not valid JSON: {error}"))?;
        if !shape(&value) {
            return Err(format!("{method}: {name} has the wrong type"));
        }
    }
    Ok(())
}

/// Checks the response to a PagerDuty event: 202 with `status`, `message` and `dedup_key`, or 400
/// with `status`, `message` and `errors`.
///
/// # Errors
/// What is wrong.
pub fn check_enqueue_answer(status: u16, body: &Value) -> Result<(), String> {
    let text = |name: &str| body[name].is_string();
    let sound = match status {
        202 => body["status"] == "success" && text("message"),
        400 => text("status") && text("message") && body["errors"].is_array(),
        429 | 500..=599 => true,
        _ => false,
    };
    if sound {
        Ok(())
    } else {
        Err(format!("PagerDuty never returns {status} {body}"))
    }
}

/// Checks the list that `GET /api/v2/alerts` returns.
///
/// # Errors
/// What is wrong.
pub fn check_alerts_answer(body: &Value) -> Result<(), String> {
    let list = body
        .as_array()
        .ok_or("the list of alerts is not an array")?;
    let fields = ["annotations", "labels", "status"];
    let times = ["startsAt", "endsAt", "updatedAt"];
    for alert in list {
        let sound = fields.iter().all(|it| alert[it].is_object())
            && times.iter().all(|it| alert[it].is_string())
            && alert["fingerprint"].is_string()
            && alert["receivers"].is_array()
            && matches!(
                alert["status"]["state"].as_str(),
                Some("unprocessed" | "active" | "suppressed")
            );
        if !sound {
            return Err(format!("not a valid Alertmanager alert: {alert}"));
        }
    }
    Ok(())
}
