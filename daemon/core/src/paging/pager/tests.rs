//! Which messages go out, and which wait.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::time::{MINUTE_MS, SECOND_MS};

const T0: Timestamp = Timestamp(1_000_000_000);

fn page(name: &str, channel: &str, grade: Grade) -> WaitingPage {
    WaitingPage {
        attempt: PageAttempt {
            incident: name.into(),
            page: 1,
            contact: 0,
            question: None,
        },
        contact: Contact {
            kind: channel.to_owned(),
            address: "ada".to_owned(),
        },
        grade,
        opened_at: T0,
        drill: false,
        since: T0,
        is_wanted: true,
    }
}

fn asked(name: &str, channel: &str, since: Timestamp) -> WaitingPage {
    let mut asked = page(name, channel, Grade::Critical);
    asked.attempt.question = Some(Question::StillOnIt);
    WaitingPage { since, ..asked }
}

fn names(bundle: &Bundle) -> Vec<&str> {
    bundle.pages.iter().map(|it| it.incident.as_str()).collect()
}

fn after(ms: u64) -> Timestamp {
    T0.plus_ms(ms)
}

#[test]
fn the_first_page_goes_out_at_once_and_what_follows_in_the_window_as_one() {
    let delays = Delays::default();
    let first = vec![page("a", "slack", Grade::Major)];
    let gathered = gather(&Pager::default(), first, &delays, T0);
    assert_eq!(names(&gathered.bundles[0]), ["a"]);
    let more = || {
        vec![
            page("b", "slack", Grade::Minor),
            page("c", "slack", Grade::Critical),
        ]
    };
    let held = gather(&gathered.pager, more(), &delays, after(SECOND_MS));
    assert_eq!(held.bundles, []);
    assert_eq!(held.pager.due, Some(after(20 * SECOND_MS)));
    let sent = gather(&held.pager, more(), &delays, after(20 * SECOND_MS));
    assert_eq!(names(&sent.bundles[0]), ["c", "b"], "the worst first");
    assert_eq!((sent.bundles[0].number, sent.pager.due), (2, None));
}

#[test]
fn channels_do_not_wait_for_each_other() {
    let waiting = vec![
        page("a", "slack", Grade::Major),
        page("a", "ntfy", Grade::Major),
    ];
    let gathered = gather(&Pager::default(), waiting, &Delays::default(), T0);
    let channels: Vec<_> = gathered
        .bundles
        .iter()
        .map(|it| it.contact.kind.as_str())
        .collect();
    assert_eq!(channels, ["slack", "ntfy"]);
    let later = vec![page("b", "phone", Grade::Major)];
    let phone = gather(&gathered.pager, later, &Delays::default(), after(1));
    assert_eq!(phone.bundles.len(), 1);
}

#[test]
fn a_question_waits_for_others_and_never_goes_out_with_pages() {
    let delays = Delays::default();
    let waiting = || {
        vec![
            asked("a", "slack", T0),
            page("b", "slack", Grade::Critical),
            asked("c", "slack", after(10 * SECOND_MS)),
        ]
    };
    let pages = gather(&Pager::default(), waiting(), &delays, after(10 * SECOND_MS));
    assert_eq!(names(&pages.bundles[0]), ["b"]);
    assert_eq!(
        (pages.bundles.len(), pages.pager.due),
        (1, Some(after(20 * SECOND_MS)))
    );
    let mut left = waiting();
    left.remove(1);
    let questions = gather(&pages.pager, left, &delays, after(20 * SECOND_MS));
    assert_eq!(names(&questions.bundles[0]), ["a", "c"]);
    assert_eq!(questions.bundles.len(), 1);
    // The next one to the same contact follows two minutes later, and one to another does not
    // wait for that.
    let more = vec![
        asked("d", "slack", after(30 * SECOND_MS)),
        asked("d", "mail", after(30 * SECOND_MS)),
    ];
    let held = gather(&questions.pager, more, &delays, after(50 * SECOND_MS));
    assert_eq!(held.bundles.len(), 1);
    assert_eq!(held.bundles[0].contact.kind, "mail");
    assert_eq!(held.pager.due, Some(after(140 * SECOND_MS)));
}

#[test]
fn questions_hold_back_no_page_and_count_as_none() {
    let delays = Delays::default();
    let mut pager = Pager::default();
    for minute in (0..10).step_by(2) {
        let at = after(minute * MINUTE_MS);
        let question = vec![asked("a", "slack", T0.minus_ms(MINUTE_MS))];
        let gathered = gather(&pager, question, &delays, at);
        assert_eq!(gathered.bundles.len(), 1, "{minute}");
        let page = vec![page("b", "slack", Grade::Critical)];
        pager = gather(&gathered.pager, page, &delays, at).pager;
        assert_eq!(pager.sent.len() as u64, minute + 2, "{minute}");
    }
}

