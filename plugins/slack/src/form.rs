//! The form that opens an incident: `/incident open` without a title.
//!
//! Views: <https://docs.slack.dev/surfaces/modals>. Slack accepts the form for three seconds after
//! the command, so it is the one call to Slack that no job makes.

use crate::api;
use tocsin_plugin_sdk::commands::{self, CommandError, Draft};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Actor, Failure, Grade, WebhookResponse};
use tocsin_plugin_sdk::{clock, jobs, log};

/// Names the form in what Slack sends back.
pub(crate) const OPEN: &str = "open-incident";
/// Longest title that the form takes.
const TITLE_CHARS_MAX: u32 = 200;
/// Slack waits three seconds for the answer to the command.
const SHOWN_WITHIN_MS: u64 = 1_800;

/// Shows the form to whoever typed the command in this channel. False if Slack refuses it, or does
/// not answer in time for the command to be answered with what to type instead.
pub(crate) fn show(trigger: &str, channel: &str) -> bool {
    api::stop_at(clock::now() + SHOWN_WITHIN_MS);
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
    let draft = draft(&view["state"]["values"]);
    match commands::open(&draft, &Actor::by_contact("slack", user)) {
        Ok(incident) => {
            let opened = format!("incident {} is open", incident.number);
            let payload = json!({"channel": channel, "user": user, "text": opened});
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

fn draft(values: &Value) -> Draft {
    let typed = |block: &str| {
        let value = values[block]["value"]["value"].as_str().unwrap_or_default();
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let some = |text: String| Some(text).filter(|it| !it.is_empty());
    let ticked = values["security"]["value"]["selected_options"].as_array();
    let is_secret = ticked.is_some_and(|it| !it.is_empty());
    let grade = &values["grade"]["value"]["selected_option"]["value"];
    Draft {
        title: typed("title"),
        summary: String::new(),
        services: some(typed("service")).into_iter().collect(),
        grade: match grade.as_str() {
            Some("critical") => Some(Grade::Critical),
            Some("major") => Some(Grade::Major),
            Some("minor") => Some(Grade::Minor),
            _ => None,
        },
        dedup_key: None,
        refs: Vec::new(),
        extra: json!({"team": some(typed("team")), "security": is_secret}).to_string(),
    }
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
            "critical: it does not work at all, or data is lost",
        ),
        option("major", "major: a major feature does not work"),
        option("minor", "minor: no major feature is affected"),
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
    fn a_form_is_a_draft_whatever_its_title_says() {
        let values = json!({
            "title": {"value": {"value": " Orders\nare lost team=x security"}},
            "service": {"value": {"value": "order service"}},
            "team": {"value": {"value": null}},
            "grade": {"value": {"selected_option": {"value": "major"}}},
            "security": {"value": {"selected_options": [{"value": "security"}]}},
        });
        let found = draft(&values);
        assert_eq!(found.title, "Orders are lost team=x security");
        assert_eq!(found.services, ["order service"]);
        assert_eq!(found.grade, Some(Grade::Major));
        assert_eq!(
            found.extra,
            json!({"team": null, "security": true}).to_string()
        );
        let empty = draft(&json!({"title": {"value": {"value": "Slow"}}, "grade": {"value": {}}}));
        assert_eq!((empty.services.len(), empty.grade), (0, None));
        assert_eq!(
            empty.extra,
            json!({"team": null, "security": false}).to_string()
        );
    }
}
