use super::*;
use crate::standin::Slack;
use crate::tests::{channel_ref, deliver};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::testing::{change, incident, person};
use tocsin_plugin_sdk::types::{Audience, EventBody, Promise};

/// A workspace with both channels.
fn start() -> Slack {
    let slack = Slack::start();
    slack.add_foreign_channel("engineering");
    slack.add_foreign_channel("all-hands");
    slack.host.set_config("engineering-channel", "C1");
    slack.host.set_config("company-channel", "C2");
    slack
}

fn numbered(number: u64, grade: Grade) -> Incident {
    Incident {
        id: format!("inc-{number}"),
        number,
        title: format!("service-{number} fails"),
        grade,
        services: vec![format!("service-{number}")],
        opened_at: clock::now(),
        ..incident()
    }
}

fn open(slack: &Slack, it: &Incident) {
    slack.host.add_incident(it);
    let id = format!("{}/opened", it.id);
    deliver(slack, &id, EventBody::IncidentOpened(it.clone())).unwrap();
}

/// Changes an incident, and lets the announcements follow.
fn alter(slack: &Slack, it: &mut Incident, edit: impl FnOnce(&mut Incident)) {
    let before = it.clone();
    edit(it);
    it.revision += 1;
    slack.host.add_incident(it);
    let id = format!("{}/{}", it.id, it.revision);
    let body = EventBody::IncidentChanged(change(&before, it, &[]));
    deliver(slack, &id, body).unwrap();
    slack.pass(5_000);
}

fn taken_by_jo(it: &mut Incident) {
    it.operator = Some(person("Jo", "slack", "U1"));
    it.acknowledged_at = Some(clock::now());
}

fn resolve(it: &mut Incident) {
    it.status = Status::Resolved;
    it.resolved_at = Some(it.opened_at + 720_000);
}

/// The messages of a channel itself, and the replies to them.
fn said(slack: &Slack, channel: &str) -> (Vec<String>, Vec<String>) {
    let messages = slack.channel(channel).messages;
    let (replies, own): (Vec<Value>, Vec<Value>) = messages
        .into_iter()
        .partition(|it| it["thread_ts"].is_string());
    assert!(replies.iter().all(|it| it["broadcast"] == true));
    let text = |it: &Value| it["text"].as_str().unwrap().to_owned();
    (
        own.iter().map(text).collect(),
        replies.iter().map(text).collect(),
    )
}

