use super::*;
use crate::standin::Slack;
use crate::tests::{ROOM, deliver, opened};
use tocsin_plugin_sdk::testing::{change, incident};
use tocsin_plugin_sdk::types::{EventBody, Incident};

/// Closes an incident that has a room, at the host's time.
fn close(slack: &Slack, number: u64) -> Incident {
    let mut before = incident();
    before.id = format!("inc-{number}");
    before.number = number;
    if slack.calls("conversations.create") < number as usize {
        let id = format!("{number}/1");
        deliver(slack, &id, EventBody::IncidentOpened(before.clone())).unwrap();
    }
    let mut after = before.clone();
    after.status = Status::Closed;
    after.resolved_at = Some(clock::now());
    after.revision = slack.host.requests().len() as u64;
    slack.host.add_incident(&after);
    let id = format!("{number}/{}", after.revision);
    let body = EventBody::IncidentChanged(change(&before, &after, &["status"]));
    deliver(slack, &id, body).unwrap();
    after
}

fn archived(slack: &Slack) -> usize {
    let channels = slack.channels();
    channels.iter().filter(|it| it.archived).count()
}

#[test]
fn the_room_of_a_closed_incident_is_archived_after_fourteen_days() {
    let slack = Slack::start();
    close(&slack, 1);
    slack.pass(14 * DAY_MS - 1);
    assert_eq!(archived(&slack), 0);
    slack.pass(DAY_MS);
    assert_eq!(archived(&slack), 1);
    // Nothing is left to do.
    assert_eq!(slack.host.next_job_due(), None);
}

#[test]
fn the_setting_says_after_how_many_days_or_never() {
    for (days, after_two_days) in [("1", 1), ("3", 0), ("0", 0)] {
        let slack = Slack::start();
        slack.host.set_config("archive-after-days", days);
        close(&slack, 1);
        slack.pass(2 * DAY_MS);
        assert_eq!(archived(&slack), after_two_days, "{days}");
    }
}

#[test]
fn an_incident_that_was_open_again_keeps_its_room_for_as_long_again() {
    let slack = Slack::start();
    close(&slack, 1);
    slack.pass(10 * DAY_MS);
    close(&slack, 1);
    slack.pass(10 * DAY_MS);
    assert_eq!(archived(&slack), 0);
    slack.pass(5 * DAY_MS);
    assert_eq!(archived(&slack), 1);
}

#[test]
fn an_incident_that_is_open_keeps_its_room() {
    let slack = Slack::start();
    let mut it = close(&slack, 1);
    it.status = Status::Open;
    slack.host.add_incident(&it);
    slack.pass(20 * DAY_MS);
    assert_eq!(archived(&slack), 0);
}

#[test]
fn many_rooms_are_archived_some_a_minute() {
    let slack = Slack::start();
    for number in 1..=25 {
        close(&slack, number);
    }
    slack.pass(14 * DAY_MS + 1);
    assert_eq!(archived(&slack), 10);
    slack.pass(3 * AGAIN_MS);
    assert_eq!(archived(&slack), 25);
}

#[test]
fn a_room_that_is_gone_already_is_forgotten() {
    let slack = Slack::start();
    deliver(&slack, "e-1", opened()).unwrap();
    slack.delete(ROOM);
    close(&slack, 1);
    slack.pass(20 * DAY_MS);
    assert_eq!(slack.host.next_job_due(), None);
}
