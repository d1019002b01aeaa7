//! A signal over its limits is truncated, one within them is unchanged, and the row of each fits.

use tocsin_core::alert::{Place, RoutedBy};
use tocsin_core::intake::ALERT_BYTES_MAX;
use tocsin_core::limits::{
    LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, REASON_BYTES_MAX, SIGNAL_BYTES_MAX,
    SILENCED_BY_MAX, SUMMARY_BYTES_MAX, TITLE_BYTES_MAX,
};
use tocsin_core::{Alert, Labels, PolicySource, Signal, SignalStatus, Timestamp};

fn signal() -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: "f".into(),
        status: SignalStatus::Firing,
        title: "t".to_owned(),
        summary: "s".to_owned(),
        labels: Labels::new(),
        annotations: Labels::new(),
        starts_at: Timestamp(1),
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

fn labels(count: usize, name: usize, value: &str) -> Labels {
    let label = |n: usize| (format!("{n:0>name$}"), value.to_owned());
    (0..count).map(label).collect()
}

#[test]
fn a_long_text_does_not_displace_the_labels_that_policies_grade_by() {
    let mut asked = signal();
    asked.labels = labels(8, 3, &"x".repeat(LABEL_VALUE_BYTES_MAX));
    let severity = ("severity".to_owned(), "critical".to_owned());
    asked.labels.extend([severity]);
    let (bounded, was_cut) = asked.bounded();
    assert!(was_cut);
    assert_eq!(bounded.labels["severity"], "critical");
}

type Modify = fn(&mut Signal);

#[test]
fn a_signal_is_cut_when_it_is_over_a_limit_and_only_then() {
    let cases: [(&str, bool, Modify); 11] = [
        ("unchanged", false, |_| {}),
        ("a full title", false, |it| {
            it.title = "x".repeat(TITLE_BYTES_MAX)
        }),
        ("a longer title", true, |it| {
            it.title = "x".repeat(TITLE_BYTES_MAX + 1)
        }),
        ("a longer summary", true, |it| {
            it.summary = "x".repeat(SUMMARY_BYTES_MAX + 1)
        }),
        ("a longer link", true, |it| {
            it.link = Some("x".repeat(LABEL_VALUE_BYTES_MAX + 1))
        }),
        ("all labels", false, |it| {
            it.labels = labels(LABELS_MAX, 3, "x")
        }),
        ("one label more", true, |it| {
            it.labels = labels(LABELS_MAX + 1, 3, "x")
        }),
        ("a longer name", true, |it| {
            it.labels = labels(1, LABEL_NAME_BYTES_MAX + 1, "x")
        }),
        ("a longer value", true, |it| {
            it.annotations = labels(1, 1, &"x".repeat(LABEL_VALUE_BYTES_MAX + 1));
        }),
        ("too many bytes", true, |it| {
            let value = "x".repeat(LABEL_VALUE_BYTES_MAX);
            it.annotations = labels(SIGNAL_BYTES_MAX / LABEL_VALUE_BYTES_MAX + 1, 3, &value);
        }),
        ("too many bytes once they are escaped", true, |it| {
            let value = "\u{1}".repeat(LABEL_VALUE_BYTES_MAX);
            it.annotations = labels(SIGNAL_BYTES_MAX / LABEL_VALUE_BYTES_MAX / 5, 3, &value);
        }),
    ];
    for (name, is_cut, modify) in cases {
        let mut asked = signal();
        modify(&mut asked);
        let (bounded, was_cut) = asked.clone().bounded();
        assert_eq!(was_cut, is_cut, "{name}");
        assert_eq!(bounded == asked, !is_cut, "{name}");
        assert_eq!(bounded.clone().bounded(), (bounded, false), "{name}: again");
    }
}

#[test]
fn the_row_of_the_largest_alert_fits_with_all_that_is_noted_about_it() {
    let quotes = |bytes: usize| "\"".repeat(bytes);
    let mut asked = signal();
    asked.title = quotes(TITLE_BYTES_MAX);
    asked.summary = quotes(SUMMARY_BYTES_MAX);
    asked.link = Some(quotes(LABEL_VALUE_BYTES_MAX));
    asked.labels = labels(LABELS_MAX, 8, "value");
    asked.annotations = labels(LABELS_MAX, 8, &quotes(64));
    let (bounded, _) = asked.bounded();
    let place = Place::Ignored {
        reason: quotes(REASON_BYTES_MAX),
        waited_under: None,
        watch: Some(Box::default()),
    };
    let mut alert = Alert::begin(&bounded, place, Timestamp(1));
    alert.silenced_by = (0..SILENCED_BY_MAX).map(|n| format!("{n:0>36}")).collect();
    alert.routed_by = Some(Box::new(RoutedBy {
        reason: quotes(REASON_BYTES_MAX),
        source: PolicySource {
            fallback: Some(quotes(REASON_BYTES_MAX)),
            ..PolicySource::default()
        },
    }));
    let bytes = |alert: &Alert| serde_json::to_vec(alert).unwrap().len();
    assert!(bytes(&alert) > ALERT_BYTES_MAX);
    let fitted = alert.fitted();
    assert!(bytes(&fitted) <= ALERT_BYTES_MAX, "{}", bytes(&fitted));
    assert_eq!(fitted.labels, bounded.labels);
    assert_eq!(fitted.title, bounded.title);
}
