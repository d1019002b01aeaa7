//! What the property draws: policies, their context, an incident and an alert.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;
use tocsin_core::event::{Event, Opened, Recorded};
use tocsin_core::incident::Counts;
use tocsin_core::{Actor, PolicySource};

use super::super::*;
use super::NOW;

/// Policies that say all that they see, so that a difference shows.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Alerts of this tier are ignored.
    ignores: u8,
    /// Alerts of this tier wait for `count` within `window_m` minutes.
    waits: u8,
    pub(super) count: u32,
    pub(super) window_m: u64,
    /// With more firing alerts it is critical.
    calm: u64,
    /// Alerts of this tier are major.
    major: u8,
    /// Alerts of this tier are about security.
    secure: u8,
    /// Whether a minor incident pages nobody.
    lenient: bool,
    /// Whether whoever is on call is paged first, and not a person.
    by_rotation: bool,
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    // A tier that no alert has: then nothing is ignored, or nothing waits.
    let tiers = (0..8_u8, 0..8_u8, 0..5_u8, 0..5_u8);
    let numbers = (2..5_u32, 1..60_u64, 0..5_u64);
    let flags = any::<(bool, bool)>();
    (tiers, numbers, flags).prop_map(|(tiers, numbers, (lenient, by_rotation))| {
        let (ignores, waits, major, secure) = tiers;
        let (count, window_m, calm) = numbers;
        Policy {
            ignores,
            waits,
            count,
            window_m,
            calm,
            major,
            secure,
            lenient,
            by_rotation,
        }
    })
}

impl Policy {
    /// A folder with them.
    pub(super) fn folder(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let texts = [self.routing(), self.grading(), self.escalation()];
        for (name, text) in ["routing", "grading", "escalation"].into_iter().zip(texts) {
            write(folder.path(), name, &text);
        }
        folder
    }

    fn routing(&self) -> String {
        let text = r#"
fn route(alert) {
    let tier = alert.label("tier");
    let reason = `${alert.integration} ${alert.title} ${alert.starts_at_ms} ${tier}`;
    if tier == "IGNORES" {
        return #{ ignore: true, reason: reason };
    }
    let target = #{
        key: `key-${alert.label("service")}`,
        service: alert.label("service", "none"),
        title: if alert.label("title") == "" { alert.title } else { alert.label("title") },
        reason: reason,
    };
    if tier == "WAITS" {
        target.wait_for = COUNT;
        target.within = minutes(WINDOW);
    }
    target
}
"#;
        let text = text.replace("IGNORES", &self.ignores.to_string());
        let text = text.replace("WAITS", &self.waits.to_string());
        let text = text.replace("COUNT", &self.count.to_string());
        text.replace("WINDOW", &self.window_m.to_string())
    }

    fn grading(&self) -> String {
        let text = r#"
fn grade(incident, alert) {
    let i = incident;
    let tier = alert.label("tier");
    #{
        grade: if i.alerts.firing > CALM { "critical" }
            else if tier == "MAJOR" { "major" } else { "minor" },
        security: tier == "SECURE",
        reason: `${i.id} ${i.number} ${i.key} ${i.title} ${i.service} ${i.team} ${i.grade} ` +
            `${i.security} ${i.status} ${i.alerts.total} ${i.alerts.firing} ${i.label("tier")} ` +
            `${i.opened_at_ms} ${i.acknowledged} ${i.drill} ${alert.title} ${tier}`,
    }
}
"#;
        let text = text.replace("CALM", &self.calm.to_string());
        let text = text.replace("MAJOR", &self.major.to_string());
        text.replace("SECURE", &self.secure.to_string())
    }

    fn escalation(&self) -> String {
        let text = r#"
fn escalate(incident, ctx) {
    let i = incident;
    let changed = ctx.changes(i.service, hours(1));
    let first = if BY_ROTATION { oncall("primary") } else { person(`of-${i.grade}`) };
    let steps = [#{ page: first, wait: minutes(1 + i.alerts.firing + ctx.load("ada")) }];
    if LENIENT && i.grade == "minor" {
        steps = [];
    }
    #{
        steps: steps,
        reason: `${i.id} ${i.number} ${i.key} ${i.title} ${i.service} ${i.team} ${i.grade} ` +
            `${i.security} ${i.status} ${i.alerts.total} ${i.alerts.firing} ${i.label("tier")} ` +
            `${i.opened_at_ms} ${i.acknowledged} ${i.drill} ${ctx.now.hour} ${ctx.load("ada")} ` +
            `${ctx.on_call("primary")} ${changed.len()}`,
    }
}
"#;
        let text = text.replace("BY_ROTATION", &self.by_rotation.to_string());
        text.replace("LENIENT", &self.lenient.to_string())
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let text = format!("// Says all that it sees.\n{text}");
    fs::write(folder.join(format!("{name}.rhai")), text).unwrap();
}

