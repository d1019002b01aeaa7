//! Moving an incident that is flagged late, against a fake Slack, with a fault at each request.

use crate::room;
use crate::standin::{Break, Channel, Fault, Slack};
use crate::tests::{ROOM, deliver, flagged, graded_critical, noted, opened, secret};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::{change, cleared, incident, person};
use tocsin_plugin_sdk::types::{EventBody, ExternalRef, Failure, Incident, Job, Outcome};

const PRIVATE: &str = "inc-42-private";
const MOVED: &str = "inc-42-moved";
/// More requests than a move makes.
const REQUESTS_MAX: usize = 40;

/// A public room with an operator and somebody who was paged in it.
fn open_public(slack: &Slack) {
    for (id, user) in [("Jo", "U1"), ("al", "U2"), ("mo", "U3"), ("bo", "U4")] {
        slack.host.add_person(&cleared(id, "slack", user));
    }
    let staffed = staffed(incident());
    slack.host.add_incident(&staffed);
    deliver(slack, "e-1", EventBody::IncidentOpened(staffed)).unwrap();
    deliver(slack, "j-1", invite("U2")).unwrap();
}

fn staffed(mut it: Incident) -> Incident {
    it.operator = Some(person("Jo", "slack", "U1"));
    it
}

fn invite(user: &str) -> EventBody {
    EventBody::Job(Job {
        topic: "invite".into(),
        payload: json!({"incident": "inc-1", "user": user}).to_string(),
    })
}

fn flag(slack: &Slack) -> EventBody {
    slack.host.add_incident(&staffed(secret()));
    let change = change(&staffed(incident()), &staffed(secret()), &["security"]);
    EventBody::IncidentChanged(change)
}

fn linked(slack: &Slack, channel: &str) -> ExternalRef {
    ExternalRef {
        plugin: "slack".into(),
        kind: "channel".into(),
        id: slack.channel(channel).id,
        url: None,
    }
}

fn private_rooms(slack: &Slack) -> Vec<Channel> {
    let rooms = slack.channels().into_iter();
    rooms.filter(|it| it.private && it.ours).collect()
}

/// Asserts the final state, whatever went wrong before.
fn assert_moved(slack: &Slack, case: &str) {
    let [private] = &private_rooms(slack)[..] else {
        panic!("{case}: {:?}", slack.channels())
    };
    assert_eq!(private.name, PRIVATE, "{case}");
    assert_eq!(private.members, ["U1", "U2"], "{case}");
    let texts = slack.texts(PRIVATE);
    let public = slack.channel(MOVED);
    let has = |part: &str| texts.iter().filter(|it| it.contains(part)).count();
    assert_eq!(has("incident #42"), 1, "{case}: {texts:?}");
    assert_eq!(
        has(&format!("moved here from <#{}>", public.id)),
        1,
        "{case}: {texts:?}"
    );
    let links = slack.host.commands();
    let links: Vec<&str> = links.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        links.last(),
        Some(&format!("channel {}", private.id).as_str()),
        "{case}"
    );

    assert!(public.archived, "{case}");
    assert_eq!(
        public.topic, "Incident #42 moved to a private room",
        "{case}"
    );
    assert_eq!(
        public.purpose,
        format!("tocsin:inc-1 {}", public.topic),
        "{case}"
    );
    let told = slack.texts(MOVED);
    let moved = told
        .iter()
        .filter(|it| it.contains("moved to a private room"));
    assert_eq!(moved.count(), 1, "{case}: {told:?}");
    assert!(
        told.last().unwrap().contains("moved to a private room"),
        "{case}: {told:?}"
    );
    assert_eq!(slack.channels().len(), 2, "{case}: {:?}", slack.channels());
}

