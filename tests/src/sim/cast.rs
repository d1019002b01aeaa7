//! The senders, plans and verdicts of a simulated run. The simulator runs no policies; a failed
//! policy is simulated as another verdict.

mod people;

use std::collections::BTreeMap;

use tocsin::runtime::{IncidentState, Subscriber, Subscribers};
use tocsin::silence::{Silence, parse_matcher};
use tocsin_core::command::{Opening, Responders};
use tocsin_core::intake::{AlertGrade, Assessment};
use tocsin_core::standing::{AlertGroup, Bounds, Review, Standing, Watch};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{
    Grade, Grading, IncidentKey, Labels, Otherwise, PageTarget, PersonId, Plan, PolicySource,
    Response, Route, Signal, SignalStatus, Step, Target, Timestamp, Verdict,
};
use tocsin_plugin_host::{EventKind, Schedule};

use super::rng::Rng;
pub(super) use people::{
    FALLBACK, FIRST_DAY, NAMES, ROTATIONS, Turns, calendar_of, config, is_reachable, look_up,
    person, roster,
};

/// Distinct alerts of each sender.
pub(super) const FINGERPRINTS: u64 = 7;
/// The integration whose sender triggers once, and again when something happens again.
pub(super) const TRIGGERS_ONCE: &str = "pd";
/// How long one alert is ignored, and then not, in milliseconds.
const MUTED_MS: u64 = 4 * MINUTE_MS;
/// How long alerts wait for others, in milliseconds.
pub(super) const WAIT_WINDOW_MS: u64 = 5 * MINUTE_MS;

/// The state of the simulated policies; a reload changes it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Policies {
    /// The current version.
    pub version: u64,
    /// Whether they fail.
    pub broken: bool,
    /// Whether a silence should match the alerts of one service.
    pub silenced: bool,
    /// A planted bug: the number of firing alerts is read and not recorded.
    pub misses_a_read: bool,
    /// A planted bug: a sender that triggers once is taken for one that repeats.
    pub swallows_triggers: bool,
}

/// The people whom a step pages.
pub(super) type Lookup<'a> = &'a dyn Fn(Option<&Step>) -> Responders;

/// As many firing alerts are worse than each by itself.
const MANY: u64 = 3;

/// The number of an alert, from its fingerprint or its row key.
#[must_use]
pub(super) fn number_of(name: &str) -> u64 {
    name.rsplit('f')
        .next()
        .and_then(|it| it.parse().ok())
        .unwrap_or(0)
}

/// The silence of one service's alerts, as it begins or once it has ended.
///
/// # Errors
/// When its matcher cannot be read.
pub(super) fn silence(holds: bool, now: Timestamp) -> Result<Silence, String> {
    Ok(Silence {
        id: "silence-1".to_owned(),
        matchers: vec![parse_matcher("service=web").map_err(|error| error.to_string())?],
        starts_at: Timestamp(0),
        ends_at: Timestamp(if holds { i64::MAX } else { 1 }),
        updated_at: now,
        created_by: "ada".to_owned(),
        comment: "upgrade".to_owned(),
        annotations: tocsin_core::Labels::new(),
    })
}

/// A signal of one of a few alerts.
pub(super) fn signal(rng: &mut Rng, now: Timestamp) -> Signal {
    let integration = *rng.pick(&["am", "pd"]);
    let number = rng.below(FINGERPRINTS);
    if rng.chance(5) {
        return heard(now);
    }
    let status = match rng.below(10) {
        0..6 => SignalStatus::Firing,
        6..9 => SignalStatus::Resolved,
        _ => SignalStatus::Acknowledged,
    };
    let mut signal = signal_of(integration, number, status, now);
    if rng.chance(25) {
        signal.labels.insert(WORSE.to_owned(), "yes".to_owned());
    }
    signal
}

/// The label of an alert that has got worse.
const WORSE: &str = "worse";

/// What an alert is graded by: its number, from its fingerprint or its row key, and one more if it
/// has got worse.
#[must_use]
pub(super) fn weight_of(name: &str, labels: &Labels) -> u64 {
    number_of(name) + u64::from(labels.contains_key(WORSE))
}

/// The fingerprint of a dead man's switch.
pub(super) const SWITCH: &str = "silent";

/// A dead man's switch is heard of.
fn heard(now: Timestamp) -> Signal {
    Signal {
        fingerprint: SWITCH.into(),
        ends_at: None,
        fires_at: Some(now.plus_ms(2 * MINUTE_MS)),
        ..signal_of("am", 0, SignalStatus::Resolved, now)
    }
}

