//! What policies are asked about in property tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use proptest::prelude::*;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Grade, SignalStatus, Status, Timestamp};

use crate::alerts::{AlertList, ListedAlert, Starts};
use crate::calendar::policy_time;
use crate::tests::{facts, labels, signal};
use crate::view::{AlertView, ChangeFacts, Context, ContextFacts, IncidentView};

/// Everything that a policy can read, small enough that two situations often agree.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) title: &'static str,
    pub(super) firing: u64,
    pub(super) more_alerts: u64,
    pub(super) grade: Option<Grade>,
    pub(super) acknowledged: bool,
    pub(super) started_ms_ago: u64,
    pub(super) opened_ms_ago: u64,
    pub(super) load: u32,
    pub(super) rotation: Option<Vec<&'static str>>,
    pub(super) change_ms_ago: Option<u64>,
    pub(super) around: Vec<Around>,
    pub(super) is_open: bool,
    pub(super) said: Said,
    /// What changes while an incident is active, besides its grade and counts.
    pub(super) security: bool,
    pub(super) is_mitigated: bool,
    pub(super) about: About,
    pub(super) zone: Tz,
    pub(super) now: Timestamp,
}

/// What a sender says besides labels, each of two texts or nothing.
#[derive(Clone, Debug)]
pub(super) struct Said {
    annotation: &'static str,
    summary: &'static str,
    link: &'static str,
    is_acknowledged: bool,
}

/// What an incident is about, which stays as it was when it opened.
#[derive(Clone, Debug)]
pub(super) struct About {
    service: &'static str,
    team: &'static str,
    label: &'static str,
    drill: bool,
}

/// An alert in the index.
#[derive(Clone, Debug)]
pub(super) struct Around {
    /// Whether it is the one that is asked about, as it was before.
    own: bool,
    label: &'static str,
    firing: bool,
    began_ms_ago: u64,
}

impl Around {
    fn listed(&self, number: usize, now: Timestamp) -> ListedAlert {
        let key = match self.own {
            true => "prometheus/f1".to_owned(),
            false => format!("prometheus/other{number}"),
        };
        ListedAlert {
            key,
            labels: BTreeMap::from([("a".to_owned(), self.label.to_owned())]),
            starts: Starts {
                firing: self.firing,
                times: vec![now.minus_ms(self.began_ms_ago)],
            },
        }
    }
}

impl Situation {
    pub(super) fn views(&self) -> (AlertView, IncidentView, Context) {
        let ago = |ms: u64| self.now.minus_ms(ms);
        let mut alert = signal(&[]);
        alert.labels = self.labels.clone();
        alert.title = self.title.to_owned();
        alert.starts_at = ago(self.started_ms_ago);
        alert.annotations = labels(&[("a", self.said.annotation)]);
        alert.summary = self.said.summary.to_owned();
        alert.link = Some(self.said.link.to_owned()).filter(|it| !it.is_empty());
        if self.said.is_acknowledged {
            alert.status = SignalStatus::Acknowledged;
        }
        let mut incident = facts();
        incident.alerts_firing = self.firing;
        incident.alerts_total = self.firing + self.more_alerts;
        incident.grade = self.grade;
        incident.acknowledged = self.acknowledged;
        incident.opened_at = ago(self.opened_ms_ago);
        incident.active_since = incident.opened_at;
        incident.security = self.security;
        incident.status = self.status();
        incident.service = self.about.service.to_owned();
        let team = Some(self.about.team).filter(|it| !it.is_empty());
        incident.team = team.map(|it| it.into());
        incident.labels = labels(&[("a", self.about.label)]);
        incident.drill = self.about.drill;
        let people = |names: &Vec<&str>| names.iter().map(|it| (*it).into()).collect();
        let on_call = self
            .rotation
            .iter()
            .map(|it| ("payments".to_owned(), people(it)));
        let change = self.change_ms_ago.map(|ms| ChangeFacts {
            service: "shop".to_owned(),
            title: "deploy".to_owned(),
            at: ago(ms),
            link: None,
        });
        let context = Context::new(ContextFacts {
            now: policy_time(self.zone, self.now),
            on_call: on_call.collect(),
            load: BTreeMap::from([("ada".into(), self.load)]),
            changes: change.into_iter().collect(),
        });
        let around = self.around.iter().enumerate();
        let around = around.map(|(number, it)| it.listed(number, self.now));
        let context = context.with_alerts(Arc::new(AlertList {
            alerts: around.collect(),
            open: self.is_open.then(|| "k".into()).into_iter().collect(),
        }));
        (AlertView::new(alert), IncidentView::new(incident), context)
    }

