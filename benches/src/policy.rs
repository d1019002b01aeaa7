//! A whole policy call compared with the same rule in the `cel` crate: one that runs the script,
//! and one whose verdict is known. tocsin's call has every limit on, passes the input, decodes the
//! verdict and records what was read. CEL's is also compiled once; its input is converted by serde
//! and its result decoded, without limits or a record.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use cel::objects::Key;
use cel::{Env, Program, Value};
use tocsin_core::{
    Grade, Grading, Labels, Route, Signal, SignalStatus, Status, Target, TeamId, Timestamp,
};
use tocsin_policy::{
    AlertView, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, PolicySet,
};

use crate::figure::{Bound, Figure, median};
use crate::paths;

/// Blocks of calls; tocsin's and CEL's alternate.
const BLOCKS: usize = 21;
const CALLS: u32 = 2_000;
/// Longest time of the three functions together when their verdicts are known, in microseconds.
const KNOWN_MICROS_MAX: f64 = 2.0;
/// The same on a machine that does other work too.
const KNOWN_MICROS_GUARD: f64 = 2.0 * KNOWN_MICROS_MAX;

/// Measures the figures.
pub(crate) fn run() -> Result<Vec<Figure>> {
    let began = Instant::now();
    let set = PolicySet::load(&paths::root().join("policies")).map_err(|them| anyhow!("{them}"))?;
    eprintln!("loaded and compiled in {:.1} µs", micros(began));
    let (signal, ctx) = (signal(), context());
    let facts = incident(&signal);
    let cel = Cel::new()?;

    let route = || {
        let verdict = set.route(&AlertView::from(&signal), &ctx);
        verdict.map_err(|report| anyhow!("{report}"))
    };
    let cel_route = || cel.route(&signal);
    ensure!(
        matches!(route()?.value, Route::Incident(target) if target == cel_route()?.0),
        "the two routing rules differ"
    );
    let grade = || {
        let incident = IncidentView::new(facts.clone());
        let verdict = set.grade(&incident, &AlertView::from(&signal), &ctx);
        verdict.map_err(|report| anyhow!("{report}"))
    };
    let cel_grade = || cel.grade(&facts, &signal);
    ensure!(
        grade()?.value == cel_grade()?.0,
        "the two grading rules differ"
    );
    let escalate = || {
        let incident = IncidentView::new(facts.clone());
        let verdict = set.escalate(&incident, &ctx);
        verdict.map_err(|report| anyhow!("{report}"))
    };
    let anew = |call: &dyn Fn() -> Result<()>| {
        set.forget_verdicts();
        call()
    };
    let route_anew = || anew(&|| route().map(drop));
    let grade_anew = || anew(&|| grade().map(drop));
    let (alert, before, after) = (
        AlertView::from(&signal),
        IncidentView::new(facts.clone()),
        IncidentView::new(facts.clone()),
    );
    let all = || {
        let fails = |report| anyhow!("{report}");
        set.route(&alert, &ctx).map_err(fails)?;
        set.grade(&before, &alert, &ctx).map_err(fails)?;
        set.escalate(&after, &ctx).map_err(fails)
    };
    let cel_both = || cel_route().and_then(|_| cel_grade());
    let figures = vec![
        compare("a policy call, routing.rhai", &route_anew, &cel_route)?,
        compare("a policy call, grading.rhai", &grade_anew, &cel_grade)?,
        compare(
            "route, grade, escalate: known (peer: route, grade)",
            &all,
            &cel_both,
        )?,
        known(&all)?,
    ];
    tell("route", &route)?;
    tell("grade", &grade)?;
    tell("escalate", &escalate)?;
    Ok(figures)
}

fn compare<T, U>(
    what: &str,
    ours: &dyn Fn() -> Result<T>,
    theirs: &dyn Fn() -> Result<U>,
) -> Result<Figure> {
    let (mut our, mut their) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        our.push(block(ours)?);
        their.push(block(theirs)?);
    }
    let (our, their) = (median(our), median(their));
    Ok(Figure::ratio(what, our, their, "µs", Bound::Most(1.0)))
}

/// Three calls whose verdicts are known, against their own bound. A release build that misses it by
/// far is an error, unlike other missed bounds: known verdicts would then cost what scripts do.
fn known<T>(all: &dyn Fn() -> Result<T>) -> Result<Figure> {
    let blocks: Result<Vec<f64>> = (0..BLOCKS).map(|_| block(all)).collect();
    let took = median(blocks?);
    ensure!(
        cfg!(debug_assertions) || took <= KNOWN_MICROS_GUARD,
        "known verdicts of route, grade and escalate take {took:.2} µs; at most \
         {KNOWN_MICROS_GUARD} µs, and {KNOWN_MICROS_MAX} µs on a quiet machine"
    );
    let what = "route, grade, escalate: known";
    Ok(Figure::alone(
        what,
        took,
        "µs",
        Bound::Most(KNOWN_MICROS_MAX),
    ))
}

