//! The people whom an incident's room is for: who has a role, who does one of its open tasks, and
//! who helps.

use crate::help;
use tocsin_plugin_sdk::people;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Incident, IncidentChange, Person};

/// Most people who are looked up: a call may look up 100, and a private room looks everybody up
/// again.
const PEOPLE_MAX: usize = 32;
/// Most people whom a message mentions.
const MENTIONS_MAX: usize = 10;

/// All of them, as far as they are known.
pub(crate) fn everybody(incident: &Incident) -> Vec<Person> {
    let mut all = at_hand(incident);
    let others = ids(incident).into_iter().take(PEOPLE_MAX);
    let others = others.filter(|id| !all.iter().any(|it| it.id == *id));
    let others: Vec<Person> = others.filter_map(|id| people::by_id(&id)).collect();
    all.extend(others);
    all
}

/// Those whom the incident has in full: operator and spokesperson.
pub(crate) fn at_hand(incident: &Incident) -> Vec<Person> {
    let both = [&incident.operator, &incident.spokesperson];
    both.into_iter().flatten().cloned().collect()
}

/// Those whom a change should reach: it gives them a task.
pub(crate) fn mentioned(incident: &Incident) -> Vec<Person> {
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let ids = extra["mentions"].as_array().into_iter().flatten();
    let ids = ids.filter_map(Value::as_str).take(MENTIONS_MAX);
    ids.filter_map(people::by_id).collect()
}

/// Whether a change involves others of those who must be looked up.
pub(crate) fn are_others(change: &IncidentChange) -> bool {
    ids(&change.before) != ids(&change.after)
}

/// The ids of those who must be looked up, each once.
fn ids(incident: &Incident) -> Vec<String> {
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let roles = ["commander", "shadow"].map(|role| &extra["roles"][role]["id"]);
    let tasks = extra["tasks"]["open"].as_array().into_iter().flatten();
    let owners = tasks.map(|it| &it["owner-id"]);
    let named = roles.into_iter().chain(owners).filter_map(Value::as_str);
    let helping = help::responders(incident).into_iter().map(|(id, _)| id);
    let mut ids: Vec<String> = Vec::new();
    for id in named.map(str::to_owned).chain(helping) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standin::Slack;
    use crate::tests::{ROOM, deliver, secret};
    use tocsin_plugin_sdk::serde_json::json;
    use tocsin_plugin_sdk::testing::{change, cleared, incident, person};
    use tocsin_plugin_sdk::types::EventBody;

    /// A workspace that knows five people; only Cy has clearance.
    fn start() -> Slack {
        let slack = Slack::start();
        for (id, user) in [("ada", "U1"), ("bob", "U2"), ("eve", "U4"), ("fay", "U5")] {
            slack.host.add_person(&person(id, "slack", user));
        }
        slack.host.add_person(&cleared("cy", "slack", "U3"));
        slack
    }

    fn with(extra: &Value) -> Incident {
        let mut it = incident();
        it.extra = extra.to_string();
        it
    }

    /// Ada commands, Bob shadows, Cy does a task, and Eve helps.
    fn staff() -> Value {
        let task = |number: u32, owner: Value| json!({"number": number, "owner-id": owner});
        json!({
            "roles": {
                "commander": {"id": "ada", "name": "Ada"}, "shadow": {"id": "bob", "name": "Bob"},
            },
            "tasks": {"count": 3, "open": [
                task(1, json!("cy")), task(2, json!("cy")), task(3, Value::Null),
            ]},
            "responders": [{"id": "eve", "name": "Eve"}],
        })
    }

    fn alter(slack: &Slack, id: &str, before: &Incident, after: &Incident) {
        let body = EventBody::IncidentChanged(change(before, after, &[]));
        deliver(slack, id, body).unwrap();
    }

    #[test]
    fn whoever_has_a_role_or_a_task_or_helps_is_invited_when_the_room_opens() {
        let slack = start();
        let opened = EventBody::IncidentOpened(with(&staff()));
        deliver(&slack, "e-1", opened).unwrap();
        assert_eq!(slack.channel(ROOM).members, ["U1", "U2", "U3", "U4"]);
    }

    #[test]
    fn whoever_accepts_a_role_or_gets_a_task_later_is_invited_then() {
        let slack = start();
        deliver(&slack, "e-1", EventBody::IncidentOpened(incident())).unwrap();
        let mut before = incident();
        let mut extra = json!({});
        for (at, (part, user)) in [("roles", "U2"), ("tasks", "U3"), ("responders", "U4")]
            .into_iter()
            .enumerate()
        {
            extra[part] = staff()[part].clone();
            let after = with(&extra);
            alter(&slack, &format!("e-2-{at}"), &before, &after);
            let members = slack.channel(ROOM).members;
            assert_eq!(members.last().map(String::as_str), Some(user), "{part}");
            before = after;
        }
        let mut handed_on = staff();
        handed_on["tasks"]["open"][2]["owner-id"] = json!("fay");
        alter(&slack, "e-3", &before, &with(&handed_on));
        assert_eq!(slack.channel(ROOM).members, ["U1", "U2", "U3", "U4", "U5"]);
    }

    #[test]
    fn whoever_gets_a_task_of_somebody_else_is_mentioned_and_invited() {
        let slack = start();
        slack
            .host
            .add_person(&person("mel", "email", "mel@example.com"));
        deliver(&slack, "e-1", EventBody::IncidentOpened(incident())).unwrap();
        let cases = [
            (json!(["bob"]), "bob does task 11: restart cc <@U2>"),
            (
                json!(["bob", "mel", "cy"]),
                "bob does task 11: restart cc <@U2> <@U3>",
            ),
            (json!(["mel", "nobody"]), "bob does task 11: restart"),
            (Value::Null, "bob does task 11: restart"),
        ];
        for (at, (mentions, said)) in cases.into_iter().enumerate() {
            let happened = json!(["bob does task 11: restart"]);
            let after = with(&json!({"happened": happened, "mentions": mentions}));
            alter(&slack, &format!("e-2-{at}"), &incident(), &after);
            assert_eq!(slack.texts(ROOM).pop().unwrap(), said);
        }
        assert_eq!(slack.channel(ROOM).members, ["U2", "U3"]);
    }

    #[test]
    fn whoever_has_a_task_of_a_security_incident_and_no_clearance_is_not_invited() {
        let slack = start();
        let mut it = secret();
        it.extra = staff().to_string();
        slack.host.add_incident(&it);
        deliver(&slack, "e-1", EventBody::IncidentOpened(it)).unwrap();
        assert_eq!(slack.channels()[0].members, ["U3"]);
    }

    #[test]
    fn hundreds_of_helpers_do_not_use_up_what_a_call_may_look_up() {
        let host = start().host;
        let many: Vec<Value> = (0..300)
            .map(|it| json!({"id": format!("p{it}"), "name": "P"}))
            .collect();
        for it in 0..300 {
            host.add_person(&person(&format!("p{it}"), "slack", &format!("U{it}")));
        }
        let found = everybody(&with(&json!({ "responders": many })));
        assert_eq!(found.len(), PEOPLE_MAX);
    }
}