#[test]
fn an_incident_that_is_flagged_late_moves_to_a_private_room() {
    let slack = Slack::start();
    open_public(&slack);
    let flagged = flag(&slack);
    deliver(&slack, "e-2", flagged.clone()).unwrap();
    deliver(&slack, "e-2", flagged).unwrap();
    assert_moved(&slack, "once");
    let texts = slack.texts(PRIVATE);
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(
        texts[2].contains("Flagged as a *security* incident"),
        "{texts:?}"
    );
}

#[test]
fn later_messages_go_to_the_private_room() {
    let slack = Slack::start();
    open_public(&slack);
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    deliver(&slack, "e-3", noted("l-1")).unwrap();
    deliver(&slack, "j-2", invite("U3")).unwrap();
    assert!(
        slack
            .texts(PRIVATE)
            .last()
            .unwrap()
            .contains("the queue is *full*")
    );
    assert_eq!(slack.channel(PRIVATE).members, ["U1", "U2", "U3"]);
    let before = slack.host.requests().len();
    deliver(&slack, "e-4", noted("l-2")).unwrap();
    assert_eq!(
        slack.host.requests().len(),
        before + 1,
        "a move happens once"
    );
}

#[test]
fn a_move_that_fails_at_any_request_is_finished_by_the_next_delivery() {
    for how in [Break::Before, Break::After, Break::Lost] {
        for next in ["e-2", "e-3"] {
            let mut broken = 0;
            for others in 0..REQUESTS_MAX {
                let slack = Slack::start();
                open_public(&slack);
                let flagged = flag(&slack);
                slack.break_after(others, how);
                let first = deliver(&slack, "e-2", flagged.clone());
                if slack.is_break_pending() {
                    break;
                }
                let case = format!("{how:?} at {others}, then {next}: {first:?}");
                assert!(matches!(first, Err(Failure::Retry(_))), "{case}");
                deliver(&slack, next, flagged).expect(&case);
                assert_moved(&slack, &case);
                broken += 1;
            }
            assert!((10..REQUESTS_MAX).contains(&broken), "{broken} requests");
        }
    }
}

#[test]
fn a_move_in_which_every_response_is_lost_once_reaches_the_same_state() {
    let methods = [
        "conversations.create",
        "conversations.setPurpose",
        "conversations.setTopic",
        "conversations.invite",
        "chat.postMessage",
        "conversations.rename",
        "conversations.archive",
    ];
    let slack = Slack::start();
    open_public(&slack);
    let flagged = flag(&slack);
    for method in methods {
        slack.host.lose_answer(method);
        deliver(&slack, "e-2", flagged.clone()).unwrap_err();
    }
    deliver(&slack, "e-2", flagged).unwrap();
    assert_moved(&slack, "every response was lost");
}

#[test]
fn an_interrupted_creation_leaves_no_public_room_in_use() {
    for how in [Break::Before, Break::After, Break::Lost] {
        let slack = Slack::start();
        slack.break_after(0, how);
        deliver(&slack, "e-1", opened()).unwrap_err();
        slack.host.add_incident(&secret());
        deliver(&slack, "e-2", flagged()).unwrap();
        deliver(&slack, "e-1", opened()).unwrap();
        let open: Vec<Channel> = slack.channels();
        let open = open.iter().filter(|it| !it.private && !it.archived);
        assert_eq!(open.count(), 0, "{how:?}: {:?}", slack.channels());
        assert_eq!(private_rooms(&slack).len(), 1, "{how:?}");
        let name_says_it = |it: &Channel| it.name.contains("checkout");
        assert!(!slack.channels().iter().any(name_says_it), "{how:?}");
    }
}

#[test]
fn older_events_open_no_public_room_for_an_incident_that_is_flagged() {
    let slack = Slack::start();
    deliver(&slack, "e-3", flagged()).unwrap();
    deliver(&slack, "e-1", opened()).unwrap();
    deliver(&slack, "e-2", graded_critical()).unwrap();
    assert_eq!(slack.channels().len(), 1);
    assert!(slack.channel(PRIVATE).private);
    assert!(slack.channel(PRIVATE).topic.starts_with("[security]"));
    assert_eq!(slack.texts(PRIVATE).len(), 3, "{:?}", slack.texts(PRIVATE));
}

