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
    let (trigger, text) = (trigger(), encoded(text.trim_start()));
    let fields = [
        ("command", command),
        ("text", &text),
        ("trigger_id", &trigger),
        ("team_id", TEAM),
        ("user_id", &member.id),
        ("user_name", &member.name),
        ("channel_id", typed.channel.as_deref().unwrap_or("D0")),
    ];
    // proof: pairs of strings are always a form
    Ok(serde_urlencoded::to_string(fields).unwrap_or_default())
}

/// The text as Slack sends it: <https://docs.slack.dev/messaging/formatting-message-text#escaping>.
/// What names a member, such as `<@U1>`, is a mention.
fn encoded(text: &str) -> String {
    let mention = text.split_once("<@");
    let mention = mention.and_then(|(before, after)| Some((before, after.split_once('>')?)));
    match mention {
        Some((before, (member, behind))) => {
            format!("{}<@{member}>{}", entities(before), encoded(behind))
        }
        None => entities(text),
    }
}

fn entities(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
