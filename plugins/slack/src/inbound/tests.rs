use super::*;
use tocsin_plugin_sdk::http::Response;
use tocsin_plugin_sdk::testing::{self, FakeHost};

fn host() -> FakeHost {
    FakeHost::install(|request| panic!("a webhook must not call {}", request.url))
}

fn request(route: &str, body: &str) -> WebhookRequest {
    WebhookRequest {
        route: route.into(),
        method: "POST".into(),
        path: format!("/hooks/slack/{route}"),
        query: String::new(),
        headers: Vec::new(),
        body: body.into(),
        verified: true,
        idempotency_key: "hook-1".into(),
        received_at: 0,
    }
}

fn press(action: &Value) -> WebhookRequest {
    let payload = json!({
        "type": "block_actions",
        "user": {"id": "U1"},
        "channel": {"id": "D1"},
        "message": {"ts": "1.2", "text": "*Major incident #42*"},
        "actions": [action],
    });
    let form = tocsin_plugin_sdk::http::Request::post("")
        .form(&[("payload", payload.to_string().as_str())]);
    request(
        "interactions",
        std::str::from_utf8(&form.body.unwrap()).unwrap(),
    )
}

fn ack_button() -> Value {
    json!({"action_id": "ack", "value": json!({"page": "p-1"}).to_string()})
}

#[test]
fn pressing_acknowledge_acknowledges_as_the_person_who_pressed() {
    let host = host();
    assert_eq!(handle(&press(&ack_button())).unwrap().status, 200);
    let [command] = &host.commands()[..] else {
        panic!("{:?}", host.commands())
    };
    assert_eq!((command.verb, command.text.as_str()), ("acknowledge", ""));
    assert_eq!(command.id.as_deref(), Some("p-1"));
    assert_eq!(command.by, Some(Actor::by_contact("slack", "U1")));
    let [job] = &host.jobs()[..] else {
        panic!("{:?}", host.jobs())
    };
    assert_eq!(job.topic, "settle");
    assert!(
        job.payload.contains("Acknowledged by <@U1>"),
        "{}",
        job.payload
    );
}

#[test]
fn the_button_of_one_incident_of_several_acknowledges_only_that() {
    let host = host();
    let value = json!({"page": "b-1", "item": "b-1/2"}).to_string();
    handle(&press(&json!({"action_id": "ack:1", "value": value}))).unwrap();
    let command = host.commands().pop().unwrap();
    assert_eq!(
        (command.id.as_deref(), command.text.as_str()),
        (Some("b-1"), "b-1/2")
    );
    let job: Value = serde_json::from_str(&host.jobs()[0].payload).unwrap();
    assert_eq!(
        (&job["id"], &job["pressed"]),
        (&json!("b-1/2"), &Value::Null)
    );
}

#[test]
fn a_button_that_an_earlier_release_posted_still_acknowledges() {
    let host = host();
    let value = json!({"incident": "inc-1", "page": "inc-1-p1"}).to_string();
    handle(&press(&json!({"action_id": "ack", "value": value}))).unwrap();
    let command = host.commands().pop().unwrap();
    assert_eq!(
        (command.id.as_deref(), command.text.as_str()),
        (Some("inc-1-p1"), "")
    );
}

#[test]
fn a_refused_press_is_explained_to_the_person_who_pressed() {
    let host = host();
    host.answer_commands(Err(CommandError::Invalid("nobody knows U1".into())));
    assert_eq!(handle(&press(&ack_button())).unwrap().status, 200);
    let [job] = &host.jobs()[..] else {
        panic!("{:?}", host.jobs())
    };
    assert_eq!(job.topic, "tell");
    assert!(job.payload.contains("nobody knows U1"), "{}", job.payload);
}

#[test]
fn whoever_presses_after_somebody_else_is_told_so_and_not_named_in_the_message() {
    let item = json!({"page": "b-1", "item": "b-1/2"}).to_string();
    for button in [ack_button(), json!({"action_id": "ack:1", "value": item})] {
        let host = host();
        let reply = "incident 42 is already acknowledged; operator: ada";
        host.answer_commands(Ok(reply.into()));
        assert_eq!(handle(&press(&button)).unwrap().status, 200);
        let [job] = &host.jobs()[..] else {
            panic!("{:?}", host.jobs())
        };
        let told = json!({"channel": "D1", "user": "U1", "text": reply});
        let payload: Value = serde_json::from_str(&job.payload).unwrap();
        assert_eq!((job.topic.as_str(), payload), ("tell", told));
    }
}

