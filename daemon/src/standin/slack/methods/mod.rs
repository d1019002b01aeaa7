//! The Web API methods that the stand-in supports, with their parameters.

mod channels;
mod messages;
mod people;

use serde_json::{Value, json};

use super::params::Params;
use super::workspace::{Seen, Workspace};

/// A method's response besides `ok`, or Slack's error code.
pub(super) type Answer = Result<Value, &'static str>;

/// A method of the Web API.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// Whether it takes a JSON body; read-only methods ignore one.
    pub(super) json: bool,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    run: fn(&mut Workspace, &Params, &mut Vec<Seen>) -> Answer,
}

impl Method {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        METHODS.iter().find(|it| it.name == name)
    }

    /// A missing or unknown parameter, if any.
    pub(super) fn fault(&self, params: &Params) -> Option<String> {
        let known = |name: &str| self.required.contains(&name) || self.optional.contains(&name);
        if let Some(missing) = self.required.iter().find(|it| params.get(it).is_none()) {
            return Some(format!("{}: parameter {missing} is missing", self.name));
        }
        let unknown = params.0.keys().find(|it| !known(it))?;
        Some(format!("{}: parameter {unknown} is unknown", self.name))
    }

    /// Runs the method and adds the visible changes to `seen`.
    pub(super) fn run(
        &self,
        workspace: &mut Workspace,
        params: &Params,
        seen: &mut Vec<Seen>,
    ) -> Answer {
        (self.run)(workspace, params, seen)
    }
}

const fn writes(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    run: fn(&mut Workspace, &Params, &mut Vec<Seen>) -> Answer,
) -> Method {
    Method {
        name,
        json: true,
        required,
        optional,
        run,
    }
}

const fn reads(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    run: fn(&mut Workspace, &Params, &mut Vec<Seen>) -> Answer,
) -> Method {
    Method {
        name,
        json: false,
        required,
        optional,
        run,
    }
}

const METHODS: &[Method] = &[
    writes("auth.test", &[], &[], people::auth_test),
    writes(
        "chat.postMessage",
        &["channel"],
        &[
            "text",
            "blocks",
            "attachments",
            "metadata",
            "thread_ts",
            "reply_broadcast",
            "unfurl_links",
            "unfurl_media",
            "mrkdwn",
            "link_names",
            "parse",
        ],
        messages::post,
    ),
    writes(
        "chat.postEphemeral",
        &["channel", "user"],
        &["text", "blocks", "attachments", "thread_ts"],
        messages::post_ephemeral,
    ),
    writes(
        "chat.update",
        &["channel", "ts"],
        &[
            "text",
            "blocks",
            "attachments",
            "metadata",
            "link_names",
            "parse",
        ],
        messages::update,
    ),
    writes(
        "conversations.archive",
        &["channel"],
        &[],
        channels::archive,
    ),
    writes(
        "conversations.create",
        &[],
        &["name", "is_private"],
        channels::create,
    ),
    reads(
        "conversations.history",
        &["channel"],
        &[
            "cursor",
            "limit",
            "oldest",
            "latest",
            "inclusive",
            "include_all_metadata",
        ],
        messages::history,
    ),
    reads(
        "conversations.info",
        &["channel"],
        &["include_locale", "include_num_members"],
        channels::info,
    ),
    writes(
        "conversations.invite",
        &["channel", "users"],
        &["force"],
        channels::invite,
    ),
    writes("conversations.join", &["channel"], &[], channels::join),
    reads(
        "conversations.list",
        &[],
        &["cursor", "limit", "types", "exclude_archived"],
        channels::list,
    ),
    reads(
        "conversations.members",
        &["channel"],
        &["cursor", "limit"],
        channels::members,
    ),
    writes(
        "conversations.open",
        &[],
        &["channel", "users", "return_im", "prevent_creation"],
        people::open,
    ),
    reads(
        "conversations.replies",
        &["channel", "ts"],
        &[
            "cursor",
            "limit",
            "oldest",
            "latest",
            "inclusive",
            "include_all_metadata",
        ],
        messages::replies,
    ),
    writes(
        "conversations.rename",
        &["channel", "name"],
        &[],
        channels::rename,
    ),
    writes(
        "conversations.setPurpose",
        &["channel"],
        &["purpose"],
        channels::set_purpose,
    ),
    writes(
        "conversations.setTopic",
        &["channel"],
        &["topic"],
        channels::set_topic,
    ),
    writes("pins.add", &["channel"], &["timestamp"], messages::pin),
    reads(
        "users.conversations",
        &[],
        &["cursor", "limit", "types", "exclude_archived", "user"],
        channels::joined,
    ),
    reads("users.info", &["user"], &["include_locale"], people::info),
    reads("users.lookupByEmail", &["email"], &[], people::lookup),
    writes(
        "views.open",
        &["view"],
        &["trigger_id", "interactivity_pointer"],
        people::open_view,
    ),
];

/// The response fields for paging; at the end of a list the cursor is empty.
fn page_end(next: Option<usize>) -> Value {
    json!({ "next_cursor": next.map(|it| it.to_string()).unwrap_or_default() })
}

/// Where the requested page starts, and its size.
fn page(params: &Params, limit_max: usize) -> Result<(usize, usize), &'static str> {
    let start = match params.get("cursor") {
        Some(cursor) => cursor.parse().map_err(|_| "invalid_cursor")?,
        None => 0,
    };
    let limit = match params.get("limit") {
        Some(limit) => limit.parse().map_err(|_| "invalid_limit")?,
        None => 100,
    };
    if limit == 0 || limit > limit_max {
        Err("invalid_limit")
    } else {
        Ok((start, limit))
    }
}
