//! Changes, such as deployments, to the services of an incident.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada};
use tocsin_core::command::{Channels, Command, Env, Refusal};
use tocsin_core::event::Opened;
use tocsin_core::incident::{Incident, absorbed};
use tocsin_core::{
    AboutChange, Actor, ChangeBrief, ChangeStatus, Event, Recorded, Timestamp, limits, narrate,
    services_of_opening, suspected,
};

const OPENED: u64 = 600 * MINUTE;

fn change(id: &str, at: u64) -> ChangeBrief {
    ChangeBrief {
        id: id.into(),
        at: Timestamp(i64::try_from(at).unwrap()),
        title: format!("Deploy {id}"),
        link: Some(format!("https://ci.example/{id}")),
    }
}

fn env<'a>(world: &'a World, channels: &'a Channels) -> Env<'a> {
    Env {
        now: world.now,
        delays: &world.delays,
        channels,
    }
}

/// An incident that opened ten hours after the beginning, with these changes before.
fn world(changes: &[ChangeBrief]) -> World {
    let mut world = World::default();
    world.at(OPENED).fire("A");
    let channels = Channels::default();
    for event in suspected(None, changes, env(&world, &channels)) {
        world.happened(event);
    }
    world
}

fn report(world: &mut World, change: ChangeBrief) -> usize {
    let by = Actor::Integration("ci".into());
    let reported = Command::Change(AboutChange::Reported(change));
    world.command(reported, &by).unwrap().events.len()
}

fn judge(
    world: &mut World,
    number: u32,
    caused: bool,
    text: Option<&str>,
) -> Result<String, Refusal> {
    let judged = AboutChange::Judged {
        number,
        caused,
        text: text.map(str::to_owned),
    };
    let outcome = world.command(Command::Change(judged), &ada())?;
    Ok(outcome.reply)
}

/// What is listed, by number.
fn listed(incident: &Incident) -> Vec<(String, ChangeStatus)> {
    let all = incident.changes.all.values();
    all.map(|it| (it.brief.id.to_string(), it.status)).collect()
}

fn log(world: &World) -> Vec<String> {
    let incident = world.incident();
    let lines = world.stream.iter().map(|it| narrate(incident, it));
    lines.filter(|it| it.contains("change")).collect()
}

#[test]
fn an_incident_suspects_the_changes_in_the_time_before_it_the_newest_first() {
    let hours = |it: u64| OPENED - it * 60 * MINUTE;
    let changes = [
        change("long-ago", hours(6) - 1),
        change("at-the-limit", hours(6)),
        change("new", hours(0) - 13 * MINUTE),
    ];
    let world = world(&changes);
    let suspected = ChangeStatus::Suspected;
    let expected = [("new", suspected), ("at-the-limit", suspected)];
    let expected = expected.map(|(id, status)| (id.to_owned(), status));
    assert_eq!(listed(world.incident()), expected);
    let said = [
        "change 1 may have caused it, made 13 min before: Deploy new https://ci.example/new",
        "change 2 may have caused it, made 6 h before: Deploy at-the-limit \
         https://ci.example/at-the-limit",
    ];
    assert_eq!(log(&world), said);
}

#[test]
fn of_many_changes_the_newest_are_listed_and_the_others_counted() {
    let changes: Vec<_> = (1..=9)
        .map(|it| change(&it.to_string(), OPENED - it * MINUTE))
        .collect();
    // A sender that reports to two services of one incident has made one change.
    let changes = [changes.clone(), changes].concat();
    let world = world(&changes);
    let ids: Vec<_> = listed(world.incident())
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(world.incident().changes.more, 4);
    let last = log(&world).pop().unwrap();
    assert!(
        last.ends_with("; 4 more in that time are not listed"),
        "{last}"
    );
}

#[test]
fn without_a_window_nothing_is_suspected_but_what_is_made_is_still_logged() {
    let mut world = World::default();
    world.delays.suspect_within_ms = 0;
    world.at(OPENED).fire("A");
    let (channels, before) = (Channels::default(), change("before", OPENED));
    let found = suspected(None, std::slice::from_ref(&before), env(&world, &channels));
    assert_eq!(found, []);
    assert_eq!(report(&mut world, before), 0);
    assert_eq!(report(&mut world, change("after", OPENED + 1)), 1);
}

#[test]
fn what_an_incident_opens_with_is_looked_up_unless_it_is_a_drill() {
    let world = world(&[]);
    let Event::Opened(opened) = &world.stream[0].event else {
        panic!()
    };
    let opening = |drill: bool| {
        let drilled = Opened {
            drill,
            ..Opened::clone(opened)
        };
        services_of_opening(None, &[Event::Opened(Box::new(drilled))])
    };
    assert_eq!(opening(false), ["checkout"]);
    assert!(opening(true).is_empty());
    let incident = Some(world.incident());
    let reopened = Event::Reopened {
        reason: "again".to_owned(),
    };
    assert_eq!(services_of_opening(incident, &[reopened]), ["checkout"]);
    assert!(services_of_opening(incident, &[Event::Closed {}]).is_empty());
}