#[test]
fn an_event_from_before_the_flag_moves_the_room_too_because_the_current_flag_decides() {
    let slack = Slack::start();
    open_public(&slack);
    let flagged = flag(&slack);
    deliver(&slack, "e-2", graded_critical()).unwrap();
    assert_moved(&slack, "the older first");
    deliver(&slack, "e-3", flagged).unwrap();
    assert_moved(&slack, "then the flag");
}

#[test]
fn removing_the_flag_does_not_open_a_public_room_again() {
    let slack = Slack::start();
    open_public(&slack);
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    let mut public = staffed(incident());
    public.revision = 4;
    slack.host.add_incident(&public);
    let change = change(&staffed(secret()), &public, &["security"]);
    deliver(&slack, "e-3", EventBody::IncidentChanged(change)).unwrap();
    assert_moved(&slack, "flag removed");
}

#[test]
fn while_another_delivery_opens_the_public_room_the_move_waits_for_it() {
    let slack = Slack::start();
    let claim = json!({
        "tried": ROOM, "ready": false, "topic_revision": 0, "invited": [],
        "holder": "e-1", "held_until": incident().opened_at + 30_000, "channel": null
    });
    tocsin_plugin_sdk::kv::set("room:inc-1", &claim, None).unwrap();
    let failure = deliver(&slack, "e-2", flagged()).unwrap_err();
    assert!(matches!(failure, Failure::Retry(_)), "{failure:?}");
    assert_eq!(slack.channels().len(), 0);
    slack.host.advance_ms(30_000);
    deliver(&slack, "e-2", flagged()).unwrap();
    assert_eq!(private_rooms(&slack).len(), 1);
    assert_eq!(slack.channels().len(), 1);
}

#[test]
fn a_public_room_that_only_the_incident_links_to_is_found_by_its_marker_and_closed() {
    let slack = Slack::start();
    open_public(&slack);
    let mut secret = staffed(secret());
    secret.refs = vec![linked(&slack, ROOM)];
    tocsin_plugin_sdk::kv::delete("room:inc-1").unwrap();
    // Once it links to the private room, the incident has no link to the public one.
    for (others, linked) in [(3, true), (7, false)] {
        if !linked {
            secret.refs.clear();
        }
        let body = EventBody::IncidentChanged(change(&incident(), &secret, &["security"]));
        slack.break_after(others, Break::Before);
        deliver(&slack, "e-2", body).unwrap_err();
    }
    deliver(&slack, "e-2", flagged()).unwrap();
    assert!(slack.channel(MOVED).archived);
    assert_eq!(private_rooms(&slack).len(), 1);
}

#[test]
fn a_channel_that_is_not_ours_is_neither_renamed_nor_archived() {
    let slack = Slack::start();
    slack.add_foreign_channel(ROOM);
    slack.add_foreign_channel(MOVED);
    slack.edit(ROOM, |it| it.ours = true);
    deliver(&slack, "e-1", opened()).unwrap();
    deliver(&slack, "e-2", flagged()).unwrap();
    for name in [ROOM, MOVED] {
        assert!(!slack.channel(name).archived, "{name}");
        assert_eq!(slack.texts(name).len(), 0, "{name}");
    }
    assert!(slack.channel(&format!("{MOVED}-2")).archived);
}

#[test]
fn a_public_room_that_somebody_archived_does_not_prevent_the_move() {
    let slack = Slack::start();
    open_public(&slack);
    slack.edit(ROOM, |it| it.archived = true);
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    let logs = slack.host.logs();
    let by_hand = |it: &String| it.contains("by hand");
    assert!(!logs.iter().any(by_hand), "{logs:?}");
    assert_eq!(private_rooms(&slack).len(), 1);
    let before = slack.host.requests().len();
    deliver(&slack, "e-3", noted("l-1")).unwrap();
    assert_eq!(slack.host.requests().len(), before + 1);
}