/// The mean time of one call of a block, in microseconds.
fn block<T>(call: &dyn Fn() -> Result<T>) -> Result<f64> {
    let began = Instant::now();
    for _ in 0..CALLS {
        black_box(call()?);
    }
    Ok(micros(began) / f64::from(CALLS))
}

/// Prints how single calls of ours spread.
fn tell<T>(what: &str, call: &dyn Fn() -> Result<T>) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..10 * CALLS {
        let began = Instant::now();
        black_box(call()?);
        times.push(micros(began));
    }
    times.sort_by(f64::total_cmp);
    let at = |permille: usize| times[times.len() * permille / 1_000];
    let (p50, p99, p999) = (at(500), at(990), at(999));
    eprintln!("{what:<8} p50 {p50:>6.1} µs, p99 {p99:>6.1} µs, p99.9 {p999:>6.1} µs");
    Ok(())
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// The same rules in CEL.
struct Cel {
    env: Arc<Env>,
    route: Program,
    grade: Program,
}

impl Cel {
    fn new() -> Result<Self> {
        let mut env = Env::stdlib();
        cel::extensions::strings(&mut env).map_err(|error| anyhow!("{error:?}"))?;
        let compile = |text: &str| env.compile(text).map_err(|error| anyhow!("{error}"));
        let route = compile(include_str!("policy/routing.cel"))?;
        let grade = compile(include_str!("policy/grading.cel"))?;
        let env = Arc::new(env);
        Ok(Self { env, route, grade })
    }

    fn route(&self, signal: &Signal) -> Result<(Target, String)> {
        let mut context = cel::Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("alert", cel::to_value(signal)?);
        let answer = self
            .route
            .execute(&context)
            .map_err(|error| anyhow!("{error}"))?;
        let key = text(&answer, "key")?.into();
        let target = Target {
            key,
            service: text(&answer, "service")?,
            team: Some(text(&answer, "team")?)
                .filter(|it| !it.is_empty())
                .map(TeamId),
            title: None,
            merges: tocsin_core::Labels::new(),
        };
        Ok((target, text(&answer, "reason")?))
    }

    fn grade(&self, facts: &IncidentFacts, signal: &Signal) -> Result<(Grading, String)> {
        let mut context = cel::Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("alert", cel::to_value(signal)?);
        context.add_variable_from_value("incident", cel::to_value(facts)?);
        let answer = self
            .grade
            .execute(&context)
            .map_err(|error| anyhow!("{error}"))?;
        let grade = text(&answer, "grade")?.parse::<Grade>()?;
        let security = matches!(member(&answer, "security")?, Value::Bool(true));
        let grading = Grading {
            grade,
            security,
            unsure: false,
        };
        Ok((grading, text(&answer, "reason")?))
    }
}

fn member<'a>(answer: &'a Value, name: &str) -> Result<&'a Value> {
    let Value::Map(map) = answer else {
        return Err(anyhow!("CEL returned {answer:?}"));
    };
    let key = Key::String(Arc::new(name.to_owned()));
    map.map
        .get(&key)
        .with_context(|| format!("CEL returned no {name}"))
}

fn text(answer: &Value, name: &str) -> Result<String> {
    match member(answer, name)? {
        Value::String(text) => Ok(text.to_string()),
        other => Err(anyhow!("CEL returned {other:?} as {name}")),
    }
}

fn labels(of: &[(&str, &str)]) -> Labels {
    of.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// An alert as kube-prometheus posts it.
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
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

fn incident(first: &Signal) -> IncidentFacts {
    IncidentFacts {
        id: None,
        number: 17,
        key: "checkout".into(),
        title: first.title.clone(),
        service: "checkout".to_owned(),
        team: Some(TeamId::from("payments")),
        grade: Some(Grade::Critical),
        security: false,
        status: Status::Open,
        alerts_total: 3,
        alerts_firing: 2,
        labels: first.labels.clone(),
        opened_at: Timestamp(1_790_000_000_000),
        active_since: Timestamp(1_790_000_000_000),
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
        on_call: [on_call("default", "bob"), on_call("payments", "ada")].into(),
        ..ContextFacts::default()
    })
}
