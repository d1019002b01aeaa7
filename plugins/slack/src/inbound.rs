//! Requests from Slack: button presses, the slash command, and events. The host has verified the
//! signature. Slack waits only three seconds, so calls to Slack are left to jobs.

use crate::asked::Asked;
use crate::plain::plain;
use crate::{blocks, form, lines};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::types::{Actor, Failure, WebhookRequest, WebhookResponse};
use tocsin_plugin_sdk::{jobs, log};

/// In the engine's reply to an acknowledgement that came after another.
const LATE: &str = "is already acknowledged";

/// Answers one request.
pub(crate) fn handle(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    if !request.verified {
        return Ok(WebhookResponse::new(401));
    }
    match request.route.as_str() {
        "interactions" => {
            let payload = request.form_field("payload").unwrap_or_default();
            match serde_json::from_str(&payload) {
                Ok(payload) => interaction(&payload),
                Err(_) => Ok(WebhookResponse::new(400)),
            }
        }
        "commands" => command(|name| request.form_field(name).unwrap_or_default()),
        "events" => event(request),
        _ => Ok(WebhookResponse::new(404)),
    }
}

/// A button press, and the command that it stands for.
#[derive(Clone, Debug, PartialEq)]
struct Press {
    user: String,
    channel: String,
    ts: String,
    text: String,
    ask: Ask,
}

#[derive(Clone, Debug, PartialEq)]
enum Ask {
    Acknowledge {
        page: String,
        /// One incident of several; none for all of them.
        item: Option<String>,
    },
    Answer {
        prompt: String,
        choice: String,
        label: String,
    },
    /// A line that needs no more than this button.
    Line { incident: String, line: String },
}

/// Answers a press on a button, or a form that was sent.
pub(crate) fn interaction(payload: &Value) -> Result<WebhookResponse, Failure> {
    if payload["type"] == "view_submission" && payload["view"]["callback_id"] == form::OPEN {
        return form::submitted(payload);
    }
    if let Some(press) = read_press(payload) {
        handle_press(&press)?;
    }
    // Other views, shortcuts and link buttons need no action.
    Ok(WebhookResponse::new(200))
}