#[test]
fn what_nobody_needs_is_dropped_and_counts_for_nothing() {
    let unwanted = WaitingPage {
        is_wanted: false,
        ..page("a", "slack", Grade::Critical)
    };
    let gathered = gather(
        &Pager::default(),
        vec![unwanted.clone()],
        &Delays::default(),
        T0,
    );
    assert_eq!(gathered.dropped, [unwanted.attempt]);
    assert_eq!(gathered.pager, Pager::default());
}

#[test]
fn beyond_the_limit_only_critical_ones_go_out_every_two_minutes() {
    let delays = Delays::default();
    let mut pager = Pager::default();
    let mut sent = Vec::new();
    for second in (0..600).step_by(5) {
        let waiting = vec![page("a", "slack", Grade::Minor)];
        let gathered = gather(&pager, waiting, &delays, after(second * SECOND_MS));
        sent.extend(gathered.bundles.iter().map(|_| second));
        pager = gathered.pager;
    }
    assert_eq!(sent, [0, 20, 40, 60, 80, 100]);
    assert_eq!(pager.due, Some(after(10 * MINUTE_MS)));
    let critical = |at| {
        gather(
            &pager,
            vec![page("b", "slack", Grade::Critical)],
            &delays,
            at,
        )
    };
    let first = critical(after(2 * MINUTE_MS));
    assert_eq!(first.bundles.len(), 1, "none was sent before");
    pager = first.pager;
    let held = gather(
        &pager,
        vec![page("b", "slack", Grade::Critical)],
        &delays,
        after(3 * MINUTE_MS),
    );
    assert_eq!(
        (held.bundles.len(), held.pager.due),
        (0, Some(after(4 * MINUTE_MS)))
    );
}

#[test]
fn what_did_not_arrive_uses_up_no_limit() {
    let delays = Delays::default();
    let mut pager = Pager::default();
    let critical = |channel: &str| vec![page("a", channel, Grade::Critical)];
    for second in (0..600).step_by(20) {
        let gathered = gather(&pager, critical("down"), &delays, after(second * SECOND_MS));
        assert_eq!(gathered.bundles.len(), 1, "{second}");
        pager = gathered.pager;
        assert!(pager.note(pager.last, Arrival::Not));
        assert!(!pager.note(pager.last, Arrival::Not), "it is noted once");
    }
    let at = after(600 * SECOND_MS);
    for sent in 0..6 {
        let minor = vec![page("b", &format!("up-{sent}"), Grade::Minor)];
        pager = gather(&pager, minor, &delays, at).pager;
    }
    assert_eq!(pager.due, None, "six others went out");
    let held = gather(&pager, vec![page("b", "slack", Grade::Minor)], &delays, at);
    assert_eq!(held.pager.due, Some(at.plus_ms(10 * MINUTE_MS)));
}

#[test]
fn a_channel_that_rejects_everything_is_tried_once_in_a_window() {
    let delays = Delays::default();
    let waiting = || vec![page("a", "slack", Grade::Critical)];
    let mut pager = gather(&Pager::default(), waiting(), &delays, T0).pager;
    assert!(pager.note(1, Arrival::Not));
    let held = gather(&pager, waiting(), &delays, after(SECOND_MS));
    assert_eq!(held.pager.due, Some(after(20 * SECOND_MS)));
}

