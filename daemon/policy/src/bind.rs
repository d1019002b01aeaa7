//! Binds the views to Rhai: a getter per property, and no setters.
//!
//! A missing value is the empty string, never an error, as in Prometheus: an alert without a `team`
//! label must not stop a policy. A property that does not exist is an error, since that is a typo.

//!
//! Every getter goes through [`read`], which records what was looked at.

use rhai::{Array, Dynamic, Engine};

use crate::candidate::Candidates;
use crate::day::Day;
use crate::quantity::{Age, Count};
use crate::span::Span;
use crate::trace::{
    AgeOf, AlertField, Answer, CandidateField, ClockField, Facts, IncidentField, LabelsOf,
    LoadField, Quantity, Read, changes, read,
};
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
        "now; and on_call(…), has_rotation(…), load(…), changes(…), age(…), within(…), \
         firing(…), count(…), count_distinct(…), flaps(…), \
         is_open(…)",
    ),
    ("Now", "utc_ms, zone, hour, minute, weekday, weekend"),
    ("Change", "service, title, at_ms, age, link"),
    (
        "Candidate",
        "id, name, level, teams, on_call, night, operator, load",
    ),
    (
        "Load",
        "incidents, pages, night_pages, operator_minutes, spokesperson_minutes",
    ),
    ("Duration", "seconds, minutes"),
    ("Age", "seconds, minutes"),
];

pub(crate) fn register(engine: &mut Engine) {
    // All names before the first getter: Rhai records a getter's type name at registration.
    engine
        .register_type_with_name::<LabelsView>("Labels")
        .register_type_with_name::<AlertView>("Alert")
        .register_type_with_name::<IncidentView>("Incident")
        .register_type_with_name::<AlertCounts>("AlertCounts")
        .register_type_with_name::<Count>("Count")
        .register_type_with_name::<Age>("Age")
        .register_type_with_name::<Context>("Context")
        .register_type_with_name::<Now>("Now")
        .register_type_with_name::<Change>("Change")
        .register_type_with_name::<CandidateView>("Candidate")
        .register_type_with_name::<LoadView>("Load");
    register_labels(engine);
    register_alert(engine);
    register_incident(engine);
    register_context(engine);
    register_now(engine);
    register_change(engine);
    register_candidate(engine);
}

/// A reference to labels, without copying them.
#[derive(Clone)]
enum LabelsView {
    Alert(AlertView),
    Annotations(AlertView),
    Incident(IncidentView),
}

#[derive(Clone)]
struct AlertCounts(IncidentView);

#[derive(Clone)]
struct Now(Context);

#[derive(Clone)]
struct Change {
    facts: ChangeFacts,
    context: Context,
}

/// One of the candidates, by its place in the list.
#[derive(Clone)]
pub(crate) struct CandidateView {
    all: Candidates,
    at: usize,
}

#[derive(Clone)]
struct LoadView(CandidateView);

impl CandidateView {
    fn read(&self, field: CandidateField) -> Dynamic {
        let facts = Facts {
            candidates: Some(&self.all),
            ..Facts::default()
        };
        dynamic(read(Read::Candidate(self.at, field), facts))
    }
}

/// The candidates as a list of a script. A script can use a list without asking how long it is, so
/// the length counts as read.
pub(crate) fn candidates(all: &Candidates) -> Dynamic {
    let facts = Facts {
        candidates: Some(all),
        ..Facts::default()
    };
    read(Read::Candidates, facts);
    let view = |at| CandidateView {
        all: all.clone(),
        at,
    };
    let list: Array = (0..all.0.len()).map(|at| Dynamic::from(view(at))).collect();
    list.into()
}

fn register_candidate(engine: &mut Engine) {
    for field in CandidateField::OWN {
        engine.register_get(field.name(), move |it: &mut CandidateView| it.read(field));
    }
    engine.register_get("load", |it: &mut CandidateView| LoadView(it.clone()));
    for field in LoadField::ALL {
        engine.register_get(field.name(), move |it: &mut LoadView| {
            it.0.read(CandidateField::Load(field))
        });
    }
}

impl LabelsView {
    fn of(&self) -> LabelsOf {
        match self {
            Self::Alert(_) => LabelsOf::Alert,
            Self::Annotations(_) => LabelsOf::Annotations,
            Self::Incident(_) => LabelsOf::Incident,
        }
    }

    fn facts(&self) -> Facts<'_> {
        match self {
            Self::Alert(alert) | Self::Annotations(alert) => alert.as_facts(),
            Self::Incident(incident) => incident.as_facts(),
        }
    }

    /// The value of a label; the default for an absent or empty one.
    fn value(&self, name: &str, default: &str) -> Dynamic {
        match read(Read::Label(self.of(), name.to_owned()), self.facts()) {
            Answer::Text(value) if !value.is_empty() => value.into(),
            _ => default.to_owned().into(),
        }
    }

    fn first_value(&self, names: &Array, default: &str) -> Dynamic {
        for name in names {
            let Ok(name) = name.as_immutable_string_ref() else {
                continue;
            };
            let value = self.value(name.as_str(), "");
            if value
                .as_immutable_string_ref()
                .is_ok_and(|it| !it.is_empty())
            {
                return value;
            }
        }
        default.to_owned().into()
    }
}

