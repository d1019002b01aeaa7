//! A request for help with an incident, in the engineering channel.

use super::{Message, button, context, section};
use crate::help::Request;
use crate::text;
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{Incident, Status};

/// The action id of the button that joins an incident.
pub(crate) const JOIN: &str = "join";
/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 120;
/// Most people who are named; the others are counted.
const PEOPLE_MAX: usize = 10;

/// The request, with who came. `helping`: the ids and names of those who help.
pub(crate) fn help(
    incident: &Incident,
    request: &Request,
    helping: &[(String, String)],
) -> Message {
    // It became secret after somebody asked.
    if incident.security {
        return Message::block("_Removed_");
    }
    let drill = if incident.drill { "DRILL " } else { "" };
    let title = text::cut(&text::one_line(&incident.title), TITLE_CHARS_MAX);
    let head = format!(
        ":raised_hand: *{} asks for help with {drill}#{} {}* · {}",
        text::escape(&request.by),
        incident.number,
        text::escape(&title),
        incident.grade.as_str()
    );
    let body = format!("{head}\n>{}", text::escape(&text::one_line(&request.text)));
    let mut blocks = vec![section(&body)];
    let is_open = matches!(incident.status, Status::Open | Status::Mitigated);
    if is_open {
        let value = json!({"incident": incident.id}).to_string();
        let join = button(JOIN, "I can help", &value, Some("primary"));
        blocks.push(json!({"type": "actions", "elements": [join]}));
    }
    let came = names(helping).map(|it| format!("Helping: {it}"));
    let mut notes: Vec<String> = came.into_iter().collect();
    if !is_open {
        notes.push(format!("The incident is {}", incident.status.as_str()));
    }
    let notes = notes.join(" · ");
    if !notes.is_empty() {
        blocks.push(context(&notes));
    }
    Message {
        text: format!("{body}\n{notes}").trim_end().into(),
        blocks,
    }
}

/// The names of those who help; none if nobody does.
pub(crate) fn names(helping: &[(String, String)]) -> Option<String> {
    let names = helping.iter().take(PEOPLE_MAX);
    let mut names: Vec<String> = names.map(|(_, name)| text::escape(name)).collect();
    let more = helping.len().saturating_sub(PEOPLE_MAX);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    (!names.is_empty()).then(|| names.join(", "))
}
