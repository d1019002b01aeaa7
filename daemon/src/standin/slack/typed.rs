//! The form that Slack sends to the app when a person types a command:
//! <https://docs.slack.dev/interactivity/implementing-slash-commands>.

use super::press::{PressError, trigger};
use super::workspace::{TEAM, Workspace};

/// Who types which command where.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The member's id.
    pub member: String,
    /// The channel's id; absent for the member's direct messages with the app.
    pub channel: Option<String>,
    /// The whole line, such as `/incident status`.
    pub line: String,
}

pub(super) fn body(workspace: &Workspace, typed: &Typed) -> Result<String, PressError> {
    let member = workspace
        .member(&typed.member)
        .ok_or_else(|| PressError::NoMember(typed.member.clone()))?;
    let (command, text) = typed
        .line
        .split_once(char::is_whitespace)
        .unwrap_or((&typed.line, ""));
    let trigger = trigger();
    let fields = [
        ("command", command),
        ("text", text.trim_start()),
        ("trigger_id", &trigger),
        ("team_id", TEAM),
        ("user_id", &member.id),
        ("user_name", &member.name),
        ("channel_id", typed.channel.as_deref().unwrap_or("D0")),
    ];
    // proof: pairs of strings are always a form
    Ok(serde_urlencoded::to_string(fields).unwrap_or_default())
}