fn register_labels(engine: &mut Engine) {
    engine
        .register_indexer_get(|it: &mut LabelsView, name: &str| it.value(name, ""))
        .register_fn("contains", |it: &mut LabelsView, name: &str| {
            dynamic(read(Read::HasLabel(it.of(), name.to_owned()), it.facts()))
        })
        .register_fn("len", |it: &mut LabelsView| {
            Count::of(Quantity::Labels(it.of()), it.facts())
        })
        .register_fn("keys", |it: &mut LabelsView| {
            dynamic(read(Read::LabelNames(it.of()), it.facts()))
        });
}

fn register_alert(engine: &mut Engine) {
    for field in AlertField::ALL {
        engine.register_get(field.name(), move |it: &mut AlertView| {
            dynamic(read(Read::Alert(field), it.as_facts()))
        });
    }
    engine
        .register_get("labels", |it: &mut AlertView| LabelsView::Alert(it.clone()))
        .register_get("annotations", |it: &mut AlertView| {
            LabelsView::Annotations(it.clone())
        });
    register_label_functions(engine, |it: &AlertView| LabelsView::Alert(it.clone()));
}

fn register_incident(engine: &mut Engine) {
    for field in IncidentField::ALL {
        engine.register_get(field.name(), move |it: &mut IncidentView| {
            dynamic(read(Read::Incident(field), it.as_facts()))
        });
    }
    engine
        .register_get("total", |it: &mut AlertCounts| {
            Count::of(Quantity::AlertsTotal, it.0.as_facts())
        })
        .register_get("firing", |it: &mut AlertCounts| {
            Count::of(Quantity::AlertsFiring, it.0.as_facts())
        })
        .register_get("alerts", |it: &mut IncidentView| AlertCounts(it.clone()))
        .register_get("labels", |it: &mut IncidentView| {
            LabelsView::Incident(it.clone())
        });
    register_label_functions(engine, |it: &IncidentView| LabelsView::Incident(it.clone()));
}

fn register_label_functions<T: rhai::Variant + Clone>(
    engine: &mut Engine,
    labels: impl Fn(&T) -> LabelsView + Copy + Send + Sync + 'static,
) {
    engine
        .register_fn("label", move |it: &mut T, name: &str| {
            labels(it).value(name, "")
        })
        .register_fn("label", move |it: &mut T, name: &str, default: &str| {
            labels(it).value(name, default)
        })
        .register_fn(
            "first_label",
            move |it: &mut T, names: Array, default: &str| labels(it).first_value(&names, default),
        );
}

fn register_context(engine: &mut Engine) {
    engine
        .register_get("now", |ctx: &mut Context| Now(ctx.clone()))
        .register_fn("has_rotation", |ctx: &mut Context, name: &str| {
            dynamic(read(Read::HasRotation(name.to_owned()), ctx.as_facts()))
        })
        .register_fn("on_call", |ctx: &mut Context, rotation: &str| {
            dynamic(read(Read::OnCall(rotation.to_owned()), ctx.as_facts()))
        })
        .register_fn("is_open", |ctx: &mut Context, key: &str| {
            dynamic(read(Read::IsOpen(key.to_owned()), ctx.as_facts()))
        })
        .register_fn("load", |ctx: &mut Context, person: &str| {
            Count::of(Quantity::Load(person.to_owned()), ctx.as_facts())
        })
        .register_fn("changes", |ctx: &mut Context, within: Span| {
            recent_changes(ctx, None, within)
        })
        .register_fn(
            "changes",
            |ctx: &mut Context, service: &str, within: Span| {
                recent_changes(ctx, Some(service), within)
            },
        )
        .register_fn("age", |ctx: &mut Context, alert: AlertView| {
            let facts = Facts {
                alert: Some(&alert),
                ..ctx.as_facts()
            };
            Age::of(AgeOf::Alert, facts)
        })
        .register_fn("age", |ctx: &mut Context, incident: IncidentView| {
            let facts = Facts {
                incident: Some(&incident),
                ..ctx.as_facts()
            };
            Age::of(AgeOf::Incident, facts)
        });
}

fn register_now(engine: &mut Engine) {
    for field in ClockField::ALL {
        engine.register_get(field.name(), move |it: &mut Now| {
            let answer = read(Read::Now(field), it.0.as_facts());
            match field {
                ClockField::Weekday => Dynamic::from(Day(it.0.0.now.weekday)),
                _ => dynamic(answer),
            }
        });
    }
}

/// The fields of a change need no record of their own: [`Read::Changes`] has them all.
fn register_change(engine: &mut Engine) {
    engine
        .register_get("service", |it: &mut Change| it.facts.service.clone())
        .register_get("title", |it: &mut Change| it.facts.title.clone())
        .register_get("at_ms", |it: &mut Change| it.facts.at.0)
        .register_get("age", |it: &mut Change| {
            Age::of(AgeOf::Since(it.facts.at), it.context.as_facts())
        })
        .register_get("link", |it: &mut Change| {
            it.facts.link.clone().unwrap_or_default()
        });
}

fn recent_changes(context: &Context, service: Option<&str>, within: Span) -> Array {
    let asked = Read::Changes(service.map(str::to_owned), within.0);
    read(asked, context.as_facts());
    let change = |facts: &ChangeFacts| Change {
        facts: facts.clone(),
        context: context.clone(),
    };
    let found = changes(context, service, within.0);
    found.map(|facts| Dynamic::from(change(facts))).collect()
}

fn dynamic(answer: Answer) -> Dynamic {
    match answer {
        Answer::Flag(flag) => flag.into(),
        Answer::Whole(number) => number.into(),
        Answer::Text(text) => text.into(),
        Answer::Texts(texts) => {
            let texts: Array = texts.into_iter().map(Dynamic::from).collect();
            texts.into()
        }
    }
}