#[test]
fn a_missing_scope_pauses_the_plugin_and_posts_nothing_in_public() {
    let slack = Slack::start();
    open_public(&slack);
    let before = slack.channel(ROOM).messages.len();
    let flagged = flag(&slack);
    slack.fault(Some(Fault::Refuses("missing_scope")));
    let failure = deliver(&slack, "e-2", flagged.clone()).unwrap_err();
    assert!(matches!(failure, Failure::Misconfigured(_)), "{failure:?}");
    slack.fault(None);
    assert_eq!(slack.channel(ROOM).messages.len(), before);
    deliver(&slack, "e-3", noted("l-1")).unwrap();
    assert_moved(&slack, "repaired");
}

#[test]
fn a_closed_incident_that_is_flagged_still_moves() {
    let slack = Slack::start();
    open_public(&slack);
    let closed = |mut it: Incident| {
        it.status = tocsin_plugin_sdk::types::Status::Closed;
        it
    };
    let (before, after) = (closed(staffed(incident())), closed(staffed(secret())));
    let body = EventBody::IncidentChanged(change(&before, &after, &["security"]));
    assert_eq!(deliver(&slack, "e-2", body), Ok(Outcome::Done));
    assert_moved(&slack, "closed");
}

#[test]
fn without_clearance_the_earlier_title_is_removed_everywhere() {
    let redacted = |mut it: Incident| {
        it.title = "A security incident".into();
        it.summary = String::new();
        it.services.clear();
        it
    };
    let slack = Slack::start();
    open_public(&slack);
    deliver(&slack, "e-1b", noted("l-1")).unwrap();
    slack.edit(ROOM, |it| {
        it.messages.push(json!({"ts": "1", "text": "hello"}))
    });
    let (before, after) = (redacted(staffed(incident())), redacted(staffed(secret())));
    slack.host.add_incident(&after);
    let sent = slack.host.requests().len();
    let body = EventBody::IncidentChanged(change(&before, &after, &["security"]));
    deliver(&slack, "e-2", body).unwrap();
    assert_moved(&slack, "redacted");
    for request in slack.host.requests().iter().skip(sent) {
        let body = String::from_utf8(request.body.clone().unwrap_or_default()).unwrap();
        let sent = format!("{}?{body}", request.url).to_lowercase();
        assert!(!sent.contains("checkout"), "{sent}");
    }
    for it in slack.channels() {
        assert!(
            !format!("{it:?}").to_lowercase().contains("checkout"),
            "{it:?}"
        );
    }
    let texts = slack.texts(MOVED);
    assert_eq!(
        texts[..3],
        ["_Removed_", "_Removed_", "hello"],
        "people's messages stay"
    );
    for line in slack.host.logs() {
        assert!(!line.to_lowercase().contains("checkout"), "{line}");
    }
}

#[test]
fn a_private_room_is_found_again_even_if_its_row_is_lost() {
    let slack = Slack::start();
    let mut secret = secret();
    let body = |it: &Incident| EventBody::IncidentOpened(it.clone());
    deliver(&slack, "e-1", body(&secret)).unwrap();
    for row in ["room:inc-1", "private-room:inc-1"] {
        tocsin_plugin_sdk::kv::delete(row).unwrap();
    }
    secret.refs = vec![linked(&slack, PRIVATE)];
    deliver(&slack, "e-2", body(&secret)).unwrap();
    assert_eq!(slack.channels().len(), 1);
    assert!(!slack.channel(PRIVATE).archived);
}

