//! The counts that policies ask for follow the alerts' rows.

use proptest::prelude::*;
use tocsin_core::alert::Place;
use tocsin_core::{Signal, SignalStatus};
use tocsin_policy::{AlertIndex, AlertList, ListedAlert};

use super::*;

const HOUR: u64 = 3_600_000;

/// Something that happens to one of a few alerts.
#[derive(Clone, Debug)]
enum Step {
    Fires(u8, Labels),
    Ends(u8),
    Removed(u8),
    Passes(u64),
}

fn labels() -> impl Strategy<Value = Labels> {
    let names = prop::sample::select(vec!["cluster", "severity"]);
    let values = prop::sample::select(vec!["", "a", "b"]);
    prop::collection::btree_map(
        names.prop_map(str::to_owned),
        values.prop_map(str::to_owned),
        0..3,
    )
}

fn steps() -> impl Strategy<Value = Step> {
    let alert = || 0..5_u8;
    prop_oneof![
        4 => (alert(), labels()).prop_map(|(alert, labels)| Step::Fires(alert, labels)),
        2 => alert().prop_map(Step::Ends),
        1 => alert().prop_map(Step::Removed),
        1 => (0..HOUR / 2).prop_map(Step::Passes),
    ]
}

fn signal(alert: u8, labels: Labels) -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: format!("f{alert}").into(),
        status: SignalStatus::Firing,
        title: "it is slow".to_owned(),
        summary: String::new(),
        labels,
        annotations: Labels::new(),
        starts_at: Timestamp(0),
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

fn place() -> Place {
    Place::Silenced { by: Vec::new() }
}

/// The alerts' rows, as the engine writes them.
fn rows_after(steps: &[Step], mut on: impl FnMut(&str, Option<&Alert>)) -> (Vec<Alert>, Timestamp) {
    let mut rows: HashMap<u8, Alert> = HashMap::new();
    let mut now = Timestamp(0);
    for step in steps {
        let (at, row) = match step {
            Step::Passes(ms) => {
                now = now.plus_ms(*ms);
                continue;
            }
            Step::Fires(at, labels) => {
                let signal = signal(*at, labels.clone());
                let row = match rows.remove(at) {
                    Some(alert) if alert.firing => alert.repeated(&signal, now),
                    Some(alert) => alert.again(&signal, place(), now),
                    None => Alert::begin(&signal, place(), now),
                };
                (*at, Some(row))
            }
            Step::Ends(at) => (*at, rows.remove(at).map(|it| it.ended(now))),
            Step::Removed(at) => (*at, rows.remove(at).filter(|it| it.firing)),
        };
        let key = signal(at, Labels::new());
        let key = Alert::row_key(&key.integration, &key.fingerprint);
        on(&key, row.as_ref());
        rows.extend(row.map(|it| (at, it)));
    }
    (rows.into_values().collect(), now)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_question_is_answered_as_by_looking_at_every_row(
        steps in prop::collection::vec(steps(), 1..40),
        questions in prop::collection::vec(labels(), 1..4),
        window_ms in 0..HOUR,
        is_asked_before in any::<bool>(),
    ) {
        let mut counts = Counts::default();
        let (rows, now) = rows_after(&steps, |key, row| {
            match row {
                Some(row) => counts.set(row),
                None => counts.forget(key),
            }
            if is_asked_before {
                for question in &questions {
                    counts.question(question);
                }
            }
        });
        let list = AlertList {
            alerts: rows.iter().map(listed).collect(),
            ..AlertList::default()
        };
        let since = now.minus_ms(window_ms);
        let except = rows.first().map(Alert::key);
        for except in [None, except.as_deref()] {
            for question in &questions {
                let firing = counts.firing(question, except);
                prop_assert_eq!(firing, list.firing(question, except), "{:?}", question);
                let began = counts.began(question, since, except, 10);
                prop_assert_eq!(began, list.began(question, since, except, 10), "{:?}", question);
                for also in [None, Some(("a", since))] {
                    let ours = counts.began_by("severity", question, since, except, also, 10);
                    let all = list.began_by("severity", question, since, except, also, 10);
                    prop_assert_eq!(ours, all, "{:?}", question);
                }
            }
        }
        for row in &rows {
            prop_assert_eq!(counts.starts(&row.key()), list.starts(&row.key()));
        }
    }
}

fn listed(alert: &Alert) -> ListedAlert {
    let starts = Starts {
        firing: alert.firing,
        times: alert.starts().collect(),
    };
    ListedAlert {
        key: alert.key(),
        labels: alert.labels.clone(),
        starts,
    }
}

#[test]
fn more_questions_than_are_kept_are_answered_too() {
    let mut counts = Counts::default();
    counts.set(&Alert::begin(
        &signal(1, Labels::new()),
        place(),
        Timestamp(0),
    ));
    for number in 0..=QUESTIONS_MAX {
        let label = ("cluster".to_owned(), number.to_string());
        assert_eq!(counts.firing(&Labels::from([label]), None), 0);
    }
    assert!(counts.questions.len() <= QUESTIONS_MAX);
    assert_eq!(counts.firing(&Labels::new(), None), 1);
}