/// A signal of the alert with this number.
#[must_use]
pub(super) fn signal_of(
    integration: &str,
    number: u64,
    status: SignalStatus,
    now: Timestamp,
) -> Signal {
    let service = ["api", "db", "web"][usize::try_from(number % 3).unwrap_or(0)];
    let leased = integration == "am";
    Signal {
        integration: integration.into(),
        fingerprint: format!("f{number}").into(),
        status,
        title: format!("{service} {number} is slow"),
        summary: String::new(),
        labels: [("service".to_owned(), service.to_owned())].into(),
        annotations: tocsin_core::Labels::new(),
        starts_at: now,
        ends_at: leased.then(|| now.plus_ms(4 * MINUTE_MS)),
        link: None,
        sender: tocsin_core::Sender {
            repeats: leased,
            resolves: true,
        },
        fires_at: None,
    }
}

/// Which plugin gets which events; `pager`: whether the plugin for pagers is loaded.
#[must_use]
pub(super) fn subscribers(pager: bool) -> Subscribers {
    use EventKind::{IncidentChanged, IncidentOpened, LogAdded, Page, Prompt, Settled};
    let subscriber = |plugin: &str, events: &[EventKind], contacts: &[&str]| Subscriber {
        plugin: plugin.into(),
        events: events.iter().copied().collect(),
        contacts: contacts.iter().map(|it| (*it).to_owned()).collect(),
        clearance: true,
    };
    let events = [IncidentOpened, IncidentChanged, LogAdded];
    let mut all = vec![
        subscriber("board", &events, &[]),
        subscriber(
            "chat",
            &[Page, Prompt, Settled, IncidentChanged],
            &["slack"],
        ),
    ];
    if pager {
        all.push(subscriber("pager", &[Page, Settled], &["pager"]));
    }
    Subscribers(all)
}

/// The schedules of plugins, by plugin and name.
///
/// # Errors
/// When one cannot be read.
pub(super) fn schedules() -> Result<BTreeMap<(String, String), Schedule>, String> {
    let schedules = [
        ("board", "tidy", "*/2 * * * *"),
        ("chat", "digest", "*/15 * * * *"),
    ];
    let parsed = schedules.into_iter().map(|(plugin, name, cron)| {
        let schedule = Schedule::parse(cron, "UTC").map_err(|error| error.to_string())?;
        Ok(((plugin.to_owned(), name.to_owned()), schedule))
    });
    parsed.collect()
}