#[test]
fn people_invited_by_two_concurrent_calls_are_both_invited_again() {
    let slack = Slack::start();
    open_public(&slack);
    let delivery = slack.host.begin("j-2");
    let mut one = room::ensure(&incident(), &delivery).unwrap();
    let mut two = room::ensure(&incident(), &delivery).unwrap();
    one.invite(&[person("mo", "slack", "U3")], &incident())
        .unwrap();
    two.invite(&[person("al", "slack", "U4")], &incident())
        .unwrap();
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    assert_eq!(slack.channel(PRIVATE).members, ["U1", "U2", "U3", "U4"]);
}

#[test]
fn somebody_invited_to_the_public_room_during_the_move_is_invited_again() {
    let slack = Slack::start();
    open_public(&slack);
    let mut room = room::ensure(&incident(), &slack.host.begin("j-2")).unwrap();
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    let mo = person("mo", "slack", "U3");
    let failure = room.invite(&[mo], &incident()).unwrap_err();
    assert!(matches!(failure, Failure::Retry(_)), "{failure:?}");
    deliver(&slack, "j-2", invite("U3")).unwrap();
    assert_eq!(slack.channel(PRIVATE).members, ["U1", "U2", "U3"]);
}

#[test]
fn whoever_may_not_see_security_incidents_is_not_invited_and_the_room_says_so_once() {
    let slack = Slack::start();
    slack.host.add_person(&person("kim", "slack", "U7"));
    open_public(&slack);
    deliver(&slack, "j-2", invite("U7")).unwrap();
    assert_eq!(slack.channel(ROOM).members, ["U1", "U2", "U7"]);
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    for page in ["j-3", "j-4"] {
        deliver(&slack, page, invite("U7")).unwrap();
        deliver(&slack, page, invite("U8")).unwrap();
    }
    assert_eq!(slack.channel(PRIVATE).members, ["U1", "U2"]);
    let texts = slack.texts(PRIVATE);
    for user in ["U7", "U8"] {
        let says = format!("<@{user}> is not invited: they have no clearance");
        let said = texts.iter().filter(|it| it.contains(&says)).count();
        assert_eq!(said, 1, "{texts:?}");
    }
}

#[test]
fn once_the_flag_is_removed_still_nobody_without_clearance_comes_into_the_private_room() {
    let slack = Slack::start();
    slack.host.add_person(&person("kim", "slack", "U7"));
    open_public(&slack);
    deliver(&slack, "e-2", flag(&slack)).unwrap();
    let mut public = incident();
    (public.revision, public.operator) = (4, Some(person("kim", "slack", "U7")));
    slack.host.add_incident(&public);
    let change = change(&staffed(secret()), &public, &["security", "operator"]);
    deliver(&slack, "e-3", EventBody::IncidentChanged(change)).unwrap();
    deliver(&slack, "j-2", invite("U7")).unwrap();
    assert_eq!(slack.channel(PRIVATE).members, ["U1", "U2"]);
    // Nor into the room that replaces it.
    slack.edit(PRIVATE, |it| it.archived = true);
    deliver(&slack, "e-4", noted("l-1")).unwrap();
    let room = slack.channels().pop().unwrap();
    assert_eq!(
        (room.private, room.members),
        (true, vec!["U1".into(), "U2".into()])
    );
    let texts = slack.texts(&room.name);
    let said = texts.iter().filter(|it| it.contains("is not invited"));
    assert_eq!(said.count(), 0, "it was said before: {texts:?}");
}

#[test]
fn an_event_from_before_the_flag_invites_nobody_who_may_not_see_the_incident() {
    let slack = Slack::start();
    slack.host.add_person(&person("kim", "slack", "U7"));
    open_public(&slack);
    deliver(&slack, "e-3", flag(&slack)).unwrap();
    let mut acknowledged = incident();
    acknowledged.operator = Some(person("kim", "slack", "U7"));
    let change = change(&incident(), &acknowledged, &["operator"]);
    deliver(&slack, "e-2", EventBody::IncidentChanged(change)).unwrap();
    assert_eq!(slack.channel(PRIVATE).members, ["U1", "U2"]);
}
