use crate::standin::Slack;
use crate::tests::{ROOM, channel_ref, deliver, flagged, graded_critical, noted, opened, secret};
use tocsin_plugin_sdk::testing::{change, incident, person};
use tocsin_plugin_sdk::types::{EventBody, Grade, Incident, Outcome, Status};

/// The name of the room that replaces the first one.
const SECOND: &str = "inc-42-checkout-is-down-2";

fn alter(slack: &Slack, id: &str, edit: impl FnOnce(&mut Incident)) -> Outcome {
    let mut after = incident();
    after.revision = slack.host.requests().len() as u64;
    edit(&mut after);
    slack.host.add_incident(&after);
    let body = EventBody::IncidentChanged(change(&incident(), &after, &[]));
    deliver(slack, id, body).unwrap()
}

#[test]
fn a_room_that_somebody_archives_or_deletes_is_replaced_and_everybody_is_invited() {
    for deleted in [false, true] {
        let slack = Slack::start();
        let mut it = incident();
        it.operator = Some(person("Jo", "slack", "U1"));
        deliver(&slack, "e-1", EventBody::IncidentOpened(it.clone())).unwrap();
        let first = slack.channel(ROOM).id;
        match deleted {
            true => slack.delete(ROOM),
            false => slack.edit(ROOM, |it| it.archived = true),
        }
        slack.host.add_incident(&it);
        deliver(&slack, "e-2", noted("l-1")).unwrap();
        deliver(&slack, "e-2", noted("l-1")).unwrap();
        let texts = slack.texts(SECOND);
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("Major incident #42"), "{texts:?}");
        assert!(
            texts[1].contains(&format!("replaces <#{first}>")),
            "{texts:?}"
        );
        assert!(texts[2].contains("the queue is *full*"), "{texts:?}");
        assert_eq!(slack.channel(SECOND).members, ["U1"]);
        let linked = slack.host.commands().pop().unwrap().text;
        assert_eq!(linked, format!("channel {}", slack.channel(SECOND).id));
        deliver(&slack, "e-3", noted("l-2")).unwrap();
        assert_eq!(slack.texts(SECOND).len(), 4);
    }
}

#[test]
fn a_replacement_that_fails_at_any_request_is_finished_by_another_delivery() {
    use crate::standin::Break;
    for how in [Break::Before, Break::After, Break::Lost] {
        for others in 0.. {
            let slack = Slack::start();
            slack.host.add_incident(&incident());
            deliver(&slack, "e-1", opened()).unwrap();
            slack.edit(ROOM, |it| it.archived = true);
            slack.break_after(others, how);
            let first = deliver(&slack, "e-2", noted("l-1"));
            if slack.is_break_pending() {
                break;
            }
            slack.host.advance_ms(30_000);
            deliver(&slack, "e-3", noted("l-2")).unwrap();
            deliver(&slack, "e-2", noted("l-1")).unwrap();
            let rooms = slack.channels();
            let live: Vec<_> = rooms.iter().filter(|it| !it.archived).collect();
            assert_eq!(live.len(), 1, "{how:?} at {others}: {first:?} {rooms:?}");
            let texts = slack.texts(&live[0].name);
            assert_eq!(texts.len(), 4, "{how:?} at {others}: {first:?} {texts:?}");
        }
    }
}

#[test]
fn the_private_room_of_a_security_incident_is_replaced_by_a_private_one() {
    let slack = Slack::start();
    slack.host.add_incident(&secret());
    deliver(&slack, "e-1", flagged()).unwrap();
    let rooms = slack.channels();
    slack.edit(&rooms[0].name, |it| it.archived = true);
    deliver(&slack, "e-2", noted("l-1")).unwrap();
    let room = slack.channels().pop().unwrap();
    assert_eq!(
        (room.private, room.name.as_str()),
        (true, "inc-42-private-2")
    );
    assert_eq!(slack.texts(&room.name).len(), 3);
}

