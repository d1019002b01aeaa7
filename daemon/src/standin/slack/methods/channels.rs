//! `conversations.*`: channels, with Slack's rules for names, topics and members.

use serde_json::{Value, json};

use super::super::params::Params;
use super::super::workspace::{BOT, Channel, Seen, Workspace};
use super::{Answer, page, page_end};

const NAME_CHARS_MAX: usize = 80;
const TOPIC_CHARS_MAX: usize = 250;
const INVITED_MAX: usize = 100;
const LIST_MAX: usize = 1000;

pub(super) fn create(workspace: &mut Workspace, params: &Params, seen: &mut Vec<Seen>) -> Answer {
    let name = params.text("name");
    check_name(workspace, name)?;
    let private = params.yes("is_private");
    seen.push(Seen::ChannelCreated {
        channel: name.to_owned(),
        private,
    });
    let channel = workspace.add_channel(name, private).clone();
    Ok(json!({ "channel": workspace.shown(&channel) }))
}

pub(super) fn rename(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    check_name(workspace, params.text("name"))?;
    params
        .text("name")
        .clone_into(&mut workspace.channels[index].name);
    Ok(json!({ "channel": workspace.shown(&workspace.channels[index]) }))
}

fn check_name(workspace: &Workspace, name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_alphanumeric() && !c.is_uppercase() || c == '-' || c == '_';
    if name.is_empty() {
        return Err("invalid_name_required");
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err("invalid_name_maxlength");
    }
    if !name.chars().all(allowed) {
        return Err("invalid_name_specials");
    }
    if name.chars().all(|c| c == '-' || c == '_') {
        return Err("invalid_name_punctuation");
    }
    if workspace.public().any(|it| it.name == name) {
        Err("name_taken")
    } else {
        Ok(())
    }
}

pub(super) fn set_topic(
    workspace: &mut Workspace,
    params: &Params,
    seen: &mut Vec<Seen>,
) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let topic = limited(params.text("topic"))?;
    let channel = &mut workspace.channels[index];
    if channel.archived {
        return Err("is_archived");
    }
    channel.topic.clone_from(&topic);
    seen.push(Seen::TopicSet {
        channel: channel.name.clone(),
        topic,
    });
    Ok(json!({ "channel": workspace.shown(&workspace.channels[index]) }))
}

pub(super) fn set_purpose(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let purpose = limited(params.text("purpose"))?;
    let channel = &mut workspace.channels[index];
    if channel.archived {
        return Err("is_archived");
    }
    channel.purpose.clone_from(&purpose);
    Ok(json!({ "purpose": purpose }))
}

fn limited(text: &str) -> Result<String, &'static str> {
    if text.chars().count() > TOPIC_CHARS_MAX {
        Err("too_long")
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn invite(workspace: &mut Workspace, params: &Params, seen: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let users = params.list("users");
    if users.is_empty() {
        return Err("no_user");
    }
    if users.len() > INVITED_MAX {
        return Err("too_many_users");
    }
    if workspace.channels[index].archived {
        return Err("is_archived");
    }
    let fault = users
        .iter()
        .find_map(|user| invite_fault(workspace, index, user));
    if let Some(fault) = fault.filter(|_| !params.yes("force")) {
        return Err(fault);
    }
    for user in users {
        if invite_fault(workspace, index, &user).is_none() {
            let member = workspace
                .member(&user)
                .map(|it| it.name.clone())
                .unwrap_or_default();
            let channel = &mut workspace.channels[index];
            seen.push(Seen::Invited {
                channel: channel.name.clone(),
                member,
            });
            channel.members.push(user);
        }
    }
    Ok(json!({ "channel": workspace.shown(&workspace.channels[index]) }))
}

fn invite_fault(workspace: &Workspace, index: usize, user: &str) -> Option<&'static str> {
    if user == BOT {
        Some("cant_invite_self")
    } else if workspace.member(user).is_none() {
        Some("user_not_found")
    } else if workspace.channels[index]
        .members
        .iter()
        .any(|it| it == user)
    {
        Some("already_in_channel")
    } else {
        None
    }
}

pub(super) fn join(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let channel = &mut workspace.channels[index];
    if channel.private {
        return Err("method_not_supported_for_channel_type");
    }
    if !channel.members.iter().any(|it| it == BOT) {
        channel.members.push(BOT.to_owned());
    }
    Ok(json!({ "channel": workspace.shown(&workspace.channels[index]) }))
}

pub(super) fn archive(workspace: &mut Workspace, params: &Params, seen: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let channel = &mut workspace.channels[index];
    if channel.archived {
        return Err("already_archived");
    }
    channel.archived = true;
    seen.push(Seen::Archived {
        channel: channel.name.clone(),
    });
    Ok(json!({}))
}

pub(super) fn info(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    Ok(json!({ "channel": workspace.shown(&workspace.channels[index]) }))
}

pub(super) fn members(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let (start, limit) = page(params, LIST_MAX)?;
    let all = &workspace.channels[index].members;
    let shown: Vec<&String> = all.iter().skip(start).take(limit).collect();
    let next = Some(start + limit).filter(|next| *next < all.len());
    Ok(json!({ "members": shown, "response_metadata": page_end(next) }))
}

pub(super) fn list(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    listed(workspace, params, |_| true)
}

pub(super) fn joined(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let user = params.get("user").unwrap_or(BOT);
    listed(workspace, params, |it| {
        it.members.iter().any(|it| it == user)
    })
}

fn listed(workspace: &Workspace, params: &Params, wanted: impl Fn(&Channel) -> bool) -> Answer {
    let (start, limit) = page(params, LIST_MAX)?;
    let kinds = params.list("types");
    let asked = |kind: &str| kinds.iter().any(|it| it == kind);
    let open = kinds.is_empty() || asked("public_channel");
    let private = asked("private_channel");
    let live = |archived: bool| !(archived && params.yes("exclude_archived"));
    let all: Vec<Value> = workspace
        .public()
        .filter(|it| live(it.archived) && if it.private { private } else { open })
        .filter(|it| wanted(it))
        .map(|it| workspace.shown(it))
        .collect();
    let next = Some(start + limit).filter(|next| *next < all.len());
    let shown: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
    Ok(json!({ "channels": shown, "response_metadata": page_end(next) }))
}