#[test]
fn a_message_that_arrived_after_all_counts_and_so_does_one_that_may_have() {
    let delays = Delays {
        pages_max: 1,
        ..Delays::default()
    };
    let first = || vec![page("a", "slack", Grade::Minor)];
    let sent = gather(&Pager::default(), first(), &delays, T0).pager;
    let waits = |pager: &Pager| {
        let next = vec![page("b", "mail", Grade::Minor)];
        gather(pager, next, &delays, after(SECOND_MS))
            .bundles
            .is_empty()
    };
    let noted = |arrivals: &[Arrival]| {
        let mut pager = sent.clone();
        for arrival in arrivals {
            pager.note(1, *arrival);
        }
        waits(&pager)
    };
    assert!(waits(&sent));
    assert!(!noted(&[Arrival::Not]));
    assert!(noted(&[Arrival::Not, Arrival::Yes]));
    assert!(noted(&[Arrival::Maybe, Arrival::Not]));
    assert!(noted(&[Arrival::Not, Arrival::Maybe, Arrival::Not]));
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_back() {
    let waiting = || vec![page("a", "slack", Grade::Minor)];
    let pager = gather(&Pager::default(), waiting(), &Delays::default(), T0).pager;
    let earlier = T0.minus_ms(60 * MINUTE_MS);
    assert_eq!(
        gather(&pager, waiting(), &Delays::default(), earlier)
            .bundles
            .len(),
        1
    );
}

#[test]
fn the_row_fits_into_the_store_however_many_contacts_are_tried() {
    let delays = Delays {
        bundle_window_ms: 0,
        pages_max: 20,
        ..Delays::default()
    };
    let mut pager = Pager::default();
    for ms in 0..200 {
        let mut critical = page("a", "a-contact-kind", Grade::Critical);
        critical.contact.address = format!("{ms}@{}", "x".repeat(500));
        pager = gather(&pager, vec![critical], &delays, after(ms)).pager;
    }
    let bytes = serde_json::to_vec(&pager).unwrap().len();
    assert!(bytes < 8_192, "{bytes} bytes");
    let waiting = vec![page("a", "slack", Grade::Minor)];
    let held = gather(&pager, waiting, &delays, after(200));
    assert_eq!(held.bundles, [], "the limit holds all the same");
}

#[test]
fn more_than_a_message_can_name_waits_for_the_next() {
    let many = 0..=limits::BUNDLE_PAGES_MAX;
    let many = many.map(|number| page(&number.to_string(), "slack", Grade::Major));
    let gathered = gather(&Pager::default(), many.collect(), &Delays::default(), T0);
    assert_eq!(gathered.bundles[0].pages.len(), limits::BUNDLE_PAGES_MAX);
    assert_eq!(gathered.pager.due, Some(after(20 * SECOND_MS)));
}

proptest! {
    /// Whatever comes when: nothing is lost, everything goes out within ten minutes, and in no
    /// ten minutes do more messages go out than the limit and the critical ones.
    #[test]
    fn nothing_is_lost_and_nobody_is_flooded(
        arrivals in prop::collection::vec((0_u64..1_200, 0_usize..3, 0_usize..3), 1..200)
    ) {
        let channels = ["slack", "ntfy", "mail"];
        let delays = Delays::default();
        let (mut pager, mut waiting, mut named) = (Pager::default(), Vec::new(), 0);
        let mut sent: Vec<(u64, bool)> = Vec::new();
        for second in 0..2_400 {
            for (number, (_, channel, grade)) in
                arrivals.iter().enumerate().filter(|(_, it)| it.0 == second)
            {
                let name = number.to_string();
                waiting.push(page(&name, channels[*channel], Grade::ALL[*grade]));
            }
            let is_due = pager.due.is_some_and(|it| it <= after(second * SECOND_MS));
            if !is_due && !arrivals.iter().any(|it| it.0 == second) {
                continue;
            }
            let now = after(second * SECOND_MS);
            let gathered = gather(&pager, waiting.clone(), &delays, now);
            for bundle in &gathered.bundles {
                let is_in = |it: &WaitingPage| bundle.pages.contains(&it.attempt);
                let of_it = waiting.iter().filter(|it| is_in(it));
                let critical = of_it.map(|it| it.grade).max() == Some(Grade::Critical);
                sent.push((second, critical));
                named += bundle.pages.len();
                waiting.retain(|it| !is_in(it));
            }
            prop_assert_eq!(waiting.is_empty(), gathered.pager.due.is_none());
            pager = gathered.pager;
        }
        prop_assert_eq!(named, arrivals.len());
        for (from, _) in &sent {
            let within = sent.iter().filter(|it| (*from..from + 600).contains(&it.0));
            let critical = within.clone().filter(|it| it.1).count();
            prop_assert!(within.count() <= 6 + critical);
        }
    }
}

#[test]
fn a_drill_neither_delays_nor_displaces_a_real_page_and_shares_no_message_with_one() {
    let delays = Delays {
        pages_max: 1,
        ..Delays::default()
    };
    let drill = || WaitingPage {
        drill: true,
        ..page("drill", "slack", Grade::Critical)
    };
    let first = gather(&Pager::default(), vec![drill()], &delays, T0);
    assert_eq!(names(&first.bundles[0]), ["drill"]);
    let now = after(SECOND_MS);
    let real = page("real", "slack", Grade::Minor);
    let both = gather(&first.pager, vec![drill(), real], &delays, now);
    let sent: Vec<_> = both.bundles.iter().map(names).collect();
    assert_eq!(
        sent,
        [["real"]],
        "at once, though the drill was a moment ago"
    );
    let due = both.pager.due.unwrap();
    assert!(due > now, "the next of the drill waits for both");
}

#[test]
fn questions_of_a_drill_share_no_message_with_real_ones() {
    let drill = WaitingPage {
        drill: true,
        ..asked("drill", "slack", T0)
    };
    let waiting = vec![drill, asked("real", "slack", T0)];
    let now = after(10 * MINUTE_MS);
    let gathered = gather(&Pager::default(), waiting, &Delays::default(), now);
    let sent: Vec<_> = gathered.bundles.iter().map(names).collect();
    assert_eq!(sent, [["real"], ["drill"]]);
}