#[test]
fn a_room_that_somebody_archives_after_the_end_is_left_alone_until_the_incident_reopens() {
    let slack = Slack::start();
    deliver(&slack, "e-1", opened()).unwrap();
    slack.edit(ROOM, |it| it.archived = true);
    for (id, status) in [("e-2", Status::Resolved), ("e-3", Status::Closed)] {
        let outcome = alter(&slack, id, |it| it.status = status);
        assert_eq!(outcome, Outcome::Ignored, "{status:?}");
    }
    // An event that is older than the end.
    assert_eq!(
        deliver(&slack, "e-4", graded_critical()),
        Ok(Outcome::Ignored)
    );
    assert_eq!(slack.channels().len(), 1);
    alter(&slack, "e-5", |it| it.grade = Grade::Critical);
    assert_eq!(slack.channels().len(), 2);
}

#[test]
fn the_setting_names_the_grade_from_which_on_an_incident_gets_a_room() {
    let cases = [
        ("minor", Grade::Minor, true),
        ("major", Grade::Minor, false),
        ("major", Grade::Major, true),
        ("critical", Grade::Major, false),
        ("critical", Grade::Critical, true),
        ("never", Grade::Critical, false),
    ];
    for (from, grade, opens) in cases {
        let slack = Slack::start();
        slack.host.set_config("room-from-grade", from);
        let mut it = incident();
        it.grade = grade;
        slack.host.add_incident(&it);
        deliver(&slack, "e-1", EventBody::IncidentOpened(it.clone())).unwrap();
        deliver(&slack, "e-2", noted("l-1")).unwrap();
        assert_eq!(
            slack.channels().len(),
            usize::from(opens),
            "{from} {grade:?}"
        );
    }
    let slack = Slack::start();
    slack.host.set_config("room-from-grade", "never");
    deliver(&slack, "e-1", EventBody::IncidentOpened(secret())).unwrap();
    assert_eq!(slack.channels().len(), 1);
}

#[test]
fn a_regrade_opens_the_room_and_it_stays_when_the_grade_falls_again() {
    let slack = Slack::start();
    slack.host.set_config("room-from-grade", "critical");
    deliver(&slack, "e-1", opened()).unwrap();
    assert_eq!(slack.channels().len(), 0);
    alter(&slack, "e-2", |it| it.grade = Grade::Critical);
    assert_eq!(slack.channels().len(), 1);
    alter(&slack, "e-3", |it| it.grade = Grade::Minor);
    assert_eq!(slack.texts(ROOM).len(), 3, "{:?}", slack.texts(ROOM));
}

#[test]
fn rooms_are_private_if_the_setting_says_so() {
    for (setting, private) in [("public", false), ("private", true)] {
        let slack = Slack::start();
        slack.host.set_config("rooms", setting);
        deliver(&slack, "e-1", opened()).unwrap();
        assert_eq!(slack.channel(ROOM).private, private, "{setting}");
    }
}

#[test]
fn ten_thousand_old_rooms_are_never_listed() {
    let slack = Slack::start();
    slack.add_rooms(10_000);
    deliver(&slack, "e-1", opened()).unwrap();
    alter(&slack, "e-2", |it| it.grade = Grade::Critical);
    let room = slack.channel(ROOM).id;
    // The room's row has expired, and the incident is still linked to it.
    tocsin_plugin_sdk::kv::delete("room:inc-1").unwrap();
    let link = || vec![channel_ref(&room)];
    alter(&slack, "e-3", |it| {
        (it.refs, it.grade) = (link(), Grade::Critical)
    });
    tocsin_plugin_sdk::kv::delete("room:inc-1").unwrap();
    alter(&slack, "e-4", |it| {
        (it.refs, it.status) = (link(), Status::Closed)
    });
    slack.pass(15 * 24 * 3_600_000);
    assert!(slack.channel(ROOM).archived);
    assert_eq!(slack.channels().len(), 10_001);
    assert_eq!(slack.calls("users.conversations"), 0);
    assert!(slack.host.requests().len() < 60);
}
