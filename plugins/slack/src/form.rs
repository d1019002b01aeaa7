//! The form that opens an incident: `/incident open` without a title.
//!
//! Views: <https://docs.slack.dev/surfaces/modals>. Slack accepts the form for three seconds after
//! the command, so it is the one call to Slack that no job makes.

use crate::{api, text};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Actor, Failure, WebhookResponse};
use tocsin_plugin_sdk::{jobs, log};

/// Names the form in what Slack sends back.
pub(crate) const OPEN: &str = "open-incident";
/// Longest title that the form takes.
const TITLE_CHARS_MAX: u32 = 200;

/// Shows the form to whoever typed the command in this channel. False if Slack refuses it.
pub(crate) fn show(trigger: &str, channel: &str) -> bool {
    let view = view(channel).to_string();
    let shown = api::post(
        "views.open",
        &[("trigger_id", trigger), ("view", &view)],
        None,
    );
    if let Err(error) = &shown {
        log::warn(
            "the form could not be shown",
            &[("why", &format!("{error:?}"))],
        );
    }
    shown.is_ok()
}

/// Opens the incident of a form that was sent. What is wrong with it is shown in the form.
pub(crate) fn submitted(payload: &Value) -> Result<WebhookResponse, Failure> {
    let view = &payload["view"];
    let user = payload["user"]["id"].as_str().unwrap_or_default();
    let channel = view["private_metadata"].as_str().unwrap_or_default();
    let line = line(&view["state"]["values"]);
    match commands::run(None, &line, &Actor::by_contact("slack", user)) {
        Ok(reply) => {
            let reply = text::escape(&reply);
            let payload = json!({"channel": channel, "user": user, "text": reply});
            jobs::enqueue("tell", &payload, None)?;
            Ok(WebhookResponse::new(200))
        }
        Err(CommandError::Unavailable(why)) => Err(Failure::retry(why)),
        Err(error) => {
            let errors = json!({"title": crate::inbound::reason(error)});
            let answer = json!({"response_action": "errors", "errors": errors});
            Ok(WebhookResponse::json(200, &answer))
        }
    }
}

/// The command that the form stands for.
fn line(values: &Value) -> String {
    let typed = |block: &str| {
        let value = values[block]["value"]["value"].as_str().unwrap_or_default();
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut line = format!("open {}", typed("title"));
    for option in ["service", "team"] {
        // A name has no spaces; what follows one would be part of the title.
        if let Some(name) = typed(option).split(' ').next().filter(|it| !it.is_empty()) {
            line.push_str(&format!(" {option}={name}"));
        }
    }
    let grade = values["grade"]["value"]["selected_option"]["value"].as_str();
    if let Some(grade) = grade {
        line.push_str(&format!(" grade={grade}"));
    }
    let ticked = values["security"]["value"]["selected_options"].as_array();
    if ticked.is_some_and(|it| !it.is_empty()) {
        line.push_str(" security");
    }
    line
}

fn view(channel: &str) -> Value {
    let plain = |text: &str| json!({"type": "plain_text", "text": text});
    let input = |id: &str, label: &str, optional: bool, element: Value| {
        json!({
            "type": "input", "block_id": id, "optional": optional, "label": plain(label),
            "element": element,
        })
    };
    let typed =
        |chars: u32| json!({"type": "plain_text_input", "action_id": "value", "max_length": chars});
    let option = |value: &str, text: &str| json!({"text": plain(text), "value": value});
    let grades = [
        option(
            "critical",
            "critical: customers cannot use it, or data is lost",
        ),
        option("major", "major: an important part does not work"),
        option("minor", "minor: it can wait for office hours"),
    ];
    let grade = json!({
        "type": "static_select", "action_id": "value", "options": grades,
        "placeholder": plain("As the policies say"),
    });
    let security = json!({
        "type": "checkboxes", "action_id": "value",
        "options": [option("security", "Only people with clearance may see it")],
    });
    json!({
        "type": "modal", "callback_id": OPEN, "private_metadata": channel,
        "title": plain("Open an incident"), "submit": plain("Open"), "close": plain("Cancel"),
        "blocks": [
            input("title", "What is wrong?", false, typed(TITLE_CHARS_MAX)),
            input("service", "Service", true, typed(80)),
            input("team", "Team", true, typed(80)),
            input("grade", "How bad is it?", true, grade),
            input("security", "Security", true, security),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_stands_for_a_line() {
        let values = json!({
            "title": {"value": {"value": " Orders\nare lost "}},
            "service": {"value": {"value": "shop"}},
            "team": {"value": {"value": null}},
            "grade": {"value": {"selected_option": {"value": "major"}}},
            "security": {"value": {"selected_options": [{"value": "security"}]}},
        });
        let wanted = "open Orders are lost service=shop grade=major security";
        assert_eq!(line(&values), wanted);
        let empty = json!({"title": {"value": {"value": "Slow"}}, "grade": {"value": {}}});
        assert_eq!(line(&empty), "open Slow");
    }
}