#[test]
fn a_change_that_is_made_while_it_is_open_is_a_line_of_the_log() {
    let mut world = world(&[]);
    world.at(OPENED + 5 * MINUTE);
    assert_eq!(report(&mut world, change("fix", OPENED + 4 * MINUTE)), 1);
    assert_eq!(report(&mut world, change("fix", OPENED + 4 * MINUTE)), 0);
    // It is reported late.
    assert_eq!(report(&mut world, change("late", OPENED - 2 * MINUTE)), 1);
    assert_eq!(report(&mut world, change("old", OPENED - 361 * MINUTE)), 0);
    let said = [
        "change 1 was made: Deploy fix https://ci.example/fix",
        "change 2 may have caused it, made 7 min before: Deploy late https://ci.example/late",
    ];
    assert_eq!(log(&world), said);
    world.resolve();
    assert_eq!(report(&mut world, change("after", OPENED + 5 * MINUTE)), 0);
}

#[test]
fn an_incident_that_comes_back_suspects_only_what_was_changed_since() {
    let before = change("before", OPENED - MINUTE);
    let mut world = world(std::slice::from_ref(&before));
    report(&mut world, change("fix", OPENED + MINUTE));
    let changes = [
        change("unlisted", OPENED - 2 * MINUTE),
        before,
        change("fix", OPENED + MINUTE),
        change("again", OPENED + 3 * MINUTE),
    ];
    world.at(OPENED + 4 * MINUTE);
    let channels = Channels::default();
    let found = suspected(Some(world.incident()), &changes, env(&world, &channels));
    let [
        Event::ChangeSuspected {
            number: 3,
            change,
            more: 0,
        },
    ] = found.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!(change.id.as_str(), "again");
}

#[test]
fn a_flood_of_changes_is_listed_up_to_a_limit_which_the_log_says() {
    let mut world = world(&[]);
    let events: usize = (0..100)
        .map(|it| report(&mut world, change(&it.to_string(), OPENED + 1)))
        .sum();
    assert_eq!(events, limits::CHANGES_MAX);
    let last = log(&world).pop().unwrap();
    assert!(last.ends_with("; later ones are not listed"), "{last}");
}

#[test]
fn a_person_confirms_or_clears_a_change_and_corrections_add() {
    let (first, second) = (change("v2", OPENED - 1), change("v1", OPENED - MINUTE));
    let mut world = world(&[first, second]);
    assert_eq!(world.incident().changes.suspects().count(), 2);
    let reply = judge(&mut world, 2, true, None).unwrap();
    assert_eq!(reply, "change 2 is confirmed");
    let again = judge(&mut world, 2, true, Some(" ")).unwrap();
    assert_eq!(again, "change 2 is already confirmed");
    let foremost = world.incident().changes.foremost().unwrap();
    assert_eq!(foremost.brief.id.as_str(), "v1");
    judge(&mut world, 2, false, Some("it was rolled back before")).unwrap();
    judge(&mut world, 1, true, Some("the pool is too small")).unwrap();
    judge(&mut world, 1, true, Some("and there is no limit")).unwrap();
    let statuses = [ChangeStatus::Confirmed, ChangeStatus::Cleared];
    let found: Vec<_> = listed(world.incident())
        .into_iter()
        .map(|it| it.1)
        .collect();
    assert_eq!(found, statuses);
    let said = [
        "ada confirmed that change 2 caused it (Deploy v1)",
        "ada cleared change 2 (Deploy v1): it was rolled back before",
        "ada confirmed that change 1 caused it (Deploy v2): the pool is too small",
        "ada confirmed that change 1 caused it (Deploy v2): and there is no limit",
    ];
    assert_eq!(log(&world)[2..], said);
    world.resolve();
    let later = judge(&mut world, 1, false, None).unwrap();
    assert_eq!(later, "change 1 is cleared");
}

#[test]
fn a_wrong_number_is_refused_with_what_to_type_instead() {
    let two = [change("a", OPENED), change("b", OPENED)];
    let cases: [(&[ChangeBrief], &str); 3] = [
        (
            &[],
            "there is no change 7, as no change to its service is known; `log` adds what happened",
        ),
        (
            &two[..1],
            "there is no change 7; type `clear 1`, which is the only one",
        ),
        (
            &two,
            "there is no change 7; type a number from 1 to 2, as in `clear 1`",
        ),
    ];
    for (changes, says) in cases {
        let refused = judge(&mut world(changes), 7, false, None).unwrap_err();
        assert_eq!(refused.to_string(), says);
    }
}

#[test]
fn what_takes_an_incident_in_takes_over_what_is_suspected_of_it() {
    let shared = change("shared", OPENED - MINUTE);
    let own = [
        change("cleared", OPENED),
        change("own", OPENED - 1),
        shared.clone(),
    ];
    let mut from = world(&own);
    judge(&mut from, 1, false, None).unwrap();
    let mut into = world(&[shared]).incident().clone();
    into.about.service = "cart".to_owned();
    let mut outcome = absorbed(from.incident(), &into, "one cause");
    let recorded: Vec<Recorded> = outcome.recorded(&ada(), from.now);
    let into = recorded.iter().fold(into, Incident::fold);
    let suspected = ChangeStatus::Suspected;
    let expected = [("shared", suspected), ("own", suspected)];
    assert_eq!(listed(&into), expected.map(|(id, it)| (id.to_owned(), it)));
    assert_eq!(into.services(), ["cart", "checkout"]);
}