impl Policies {
    /// The assessment of a firing alert that no silence matches. `firing`: how many alerts fire, by
    /// the key of an incident.
    #[must_use]
    pub(super) fn assess(
        &self,
        signal: &Signal,
        firing: impl Fn(&IncidentKey) -> u64,
        (now, pages): (Timestamp, Lookup<'_>),
    ) -> Assessment {
        let number = number_of(signal.fingerprint.as_str());
        let route = self.route(number, &signal.labels["service"], now);
        let weight = weight_of(signal.fingerprint.as_str(), &signal.labels);
        // One that is ignored may have to move, with an incident that was merged.
        let firing = route.target().map_or(1, |it| firing(&it.key));
        let opening = Some(self.opening(weight, firing, pages));
        let grade = opening.as_ref().map(|it| AlertGrade {
            shape: shape_of(number, weight),
            grading: it.grading.value,
        });
        Assessment {
            watch: Watch {
                policies: self.in_force(),
                flips_at: (number == 6).then(|| muting_ends(now)),
                ..Watch::default()
            },
            silenced_by: Vec::new(),
            silences_at: None,
            silences_mark: None,
            silences_until: None,
            grade,
            opening,
            route: self.verdict(route),
        }
    }

    /// The opening of an incident.
    #[must_use]
    pub(super) fn opening(&self, weight: u64, firing: u64, pages: Lookup<'_>) -> Opening {
        let plan = self.plan(weight);
        let responders = pages(plan.steps.first());
        Opening {
            grading: self.verdict(self.grading(weight, firing)),
            plan: self.verdict(plan),
            responders,
            watch: self.watch(firing),
        }
    }

    /// The grade of an alert, which rises when many fire.
    #[must_use]
    pub(super) fn grading(&self, weight: u64, firing: u64) -> Grading {
        let many = u64::from(firing >= MANY);
        let grade = match self.broken {
            true => 1,
            false => ((weight + self.version) % 3 + many).min(2),
        };
        Grading {
            grade: Grade::ALL[usize::try_from(grade).unwrap_or(0)],
            security: weight == 5,
            unsure: weight == 3,
        }
    }

    /// What these verdicts depend on.
    #[must_use]
    pub(super) fn watch(&self, firing: u64) -> Watch {
        let (few, many) = (
            Bounds {
                from: 0,
                below: MANY,
            },
            Bounds {
                from: MANY,
                below: u64::MAX,
            },
        );
        let firing = if firing >= MANY { many } else { few };
        Watch {
            policies: self.in_force(),
            firing: if self.misses_a_read {
                Bounds::default()
            } else {
                firing
            },
            ..Watch::default()
        }
    }

    /// The name of the policies in force.
    #[must_use]
    pub(super) fn in_force(&self) -> String {
        format!("v{} {}", self.version, self.broken)
    }

    /// What the policies say now of an incident in which these alerts fire, each with its weight.
    #[must_use]
    pub(super) fn review(
        &self,
        state: &IncidentState,
        alerts: &[(String, u64)],
        pages: Lookup<'_>,
    ) -> Review {
        let firing = state.tally.counts.firing;
        let mut standing = Standing::default();
        for (alert, weight) in alerts {
            standing.add(AlertGroup {
                shape: shape_of(number_of(alert), *weight),
                alert: alert.clone(),
                grading: self.grading(*weight, firing),
                is_over: false,
            });
        }
        let before = state.tally.standing.clone().unwrap_or_default();
        // The index may be behind another engine.
        let is_whole = alerts.len() as u64 >= firing;
        for mut group in before.groups {
            group.is_over |= is_whole;
            standing.add(group);
        }
        let groups = standing.groups;
        let highest = groups.iter().map(|it| it.grading).reduce(Grading::highest);
        let first = alerts.first().map_or(0, |(_, weight)| *weight);
        let mut opening = self.opening(first, firing, pages);
        opening.grading.value = highest.unwrap_or(opening.grading.value);
        if !is_whole {
            opening.watch = opening.watch.and(before.watch);
        }
        Review {
            version: state.incident.version,
            before: state.tally.standing.clone(),
            changes: state.tally.changes,
            groups,
            opening,
        }
    }

    fn route(&self, number: u64, service: &str, now: Timestamp) -> Route {
        let key = match self.broken {
            true => "catch-all".to_owned(),
            false => format!("{service}/{}", self.version % 2),
        };
        let target = Target {
            key: key.into(),
            service: service.to_owned(),
            team: None,
            title: None,
            merges: match number {
                2 => [("service".to_owned(), "api".to_owned())].into(),
                _ => tocsin_core::Labels::new(),
            },
        };
        match number {
            _ if self.broken => Route::Incident(target),
            6 if is_muted(now) => Route::Ignore,
            1 | 4 => Route::Wait {
                target,
                count: 2,
                window_ms: WAIT_WINDOW_MS,
                otherwise: match number {
                    1 => Otherwise::Open,
                    _ => Otherwise::Ignore,
                },
            },
            _ => Route::Incident(target),
        }
    }

    fn plan(&self, number: u64) -> Plan {
        let step = |names: &[&str], wait_ms: u64| Step {
            at: None,
            page: names.iter().map(|it| target(it)).collect(),
            wait_ms,
        };
        let steps = match (number + self.version) % 4 {
            0 => vec![step(&["ada"], 60_000), step(&["oncall:db", "eve"], 120_000)],
            1 => vec![step(&["oncall:web", "bob"], 90_000)],
            2 => vec![step(&["eve"], 45_000), step(&["oncall:web"], 60_000)],
            _ => vec![step(&["ned"], 60_000), step(&["bob"], 60_000)],
        };
        Plan {
            steps,
            ..Plan::default()
        }
    }

    /// Who responds, whoever has the incident.
    pub(super) fn respond(&self) -> Verdict<Response> {
        self.verdict(Response {
            spokesperson: NAMES.map(PersonId::from).into(),
            shadow: ["bob", "eve"].map(PersonId::from).into(),
            ..Response::default()
        })
    }

    fn verdict<T>(&self, value: T) -> Verdict<T> {
        let source = PolicySource {
            file: "policy.rhai".to_owned(),
            hash: format!("v{}", self.version),
            fallback: self.broken.then(|| "the policy failed".to_owned()),
            ..PolicySource::default()
        };
        Verdict {
            value,
            reason: "simulated".to_owned(),
            source,
        }
    }
}

fn target(name: &str) -> PageTarget {
    match name.strip_prefix("oncall:") {
        Some(rotation) => PageTarget::OnCall(rotation.to_owned()),
        None => PageTarget::Person(name.into()),
    }
}

#[must_use]
pub(super) fn shape_of(number: u64, weight: u64) -> String {
    format!("{number} {weight}")
}

fn is_muted(now: Timestamp) -> bool {
    (now.since(Timestamp(0)) / MUTED_MS).is_multiple_of(2)
}

/// When it begins or ends next.
fn muting_ends(now: Timestamp) -> Timestamp {
    let since = now.since(Timestamp(0)) % MUTED_MS;
    now.plus_ms(MUTED_MS - since)
}