    pub(super) fn status(&self) -> Status {
        match self.is_mitigated {
            true => Status::Mitigated,
            false => Status::Open,
        }
    }

    /// The same at a later time.
    pub(super) fn at(&self, now: Timestamp) -> Self {
        let later = now.since(self.now);
        Self {
            now,
            started_ms_ago: self.started_ms_ago + later,
            opened_ms_ago: self.opened_ms_ago + later,
            change_ms_ago: self.change_ms_ago.map(|it| it + later),
            around: self
                .around
                .iter()
                .map(|it| Around {
                    began_ms_ago: it.began_ms_ago + later,
                    ..it.clone()
                })
                .collect(),
            ..self.clone()
        }
    }
}

pub(super) fn situations() -> impl Strategy<Value = Situation> {
    let label = (
        prop::sample::select(vec!["a", "b", "c"]),
        prop::sample::select(vec!["", "x", "y"]),
    );
    let labels = prop::collection::btree_map(
        label.0.prop_map(str::to_owned),
        label.1.prop_map(str::to_owned),
        0..3,
    );
    let minutes = || prop::sample::select(vec![0, 1, 59_999, 60_000, 60_001, 119_000, 180_000]);
    let around = (
        prop::bool::weighted(0.2),
        prop::sample::select(vec!["", "x", "y"]),
        any::<bool>(),
        minutes(),
    );
    let around = around.prop_map(|(own, label, firing, began_ms_ago)| Around {
        own,
        label,
        firing,
        began_ms_ago,
    });
    let grades = vec![None, Some(Grade::Minor), Some(Grade::Critical)];
    let rotations = vec![
        None,
        Some(vec![]),
        Some(vec!["ada"]),
        Some(vec!["ada", "bob"]),
    ];
    (
        (
            labels,
            prop::sample::select(vec!["t", "u"]),
            0..5_u64,
            0..3_u64,
        ),
        (
            prop::sample::select(grades),
            any::<bool>(),
            minutes(),
            minutes(),
        ),
        (
            0..4_u32,
            prop::sample::select(rotations),
            prop::option::of(minutes()),
            prop::collection::vec(around, 0..4),
            any::<bool>(),
        ),
        (said(), any::<bool>(), any::<bool>(), about()),
        instants(),
    )
        .prop_map(|(alert, incident, world, more, (zone, now))| Situation {
            labels: alert.0,
            title: alert.1,
            firing: alert.2,
            more_alerts: alert.3,
            grade: incident.0,
            acknowledged: incident.1,
            started_ms_ago: incident.2,
            opened_ms_ago: incident.3,
            load: world.0,
            rotation: world.1,
            change_ms_ago: world.2,
            around: world.3,
            is_open: world.4,
            said: more.0,
            security: more.1,
            is_mitigated: more.2,
            about: more.3,
            zone,
            now,
        })
}

fn said() -> impl Strategy<Value = Said> {
    let text = || prop::sample::select(vec!["", "x", "y"]);
    (text(), text(), text(), any::<bool>()).prop_map(|(annotation, summary, link, is)| Said {
        annotation,
        summary,
        link,
        is_acknowledged: is,
    })
}

fn about() -> impl Strategy<Value = About> {
    let text = || prop::sample::select(vec!["", "x", "y"]);
    (text(), text(), text(), any::<bool>()).prop_map(|(service, team, label, drill)| About {
        service,
        team,
        label,
        drill,
    })
}

/// A time zone and a time in a week: of 1970, or in which Berlin's or New York's clocks change.
fn instants() -> impl Strategy<Value = (Tz, Timestamp)> {
    let zones = vec![Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York];
    // 11 January 1970; 26 March, 22 October and 30 October 2026.
    let weeks = vec![
        864_000_000_i64,
        1_774_483_200_000,
        1_792_627_200_000,
        1_793_318_400_000,
    ];
    let weeks = prop::sample::select(weeks);
    let since = 0..8 * 24 * HOUR_MS as i64;
    (prop::sample::select(zones), weeks, since)
        .prop_map(|(zone, week, since)| (zone, Timestamp(week + since)))
}