#[test]
fn an_answer_is_noted_whatever_the_engine_says_about_acknowledgements() {
    let host = host();
    host.answer_commands(Ok("incident 42 is already acknowledged; noted".into()));
    let value = json!({"prompt": "q-1", "choice": "yes"}).to_string();
    let text = json!({"type": "plain_text", "text": "Yes"});
    let button = json!({"action_id": "answer:yes", "value": value, "text": text});
    handle(&press(&button)).unwrap();
    assert_eq!(host.jobs()[0].topic, "settle");
}

#[test]
fn a_press_while_the_engine_is_unavailable_is_not_confirmed() {
    let host = host();
    host.answer_commands(Err(CommandError::Unavailable("starting".into())));
    assert!(handle(&press(&ack_button())).is_err());
    assert_eq!(host.jobs(), []);
}

#[test]
fn pressing_a_choice_answers_the_prompt() {
    let host = host();
    let value = json!({"prompt": "q-1", "choice": "yes"}).to_string();
    let text = json!({"type": "plain_text", "text": "Yes"});
    let button = json!({"action_id": "answer:yes", "value": value, "text": text});
    handle(&press(&button)).unwrap();
    let [command] = &host.commands()[..] else {
        panic!("{:?}", host.commands())
    };
    assert_eq!((command.verb, command.text.as_str()), ("answer", "yes"));
    assert_eq!(command.id.as_deref(), Some("q-1"));
}

#[test]
fn pressing_i_can_help_joins_and_tells_only_whoever_pressed() {
    let host = host();
    host.answer_commands(Ok("you help with incident 42 now".into()));
    let value = json!({"incident": "inc-1"}).to_string();
    handle(&press(&json!({"action_id": "join", "value": value}))).unwrap();
    let command = host.commands().pop().unwrap();
    assert_eq!(
        (command.verb, command.text.as_str(), command.id.as_deref()),
        ("run", "join", Some("inc-1"))
    );
    let [job] = &host.jobs()[..] else {
        panic!("{:?}", host.jobs())
    };
    assert_eq!(job.topic, "tell");
    assert!(
        job.payload.contains("you help with incident 42 now"),
        "{}",
        job.payload
    );
}

#[test]
fn link_buttons_and_invalid_payloads_do_nothing() {
    let host = host();
    let link = json!({"action_id": "open"});
    assert_eq!(handle(&press(&link)).unwrap().status, 200);
    assert_eq!(
        handle(&request("interactions", "payload=oops"))
            .unwrap()
            .status,
        400
    );
    assert_eq!(host.commands(), []);
}

#[test]
fn a_reply_that_repeats_an_alert_has_no_links_and_mentions_of_it() {
    let hostile = "incident 42: <https://evil.example|Runbook> <!channel>";
    for answer in [
        Ok(hostile.into()),
        Err(CommandError::Invalid(hostile.into())),
    ] {
        let host = host();
        host.answer_commands(answer);
        let body = "channel_id=C1&user_id=U1&user_name=jo&text=status";
        let answer = handle(&request("commands", body)).unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let want = "incident 42: &lt;https://evil.example|Runbook&gt; &lt;!channel&gt;";
        assert_eq!(body["text"], want);
    }
}

#[test]
fn the_slash_command_applies_to_the_rooms_incident() {
    let host = host();
    host.add_incident(&testing::incident());
    commands::link("inc-1", "channel", "C1", None).unwrap();
    let body = "channel_id=C1&user_id=U1&user_name=jo&text=grade+critical";
    let answer = handle(&request("commands", body)).unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body, json!({"response_type": "ephemeral", "text": "done"}));
    let command = host.commands().pop().unwrap();
    assert_eq!(
        (command.id.as_deref(), command.text.as_str()),
        (Some("inc-1"), "grade critical")
    );
}

#[test]
fn a_command_means_what_was_typed_not_how_slack_encodes_it() {
    let host = host();
    host.add_person(&testing::person("sam", "slack", "U2"));
    let body = "channel_id=C1&user_id=U1&user_name=jo\
                &text=task+%3C%40U2%7Csamuel%3E+p99+%26gt%3B+2+s";
    handle(&request("commands", body)).unwrap();
    assert_eq!(host.commands().pop().unwrap().text, "task @sam p99 > 2 s");
}