fn read_press(payload: &Value) -> Option<Press> {
    if payload["type"] != "block_actions" {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let action = payload["actions"].as_array()?.first()?;
    let action_id = action["action_id"].as_str()?;
    let value: Value = serde_json::from_str(action["value"].as_str()?).ok()?;
    let ask = if action_id == blocks::ACK || action_id.starts_with(blocks::ACK_ITEM) {
        Ask::Acknowledge {
            page: text(&value["page"]),
            item: value["item"].as_str().map(Into::into),
        }
    } else if action_id.starts_with(blocks::ANSWER) {
        let label = text(&action["text"]["text"]);
        Ask::Answer {
            prompt: text(&value["prompt"]),
            choice: text(&value["choice"]),
            label,
        }
    } else if action_id == blocks::JOIN {
        Ask::Line {
            incident: text(&value["incident"]),
            line: "join".into(),
        }
    } else if action_id.starts_with(blocks::JUDGE) {
        Ask::Line {
            incident: text(&value["incident"]),
            line: text(&value["line"]),
        }
    } else {
        return None;
    };
    let channel = [
        &payload["channel"]["id"],
        &payload["container"]["channel_id"],
    ];
    let ts = [
        &payload["message"]["ts"],
        &payload["container"]["message_ts"],
    ];
    let first = |values: [&Value; 2]| values.iter().find_map(|it| it.as_str()).map(Into::into);
    Some(Press {
        user: payload["user"]["id"].as_str()?.into(),
        channel: first(channel).unwrap_or_default(),
        ts: first(ts).unwrap_or_default(),
        text: text(&payload["message"]["text"]),
        ask,
    })
}

/// Runs the command immediately; a job shows the outcome.
fn handle_press(press: &Press) -> Result<(), Failure> {
    let by = Actor::by_contact("slack", &press.user);
    let (id, note, result) = match &press.ask {
        Ask::Acknowledge { page, item } => {
            let note = format!(":white_check_mark: Acknowledged by <@{}>", press.user);
            let done = commands::acknowledge(page, item.as_deref(), &by);
            (item.as_ref().unwrap_or(page), note, done)
        }
        Ask::Answer {
            prompt,
            choice,
            label,
        } => {
            let note = format!("<@{}> answered: {}", press.user, crate::text::escape(label));
            (prompt, note, commands::answer(prompt, choice, &by))
        }
        Ask::Line { incident, line } => return run(press, incident, line, &by),
    };
    match result {
        // Somebody else did it; the event that says so edits the message.
        Ok(reply) if is_late(&press.ask, &reply) => tell(press, Ok(reply))?,
        Ok(_) => {
            // Without its row, a message about several keeps the buttons of the others.
            let is_item = matches!(&press.ask, Ask::Acknowledge { item: Some(_), .. });
            let pressed = (!is_item).then(|| Asked {
                channel: press.channel.clone(),
                ts: press.ts.clone(),
                text: press.text.clone(),
                items: Vec::new(),
                blocks: Vec::new(),
                is_question: false,
            });
            let payload = json!({"id": id, "note": note, "pressed": pressed});
            jobs::enqueue("settle", &payload, Some(&format!("settle:{id}")))?;
        }
        // Not carried out: on a 5xx Slack shows an error, and the person can press again.
        Err(CommandError::Unavailable(why)) => return Err(Failure::retry(why)),
        Err(error) => tell(press, Err(error))?,
    }
    Ok(())
}

/// Whether somebody acknowledged before, as the engine words it. It refuses a late answer itself.
fn is_late(ask: &Ask, reply: &str) -> bool {
    matches!(ask, Ask::Acknowledge { .. }) && reply.contains(LATE)
}

/// Carries out a line of whoever pressed. The room shows what it changes once it hears of it.
fn run(press: &Press, incident: &str, line: &str, by: &Actor) -> Result<(), Failure> {
    match commands::run(Some(incident), line, by) {
        Err(CommandError::Unavailable(why)) => Err(Failure::retry(why)),
        result => tell(press, result),
    }
}

/// Tells only whoever pressed what came of it.
fn tell(press: &Press, result: Result<String, CommandError>) -> Result<(), Failure> {
    let text = reply_text(result);
    let payload = json!({"channel": press.channel, "user": press.user, "text": text});
    jobs::enqueue("tell", &payload, None).map(drop)
}

/// Answers the slash command with these fields.
pub(crate) fn command(field: impl Fn(&str) -> String) -> Result<WebhookResponse, Failure> {
    let mut by = Actor::by_contact("slack", &field("user_id"));
    by.display_name = Some(field("user_name")).filter(|it| !it.is_empty());
    let text = field("text");
    let line = plain(
        Some(text.trim())
            .filter(|it| !it.is_empty())
            .unwrap_or("help"),
    );
    let (trigger, channel) = (field("trigger_id"), field("channel_id"));
    if line == "open" && form::show(&trigger, &channel) {
        return Ok(WebhookResponse::new(200));
    }
    let incident = match commands::find_by_ref("channel", &channel) {
        Ok(found) => found.map(|it| it.id),
        Err(CommandError::NotFound) => None,
        Err(error) => return Ok(ephemeral(&reply_text(Err(error)))),
    };
    Ok(ephemeral(&reply_text(commands::run(
        incident.as_deref(),
        &line,
        &by,
    ))))
}

fn event(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if body["type"] == "url_verification" {
        let challenge = json!({"challenge": body["challenge"]});
        return Ok(WebhookResponse::json(200, &challenge));
    }
    lines::handle(&body["event"])?;
    Ok(WebhookResponse::new(200))
}

fn ephemeral(text: &str) -> WebhookResponse {
    WebhookResponse::json(200, &json!({"response_type": "ephemeral", "text": text}))
}

/// The reply to the person who gave the command. It may repeat what an alert says.
fn reply_text(result: Result<String, CommandError>) -> String {
    crate::text::escape(&result.unwrap_or_else(reason))
}

/// Why a command was not carried out, for the person who gave it.
pub(crate) fn reason(error: CommandError) -> String {
    match error {
        CommandError::NotFound => {
            "There is no such incident; `status` outside of a war room lists what is open.".into()
        }
        CommandError::Invalid(why) | CommandError::Other(why) => why,
        CommandError::Conflict(_) => {
            "Somebody else just changed this incident; please try again.".into()
        }
        CommandError::Unavailable(_) => {
            "tocsin is not available right now; please try again.".into()
        }
        CommandError::Denied(why) => {
            log::error("a command from Slack was denied", &[("why", &why)]);
            why
        }
    }
}

#[cfg(test)]
mod tests;
