//! Binds the views to Rhai: a getter per property, and no setters.
//!
//! A missing value is the empty string, never an error, as in Prometheus: an alert without a `team`
//! label must not stop a policy. A property that does not exist is an error, since that is a typo.

use rhai::{Array, Dynamic, Engine, INT, ImmutableString};
use tocsin_core::{Labels, SignalStatus};

use crate::span::Span;
use crate::view::{AlertView, ChangeFacts, Context, IncidentView};

/// The properties of each type by its name in scripts, for the remedy for an unknown one.
pub(crate) const PROPERTIES: &[(&str, &str)] = &[
    (
        "Alert",
        "integration, fingerprint, status, title, summary, labels, annotations, starts_at_ms, \
         link",
    ),
    (
        "Incident",
        "id, number, key, title, service, team, grade, security, status, alerts, labels, \
         opened_at_ms, acknowledged, drill",
    ),
    ("AlertCounts", "total, firing"),
    (
        "Context",
        "now; and on_call(…), has_rotation(…), load(…), changes(…), age(…)",
    ),
    ("Now", "utc_ms, zone, hour, minute, weekday, weekend"),
    ("Change", "service, title, at_ms, age, link"),
    ("Duration", "seconds, minutes"),
];

pub(crate) fn register(engine: &mut Engine) {
    // All names before the first getter: Rhai records a getter's type name at registration.
    engine
        .register_type_with_name::<LabelsView>("Labels")
        .register_type_with_name::<AlertView>("Alert")
        .register_type_with_name::<IncidentView>("Incident")
        .register_type_with_name::<AlertCounts>("AlertCounts")
        .register_type_with_name::<Context>("Context")
        .register_type_with_name::<Now>("Now")
        .register_type_with_name::<Change>("Change");
    register_labels(engine);
    register_alert(engine);
    register_incident(engine);
    register_context(engine);
    register_now(engine);
    register_change(engine);
}

/// A reference to labels, without copying them.
#[derive(Clone)]
enum LabelsView {
    Alert(AlertView),
    Annotations(AlertView),
    Incident(IncidentView),
}

#[derive(Clone, Copy)]
struct AlertCounts {
    total: u64,
    firing: u64,
}

#[derive(Clone)]
struct Now(Context);

#[derive(Clone)]
struct Change {
    facts: ChangeFacts,
    age: Span,
}

impl LabelsView {
    fn all(&self) -> &Labels {
        match self {
            Self::Alert(alert) => &alert.0.labels,
            Self::Annotations(alert) => &alert.0.annotations,
            Self::Incident(incident) => &incident.0.labels,
        }
    }

    fn value(&self, name: &str) -> &str {
        self.all().get(name).map_or("", String::as_str)
    }
}

fn register_labels(engine: &mut Engine) {
    engine
        .register_indexer_get(|labels: &mut LabelsView, name: &str| text(labels.value(name)))
        .register_fn("contains", |labels: &mut LabelsView, name: &str| {
            labels.all().contains_key(name)
        })
        .register_fn("len", |labels: &mut LabelsView| whole(labels.all().len()))
        .register_fn("keys", |labels: &mut LabelsView| -> Array {
            labels.all().keys().map(|name| text(name).into()).collect()
        });
}

fn register_alert(engine: &mut Engine) {
    engine
        .register_get("integration", |a: &mut AlertView| {
            text(a.0.integration.as_str())
        })
        .register_get("fingerprint", |a: &mut AlertView| {
            text(a.0.fingerprint.as_str())
        })
        .register_get("status", |a: &mut AlertView| text(status(a.0.status)))
        .register_get("title", |a: &mut AlertView| text(&a.0.title))
        .register_get("summary", |a: &mut AlertView| text(&a.0.summary))
        .register_get("link", |a: &mut AlertView| {
            text(a.0.link.as_deref().unwrap_or(""))
        })
        .register_get("starts_at_ms", |a: &mut AlertView| a.0.starts_at.0)
        .register_get("labels", |a: &mut AlertView| LabelsView::Alert(a.clone()))
        .register_get("annotations", |a: &mut AlertView| {
            LabelsView::Annotations(a.clone())
        })
        .register_fn("label", |a: &mut AlertView, name: &str| {
            label(&a.0.labels, name, "")
        })
        .register_fn("label", |a: &mut AlertView, name: &str, default: &str| {
            label(&a.0.labels, name, default)
        })
        .register_fn(
            "first_label",
            |a: &mut AlertView, names: Array, default: &str| {
                first_label(&a.0.labels, &names, default)
            },
        );
}

