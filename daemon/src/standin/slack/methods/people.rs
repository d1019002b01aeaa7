//! Members, direct conversations and forms.

use serde_json::{Value, json};

use super::super::params::Params;
use super::super::workspace::{BOT, Member, Seen, TEAM, Workspace};
use super::Answer;

const DIRECT_MEMBERS_MAX: usize = 8;

pub(super) fn auth_test(_: &mut Workspace, _: &Params, _: &mut Vec<Seen>) -> Answer {
    Ok(json!({
        "url": "https://standin.slack.com/", "team": "Stand-in", "user": "tocsin",
        "team_id": TEAM, "user_id": BOT, "bot_id": "B0TOCSIN", "is_enterprise_install": false,
    }))
}

pub(super) fn info(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let member = workspace
        .member(params.text("user"))
        .ok_or("user_not_found")?;
    Ok(json!({ "user": shown(member) }))
}

pub(super) fn lookup(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let email = params.text("email");
    let found = workspace
        .members
        .iter()
        .find(|it| it.email.eq_ignore_ascii_case(email));
    Ok(json!({ "user": shown(found.ok_or("users_not_found")?) }))
}

pub(super) fn open(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    if let Some(id) = params.get("channel") {
        let index = workspace.index(id)?;
        return Ok(json!({ "channel": { "id": workspace.channels[index].id } }));
    }
    let users = params.list("users");
    if users.is_empty() {
        return Err("users_list_not_supplied");
    }
    if users.len() > DIRECT_MEMBERS_MAX {
        return Err("too_many_users");
    }
    if users.iter().any(|it| workspace.member(it).is_none()) {
        return Err("user_not_found");
    }
    let (channel, open) = workspace.open_direct(&users);
    Ok(json!({ "no_op": open, "already_open": open, "channel": { "id": channel.id } }))
}

pub(super) fn open_view(
    workspace: &mut Workspace,
    params: &Params,
    seen: &mut Vec<Seen>,
) -> Answer {
    if params.get("trigger_id").is_none() {
        return Err("invalid_trigger_id");
    }
    let mut view: Value =
        serde_json::from_str(params.text("view")).map_err(|_| "invalid_arguments")?;
    if view["type"] != "modal" || !view["blocks"].is_array() || !view["title"].is_object() {
        return Err("invalid_arguments");
    }
    view["id"] = json!(format!("V{:07}", workspace.next()));
    seen.push(Seen::FormOpened { view: view.clone() });
    Ok(json!({ "view": view }))
}

fn shown(member: &Member) -> Value {
    json!({
        "id": member.id, "team_id": TEAM, "name": member.name, "real_name": member.name,
        "deleted": false, "is_bot": false,
        "profile": { "real_name": member.name, "email": member.email },
    })
}