#[test]
fn slacks_challenge_is_echoed_and_other_events_are_accepted() {
    host();
    let challenge = r#"{"type":"url_verification","challenge":"3eZb"}"#;
    let answer = handle(&request("events", challenge)).unwrap();
    assert_eq!(answer.body, br#"{"challenge":"3eZb"}"#);
    assert_eq!(
        handle(&request("events", r#"{"type":"event_callback"}"#))
            .unwrap()
            .status,
        200
    );
}

#[test]
fn a_line_of_a_war_room_goes_into_its_incidents_log() {
    let host = host();
    host.add_incident(&testing::incident());
    host.add_person(&testing::person("sam", "slack", "U2"));
    commands::link("inc-1", "channel", "C1", None).unwrap();
    let said = |channel: &str, text: &str| {
        let event = json!({ "type": "message", "channel": channel, "user": "U1", "text": text,
            "ts": "1795000000.000100" });
        let body = json!({ "type": "event_callback", "event": event }).to_string();
        handle(&request("events", &body)).unwrap().status
    };
    assert_eq!(said("C1", "seen <@U2|sam> restart it at p99 &gt; 2 s"), 200);
    assert_eq!(said("C1", "what now?"), 200);
    assert_eq!(said("C2", "seen in another channel"), 200);
    let mut logged = host.commands();
    logged.retain(|it| it.verb == "log");
    assert_eq!(logged.len(), 1, "{logged:?}");
    let text = "@sam restart it at p99 > 2 s";
    assert!(logged[0].text.contains(text), "{logged:?}");
}

#[test]
fn a_request_that_the_host_did_not_verify_is_refused() {
    let host = host();
    let unverified = WebhookRequest {
        verified: false,
        ..press(&ack_button())
    };
    assert_eq!(handle(&unverified).unwrap().status, 401);
    assert_eq!(host.commands(), []);
}

/// A host whose Slack answers every request so.
fn host_with(answer: &'static str) -> FakeHost {
    FakeHost::install(move |_| {
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body: answer.as_bytes().to_vec(),
            replayed: false,
        })
    })
}

fn submission() -> WebhookRequest {
    let values = json!({"title": {"value": {"value": "Orders are lost"}}});
    let payload = json!({
        "type": "view_submission", "user": {"id": "U1"},
        "view": {
            "callback_id": form::OPEN, "private_metadata": "C7", "state": {"values": values},
        },
    });
    let form = tocsin_plugin_sdk::http::Request::post("")
        .form(&[("payload", payload.to_string().as_str())]);
    request(
        "interactions",
        std::str::from_utf8(&form.body.unwrap()).unwrap(),
    )
}

#[test]
fn open_without_a_title_shows_a_form() {
    let host = host_with(r#"{"ok":true}"#);
    let body = "channel_id=C7&user_id=U1&trigger_id=T1&text=open";
    let answer = handle(&request("commands", body)).unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let [shown] = &host.requests()[..] else {
        panic!("{:?}", host.requests())
    };
    assert!(shown.url.ends_with("/views.open"), "{}", shown.url);
    assert!(host.commands().is_empty());
}

#[test]
fn if_slack_refuses_the_form_the_command_says_what_to_type() {
    let host = host_with(r#"{"ok":false,"error":"expired_trigger_id"}"#);
    host.answer_commands(Err(CommandError::Invalid("write `open TITLE`".into())));
    let body = "channel_id=C7&user_id=U1&trigger_id=T1&text=open";
    let answer = handle(&request("commands", body)).unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["text"], "write `open TITLE`");
}

#[test]
fn a_form_that_is_sent_opens_an_incident_and_tells_whoever_sent_it() {
    let host = host();
    assert_eq!(handle(&submission()).unwrap().status, 200);
    let command = host.commands().pop().unwrap();
    assert_eq!(command.verb, "open");
    assert_eq!(command.by, Some(Actor::by_contact("slack", "U1")));
    let job = host.jobs().pop().unwrap();
    let payload: Value = serde_json::from_str(&job.payload).unwrap();
    assert_eq!(
        (&payload["channel"], &payload["user"]),
        (&json!("C7"), &json!("U1"))
    );
}

#[test]
fn what_is_wrong_with_a_form_is_shown_in_it() {
    let host = host();
    host.answer_commands(Err(CommandError::Invalid("there is no team `x`".into())));
    let answer = handle(&submission()).unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let errors = json!({"title": "there is no team `x`"});
    assert_eq!(body, json!({"response_action": "errors", "errors": errors}));
    assert!(host.jobs().is_empty());
}