fn register_incident(engine: &mut Engine) {
    engine
        .register_get("total", |counts: &mut AlertCounts| whole(counts.total))
        .register_get("firing", |counts: &mut AlertCounts| whole(counts.firing))
        .register_get("id", |i: &mut IncidentView| {
            text(i.0.id.as_ref().map_or("", |id| id.as_str()))
        })
        .register_get("number", |i: &mut IncidentView| whole(i.0.number))
        .register_get("key", |i: &mut IncidentView| text(i.0.key.as_str()))
        .register_get("title", |i: &mut IncidentView| text(&i.0.title))
        .register_get("service", |i: &mut IncidentView| text(&i.0.service))
        .register_get("team", |i: &mut IncidentView| {
            text(i.0.team.as_ref().map_or("", |team| team.as_str()))
        })
        .register_get("grade", |i: &mut IncidentView| {
            text(i.0.grade.map_or("", tocsin_core::Grade::as_str))
        })
        .register_get("security", |i: &mut IncidentView| i.0.security)
        .register_get("status", |i: &mut IncidentView| text(i.0.status.as_str()))
        .register_get("alerts", |i: &mut IncidentView| AlertCounts {
            total: i.0.alerts_total,
            firing: i.0.alerts_firing,
        })
        .register_get("labels", |i: &mut IncidentView| {
            LabelsView::Incident(i.clone())
        })
        .register_get("opened_at_ms", |i: &mut IncidentView| i.0.opened_at.0)
        .register_get("acknowledged", |i: &mut IncidentView| i.0.acknowledged)
        .register_get("drill", |i: &mut IncidentView| i.0.drill)
        .register_fn("label", |i: &mut IncidentView, name: &str| {
            label(&i.0.labels, name, "")
        })
        .register_fn(
            "label",
            |i: &mut IncidentView, name: &str, default: &str| label(&i.0.labels, name, default),
        )
        .register_fn(
            "first_label",
            |i: &mut IncidentView, names: Array, default: &str| {
                first_label(&i.0.labels, &names, default)
            },
        );
}

fn register_context(engine: &mut Engine) {
    engine
        .register_get("now", |ctx: &mut Context| Now(ctx.clone()))
        .register_fn("has_rotation", |ctx: &mut Context, name: &str| {
            ctx.0.on_call.contains_key(name)
        })
        .register_fn("on_call", |ctx: &mut Context, rotation: &str| -> Array {
            let people = ctx.0.on_call.get(rotation).map_or(&[][..], Vec::as_slice);
            people
                .iter()
                .map(|person| text(person.as_str()).into())
                .collect()
        })
        .register_fn("load", |ctx: &mut Context, person: &str| {
            ctx.0.load.get(person).map_or(0, |load| INT::from(*load))
        })
        .register_fn("changes", |ctx: &mut Context, within: Span| {
            changes(ctx, None, within)
        })
        .register_fn(
            "changes",
            |ctx: &mut Context, service: &str, within: Span| changes(ctx, Some(service), within),
        )
        .register_fn("age", |ctx: &mut Context, alert: AlertView| {
            Span(ctx.0.now.utc.since(alert.0.starts_at))
        })
        .register_fn("age", |ctx: &mut Context, incident: IncidentView| {
            Span(ctx.0.now.utc.since(incident.0.opened_at))
        });
}

fn register_now(engine: &mut Engine) {
    engine
        .register_get("utc_ms", |now: &mut Now| now.0.0.now.utc.0)
        .register_get("zone", |now: &mut Now| text(&now.0.0.now.zone))
        .register_get("hour", |now: &mut Now| INT::from(now.0.0.now.hour))
        .register_get("minute", |now: &mut Now| INT::from(now.0.0.now.minute))
        .register_get("weekday", |now: &mut Now| {
            text(now.0.0.now.weekday.as_str())
        })
        .register_get("weekend", |now: &mut Now| {
            matches!(now.0.0.now.weekday.as_str(), "saturday" | "sunday")
        });
}

fn register_change(engine: &mut Engine) {
    engine
        .register_get("service", |change: &mut Change| text(&change.facts.service))
        .register_get("title", |change: &mut Change| text(&change.facts.title))
        .register_get("at_ms", |change: &mut Change| change.facts.at.0)
        .register_get("age", |change: &mut Change| change.age)
        .register_get("link", |change: &mut Change| {
            text(change.facts.link.as_deref().unwrap_or(""))
        });
}

fn changes(ctx: &Context, service: Option<&str>, within: Span) -> Array {
    let now = ctx.0.now.utc;
    let age = |change: &ChangeFacts| Span(now.since(change.at));
    let wanted = |change: &&ChangeFacts| {
        service.is_none_or(|service| service == change.service) && age(change) <= within
    };
    let change = |facts: &ChangeFacts| Change {
        age: age(facts),
        facts: facts.clone(),
    };
    ctx.0
        .changes
        .iter()
        .filter(wanted)
        .map(|facts| Dynamic::from(change(facts)))
        .collect()
}

fn label(labels: &Labels, name: &str, default: &str) -> ImmutableString {
    text(
        labels
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
            .unwrap_or(default),
    )
}

fn first_label(labels: &Labels, names: &Array, default: &str) -> ImmutableString {
    let value = |name: &Dynamic| {
        let name = name.as_immutable_string_ref().ok()?;
        labels.get(name.as_str()).filter(|value| !value.is_empty())
    };
    text(names.iter().find_map(value).map_or(default, String::as_str))
}

fn status(status: SignalStatus) -> &'static str {
    match status {
        SignalStatus::Firing => "firing",
        SignalStatus::Acknowledged => "acknowledged",
        SignalStatus::Resolved => "resolved",
    }
}

fn text(text: &str) -> ImmutableString {
    text.into()
}

fn whole(count: impl TryInto<INT>) -> INT {
    count.try_into().unwrap_or(INT::MAX)
}