#[test]
fn engineers_hear_once_that_it_has_begun_who_has_it_how_to_join_and_that_it_is_over() {
    let slack = start();
    let mut it = numbered(42, Grade::Minor);
    open(&slack, &it);
    it.refs = vec![channel_ref("X9"), channel_ref("C3")];
    it.refs[0].plugin = "another-chat".into();
    slack.host.add_incident(&it);
    slack.pass(5_000);
    let (own, replies) = said(&slack, "engineering");
    let [text] = &own[..] else { panic!("{own:?}") };
    for part in [
        "has begun",
        "#42 service-42 fails",
        "minor",
        "<#C3>",
        "being called",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(replies, [""; 0]);
    alter(&slack, &mut it, taken_by_jo);
    alter(&slack, &mut it, |it| it.grade = Grade::Critical);
    let (own, _) = said(&slack, "engineering");
    let [text] = &own[..] else { panic!("{own:?}") };
    assert!(text.contains("critical · Jo looks after it"), "{text}");
    alter(&slack, &mut it, resolve);
    let (own, replies) = said(&slack, "engineering");
    assert!(own.len() == 1 && own[0].contains("is over"), "{own:?}");
    let over = ":white_check_mark: #42 service-42 fails is resolved after 12 min";
    assert_eq!(replies, [over]);
}

#[test]
fn the_company_hears_of_a_major_one_that_somebody_looks_after_and_when_more_is_said() {
    let slack = start();
    let mut it = numbered(42, Grade::Minor);
    open(&slack, &it);
    alter(&slack, &mut it, taken_by_jo);
    assert_eq!(said(&slack, "all-hands").0, [""; 0]);
    alter(&slack, &mut it, |it| it.grade = Grade::Major);
    let due = clock::now() + 1_800_000;
    let promise = Promise {
        audience: Audience::Company,
        due,
    };
    alter(&slack, &mut it, |it| it.next_updates = vec![promise]);
    let (own, _) = said(&slack, "all-hands");
    let [text] = &own[..] else { panic!("{own:?}") };
    let by = format!("next update by <!date^{}^", due / 1000);
    for part in [
        "is being looked after",
        "#42 service-42*",
        "Jo looks after it",
        &by,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("fails"), "titles are for engineers: {text}");
    alter(&slack, &mut it, resolve);
    assert_eq!(
        said(&slack, "all-hands").1,
        [":white_check_mark: #42 service-42 is resolved after 12 min"]
    );
}

#[test]
fn the_company_hears_at_once_of_a_critical_one() {
    let slack = start();
    open(&slack, &numbered(42, Grade::Critical));
    slack.pass(5_000);
    let (own, _) = said(&slack, "all-hands");
    assert!(own[0].contains("people are being called"), "{own:?}");
}

#[test]
fn forty_incidents_within_ten_seconds_are_one_message_and_few_edits() {
    let slack = start();
    for number in 1..=40 {
        let grade = match number % 10 {
            0 => Grade::Critical,
            5 => Grade::Major,
            _ => Grade::Minor,
        };
        open(&slack, &numbered(number, grade));
        slack.pass(250);
    }
    let in_channel = |method: &str, channel: &str| {
        let all = slack.host.requests();
        let sent = all
            .iter()
            .filter(|it| it.url.ends_with(&format!("/{method}")));
        let form = |it: &tocsin_plugin_sdk::http::Request| it.body.clone().unwrap_or_default();
        let to = sent.map(|it| tocsin_plugin_sdk::testing::form_fields(&form(it)));
        to.filter(|it| it["channel"] == channel).count()
    };
    slack.pass(10_000);
    let edits = in_channel("chat.update", "C1");
    assert_eq!(in_channel("chat.postMessage", "C1"), 1);
    assert!((1..=4).contains(&edits), "{edits}");
    let (own, replies) = said(&slack, "engineering");
    let text = &own[0];
    assert!(
        text.contains("*40 incidents have begun*: 4 critical, 4 major, 32 minor"),
        "{text}"
    );
    assert!(text.contains("and 25 more: 25 minor"), "{text}");
    let first = text.lines().nth(1).unwrap();
    assert!(
        first.contains("#10 ") && first.contains("critical"),
        "{first}"
    );
    assert_eq!(replies, [""; 0]);
    assert_eq!(in_channel("chat.postMessage", "C2"), 1);
    assert!(slack.calls("chat.update") <= 8);
}

#[test]
fn the_end_of_a_storm_is_said_for_the_serious_ones_and_once_for_all() {
    let slack = start();
    let mut all: Vec<Incident> = (1..=4)
        .map(|it| numbered(it, if it == 1 { Grade::Major } else { Grade::Minor }))
        .collect();
    all.iter().for_each(|it| open(&slack, it));
    slack.pass(5_000);
    for it in &mut all {
        alter(&slack, it, resolve);
    }
    let (own, replies) = said(&slack, "engineering");
    assert_eq!(own.len(), 1);
    assert!(own[0].contains("*4 incidents are over*"), "{own:?}");
    let [one, last] = &replies[..] else {
        panic!("{replies:?}")
    };
    assert!(one.contains("#1 service-1 fails is resolved"), "{one}");
    assert!(
        last.contains("All 4 incidents of this message are over"),
        "{last}"
    );
}

#[test]
fn a_minor_one_that_ends_before_anybody_looked_only_shows_in_its_message() {
    let slack = start();
    let mut it = numbered(42, Grade::Minor);
    open(&slack, &it);
    slack.pass(5_000);
    alter(&slack, &mut it, resolve);
    let (own, replies) = said(&slack, "engineering");
    assert!(own[0].contains("is resolved after 12 min"), "{own:?}");
    assert_eq!(replies, [""; 0]);
}

#[test]
fn an_incident_that_reopens_is_said_to_be_open_again() {
    let slack = start();
    let mut it = numbered(42, Grade::Major);
    open(&slack, &it);
    slack.pass(5_000);
    alter(&slack, &mut it, resolve);
    alter(&slack, &mut it, |it| {
        it.status = Status::Open;
        it.resolved_at = None;
    });
    alter(&slack, &mut it, resolve);
    let (own, replies) = said(&slack, "engineering");
    assert_eq!(own.len(), 1);
    assert_eq!(replies.len(), 3, "{replies:?}");
    assert!(
        replies[1].contains("#42 service-42 fails is open again"),
        "{replies:?}"
    );
}

#[test]
fn incidents_that_begin_five_minutes_apart_have_messages_of_their_own() {
    let slack = start();
    open(&slack, &numbered(1, Grade::Minor));
    slack.pass(JOIN_MS - 10_000);
    open(&slack, &numbered(2, Grade::Minor));
    slack.pass(JOIN_MS + 5_000);
    open(&slack, &numbered(3, Grade::Minor));
    slack.pass(5_000);
    let (own, _) = said(&slack, "engineering");
    assert_eq!(own.len(), 2, "{own:?}");
    assert!(own[0].contains("#1 ") && own[0].contains("#2 "), "{own:?}");
}

#[test]
fn a_security_incident_is_not_announced_and_one_that_becomes_secret_is_named_no_more() {
    let slack = start();
    let mut secret = numbered(1, Grade::Critical);
    secret.security = true;
    open(&slack, &secret);
    slack.pass(5_000);
    assert!(slack.texts("engineering").is_empty() && slack.texts("all-hands").is_empty());
    let mut late = numbered(2, Grade::Critical);
    open(&slack, &late);
    slack.pass(5_000);
    alter(&slack, &mut late, |it| it.security = true);
    alter(&slack, &mut late, resolve);
    for channel in ["engineering", "all-hands"] {
        assert_eq!(slack.texts(channel), ["_Removed_"], "{channel}");
        let shown = slack.channel(channel).messages[0].to_string();
        assert!(!shown.contains("service-2"), "{shown}");
    }
}

#[test]
fn a_drill_says_so_to_engineers_and_the_company_does_not_hear_of_it() {
    let slack = start();
    let mut it = numbered(42, Grade::Critical);
    it.drill = true;
    open(&slack, &it);
    slack.pass(5_000);
    let (own, _) = said(&slack, "engineering");
    assert!(own[0].contains("*DRILL #42 "), "{own:?}");
    assert!(slack.texts("all-hands").is_empty());
}

#[test]
fn an_announcement_whose_response_was_lost_is_not_posted_again_by_another_delivery() {
    let slack = start();
    lose_answers(&slack, &mut numbered(42, Grade::Major));
    let (own, replies) = said(&slack, "engineering");
    assert_eq!((own.len(), replies.len()), (1, 1), "{own:?} {replies:?}");
}

/// Announces an incident and its end. The responses to both messages are lost, and the deliveries
/// given up, so that others continue.
pub(crate) fn lose_answers(slack: &Slack, it: &mut Incident) {
    open(slack, it);
    lose_answer(slack);
    alter(slack, it, taken_by_jo);
    let before = it.clone();
    resolve(it);
    slack.host.add_incident(it);
    changed(&change(&before, it, &[])).unwrap();
    lose_answer(slack);
    note(&it.id).unwrap();
    slack.pass(5_000);
}

fn lose_answer(slack: &Slack) {
    slack.host.advance_ms(GATHER_MS);
    slack.host.lose_answer("chat.postMessage");
    let id = format!("lost-{}", slack.host.requests().len());
    run(&slack.host.begin(&id)).unwrap_err();
    while slack.host.take_due_job().is_some() {}
}

#[test]
fn a_full_message_fits_into_a_row_of_the_store_and_further_incidents_begin_another() {
    let slack = start();
    for number in 1..=51 {
        let mut it = numbered(number, Grade::Major);
        it.title = "\u{1f525}".repeat(300);
        it.services = vec!["\u{1f525}".repeat(300)];
        it.operator = Some(person(&"\u{1f525}".repeat(300), "slack", "U1"));
        it.spokesperson = it.operator.clone();
        open(&slack, &it);
    }
    slack.pass(10_000);
    let (own, _) = said(&slack, "engineering");
    assert_eq!(own.len(), 2);
    assert!(own[0].contains("*50 incidents have begun*"));
    let row: Value = kv::get("board:engineering:inc-1").unwrap().unwrap().value;
    assert!(
        row.to_string().len() < 64 << 10,
        "{}",
        row.to_string().len()
    );
}

#[test]
fn of_private_rooms_engineers_hear_how_to_be_invited() {
    let slack = start();
    slack.host.set_config("rooms", "private");
    let mut it = numbered(42, Grade::Minor);
    it.refs = vec![channel_ref("C3")];
    open(&slack, &it);
    slack.pass(5_000);
    let (own, _) = said(&slack, "engineering");
    assert!(own[0].contains("`/incident join NUMBER`"), "{own:?}");
    assert!(!own[0].contains("<#C3>"), "{own:?}");
}

#[test]
fn without_channels_nothing_is_noted() {
    let slack = Slack::start();
    open(&slack, &numbered(42, Grade::Critical));
    assert!(slack.host.jobs().iter().all(|it| it.topic != TOPIC));
}

#[test]
fn a_channel_that_refuses_does_not_keep_the_other_from_hearing_of_it() {
    let slack = start();
    slack.edit("engineering", |it| it.archived = true);
    open(&slack, &numbered(42, Grade::Critical));
    slack.host.advance_ms(GATHER_MS);
    let delivery = slack.host.begin("j-1");
    let failure = run(&delivery).unwrap_err();
    assert!(matches!(failure, Failure::Permanent(_)), "{failure:?}");
    assert_eq!(slack.texts("all-hands").len(), 1);
}
