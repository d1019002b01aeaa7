//! Measures the cost of a call of the shipped policies, with limits, input conversion, decoding and
//! the stored input.
//!
//! ```text
//! cargo run --release -p tocsin-policy --example policy_cost
//! ```

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use tocsin_core::{Grade, Labels, Signal, SignalStatus, Status, TeamId, Timestamp};
use tocsin_policy::{
    AlertView, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, PolicySet, Report,
};

const WARM_UP: usize = 2_000;
const CALLS: usize = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"));
    let started = Instant::now();
    let set = PolicySet::load(dir)?;
    println!(
        "load and compile        {:>8.1} µs",
        micros(started.elapsed())
    );
    let signal = signal();
    let incident = IncidentView::new(incident());
    let ctx = context();
    measure("route", || {
        set.route(&AlertView::from(&signal), &ctx)
            .map(|verdict| drop(black_box(verdict)))
    })?;
    measure("grade", || {
        set.grade(&incident, &AlertView::from(&signal), &ctx)
            .map(|verdict| drop(black_box(verdict)))
    })?;
    measure("escalate", || {
        set.escalate(&incident, &ctx)
            .map(|verdict| drop(black_box(verdict)))
    })?;
    Ok(())
}

fn measure(name: &str, mut call: impl FnMut() -> Result<(), Report>) -> Result<(), Report> {
    for _ in 0..WARM_UP {
        call()?;
    }
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        call()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let at = |share: usize| {
        times
            .get(CALLS * share / 1_000)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{name:<10} p50 {:>8.1} µs   p99 {:>8.1} µs   p99.9 {:>8.1} µs",
        micros(at(500)),
        micros(at(990)),
        micros(at(999)),
    );
    Ok(())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn labels(of: &[(&str, &str)]) -> Labels {
    of.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn signal() -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: "9a3f0c1be2d47788".into(),
        status: SignalStatus::Firing,
        title: "HighErrorRate checkout".to_owned(),
        summary: "5 % of the requests to checkout fail".to_owned(),
        labels: labels(&[
            ("alertname", "HighErrorRate"),
            ("service", "checkout"),
            ("team", "payments"),
            ("severity", "critical"),
            ("namespace", "shop"),
            ("job", "checkout"),
            ("instance", "10.0.0.7:9090"),
            ("environment", "production"),
        ]),
        annotations: labels(&[
            ("summary", "5 % of the requests to checkout fail"),
            ("runbook_url", "https://runbooks.example/high-error-rate"),
        ]),
        starts_at: Timestamp(1_790_000_000_000),
        ends_at: None,
        link: Some("https://prometheus.example/graph".to_owned()),
    }
}

fn incident() -> IncidentFacts {
    IncidentFacts {
        id: None,
        number: 17,
        key: "checkout".into(),
        title: "HighErrorRate checkout".to_owned(),
        service: "checkout".to_owned(),
        team: Some(TeamId::from("payments")),
        grade: Some(Grade::Critical),
        security: false,
        status: Status::Open,
        alerts_total: 3,
        alerts_firing: 2,
        labels: signal().labels,
        opened_at: Timestamp(1_790_000_000_000),
        acknowledged: false,
        drill: false,
    }
}

fn context() -> Context {
    let on_call = |name: &str, person: &str| (name.to_owned(), vec![person.into()]);
    Context::new(ContextFacts {
        now: LocalTime {
            hour: 3,
            ..LocalTime::default()
        },
        on_call: BTreeMap::from([on_call("default", "bob"), on_call("payments", "ada")]),
        ..ContextFacts::default()
    })
}