/// What the context contains.
#[derive(Clone, Debug)]
pub(super) struct Around {
    /// How many other open incidents ada operates.
    pub(super) busy: u32,
    /// Which services changed just now.
    pub(super) changed: Vec<String>,
}

pub(super) fn around() -> impl Strategy<Value = Around> {
    let changed = prop::collection::vec("[a-c]", 0..3);
    (0..3_u32, changed).prop_map(|(busy, changed)| Around { busy, changed })
}

/// An open incident with the alert's key.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) grade: Grade,
    pub(super) by_person: bool,
    pub(super) security: bool,
    pub(super) drill: bool,
    pub(super) acknowledged: bool,
    pub(super) mitigated: bool,
    pub(super) tier: u8,
    pub(super) total: u64,
    pub(super) firing: u64,
}

pub(super) fn standing() -> impl Strategy<Value = Standing> {
    let grade = prop::sample::select(Grade::ALL.to_vec());
    let flags = any::<(bool, bool, bool, bool, bool)>();
    (grade, flags, 0..4_u8, 0..5_u64, 0..5_u64).prop_map(|(grade, flags, tier, more, firing)| {
        let (by_person, security, drill, acknowledged, mitigated) = flags;
        Standing {
            grade,
            by_person,
            security,
            drill,
            acknowledged,
            mitigated,
            tier,
            total: firing + more,
            firing,
        }
    })
}

pub(super) fn alert() -> impl Strategy<Value = Signal> {
    let title = "[a-z]{1,8}( [a-z]{1,8}){0,3}";
    (
        title,
        "[a-c]",
        0..4_u8,
        prop::option::of("[a-z]{1,9}"),
        0..9_i64,
    )
        .prop_map(|(title, service, tier, named, since)| {
            let mut labels = labels(&service, tier);
            labels.extend(named.map(|it| ("title".to_owned(), it)));
            Signal {
                integration: "prometheus".into(),
                fingerprint: "f".into(),
                starts_at: Timestamp(NOW.0 - since),
                ..by_hand(&title, "", labels, NOW)
            }
        })
}

pub(super) fn labels(service: &str, tier: u8) -> Labels {
    let pairs = [("service", service.to_owned()), ("tier", tier.to_string())];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

impl Standing {
    /// One that somebody responds to.
    pub(super) fn calm() -> Self {
        Self {
            grade: Grade::Minor,
            by_person: false,
            security: false,
            drill: false,
            acknowledged: true,
            mitigated: false,
            tier: 0,
            total: 1,
            firing: 1,
        }
    }

    /// Its events, and `key-SERVICE` is its key.
    pub(super) fn events(&self, service: &str) -> Vec<Recorded> {
        let opened = Opened {
            merges: tocsin_core::Labels::new(),
            number: 7,
            key: format!("key-{service}").as_str().into(),
            title: "it was slow before".to_owned(),
            summary: String::new(),
            service: service.to_owned(),
            team: Some("payments".into()),
            grade: self.grade,
            security: self.security,
            unsure: false,
            grade_reason: "it is bad".to_owned(),
            grade_source: (!self.by_person).then(PolicySource::default),
            route_reason: String::new(),
            route_source: None,
            plan: Plan::default(),
            plan_reason: String::new(),
            plan_source: None,
            labels: labels(service, self.tier),
            link: None,
            links: Vec::new(),
            counts: Counts::default(),
            drill: self.drill,
        };
        let recorded = |event: Event| Recorded {
            at: NOW.minus_ms(60_000),
            by: Actor::Tocsin,
            event,
        };
        let mut events = vec![recorded(Event::Opened(Box::new(opened)))];
        if self.acknowledged {
            let via = "chat".to_owned();
            events.push(recorded(Event::Acknowledged {
                via,
                hold_until: None,
                approach_at: None,
            }));
        }
        if self.mitigated {
            let reason = "the cache is off".to_owned();
            events.push(recorded(Event::Mitigated { reason }));
        }
        events
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            total: self.total,
            firing: self.firing,
        }
    }
}
