//! Parses test files into test cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tocsin_core::{
    Grade, IncidentId, Labels, PersonId, Signal, SignalStatus, Status, Target, TeamId, Timestamp,
};
use toml::Spanned;

use super::TESTED;
use crate::kind::Kind;
use crate::load::Found;
use crate::report::Report;
use crate::view::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, Weekday,
};

const EXAMPLE: &str = "write `[[test]]`, then `name = \"…\"`, `alert = { labels = { severity = \
     \"critical\" } }` and `expect = { grade = \"critical\" }`";

/// A test, ready to run.
pub(super) struct Case {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) question: Question,
    pub(super) context: Context,
    pub(super) expect: Value,
}

/// The input of the policy.
pub(super) enum Question {
    Route(AlertView),
    Grade(IncidentView, AlertView),
    Escalate(IncidentView),
}

/// The tests of one file.
pub(super) fn parse(shown: &str, text: &str, found: &Found) -> Result<Vec<Case>, Report> {
    let kind = kind(shown, found)?;
    let file: TestFile = toml::from_str(text).map_err(|error| {
        let report = Report::new(shown, error.message(), EXAMPLE);
        match error.span() {
            Some(span) => {
                let (line, column) = place(text, span.start);
                report.at(text, line, column)
            }
            None => report,
        }
    })?;
    let team = found.team.as_deref();
    let case = |test: TestCase| case(shown, text, kind, team, file.context.as_ref(), test);
    file.test.into_iter().map(case).collect()
}

fn kind(shown: &str, found: &Found) -> Result<Kind, Report> {
    let name = found.file.rsplit('/').next().unwrap_or(&found.file);
    let policy = name.replace(".test.toml", ".rhai");
    let fits = |kind: &Kind| kind.file() == policy && (found.team.is_none() || kind.per_team());
    TESTED.into_iter().find(fits).ok_or_else(|| {
        Report::new(
            shown,
            format!("there are no tests for a policy `{policy}`"),
            "name it routing.test.toml, grading.test.toml or escalation.test.toml; a team has \
             only the last two",
        )
    })
}

fn case(
    shown: &str,
    text: &str,
    kind: Kind,
    team: Option<&str>,
    context: Option<&ContextCase>,
    test: TestCase,
) -> Result<Case, Report> {
    let (line, column) = place(text, test.name.span().start);
    let name = test.name.into_inner();
    let unseen = match kind {
        Kind::Routing if test.incident.is_some() => Some("incident"),
        Kind::Escalation if test.alert.is_some() => Some("alert"),
        _ => None,
    };
    if let Some(unseen) = unseen {
        let message = format!(
            "`{name}` has an {unseen}, which {} does not take",
            kind.file()
        );
        let remedy = format!("remove `{unseen}`");
        return Err(Report::new(shown, message, remedy).at(text, line, column));
    }
    let alert = test.alert.unwrap_or_default().signal();
    let incident = test.incident.unwrap_or_default().facts(&alert, team);
    let (alert, incident) = (AlertView::new(alert), IncidentView::new(incident));
    let question = match kind {
        Kind::Grading => Question::Grade(incident, alert),
        Kind::Escalation => Question::Escalate(incident),
        _ => Question::Route(alert),
    };
    let context = test
        .context
        .as_ref()
        .or(context)
        .cloned()
        .unwrap_or_default();
    let expect = serde_json::to_value(test.expect).unwrap_or(Value::Null);
    let (file, context) = (shown.to_owned(), Context::new(context.facts()));
    Ok(Case {
        file,
        line,
        name,
        question,
        context,
        expect,
    })
}

/// Line and column, from 1, of a byte in `text`.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or("")
        .chars()
        .count()
        .saturating_add(1);
    (line, column)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    /// For each test without its own context.
    context: Option<ContextCase>,
    #[serde(default)]
    test: Vec<TestCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestCase {
    name: Spanned<String>,
    alert: Option<AlertCase>,
    incident: Option<IncidentCase>,
    context: Option<ContextCase>,
    expect: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AlertCase {
    integration: Option<String>,
    fingerprint: Option<String>,
    status: Option<SignalStatus>,
    title: Option<String>,
    summary: String,
    labels: Labels,
    annotations: Labels,
    starts_at_ms: i64,
    link: Option<String>,
}

impl AlertCase {
    fn signal(self) -> Signal {
        Signal {
            integration: self.integration.unwrap_or_else(|| "test".to_owned()).into(),
            fingerprint: self.fingerprint.unwrap_or_else(|| "test".to_owned()).into(),
            status: self.status.unwrap_or(SignalStatus::Firing),
            title: self.title.unwrap_or_else(|| "An alert".to_owned()),
            summary: self.summary,
            labels: self.labels,
            annotations: self.annotations,
            starts_at: Timestamp(self.starts_at_ms),
            ends_at: None,
            link: self.link,
            sender: tocsin_core::Sender::default(),
            fires_at: None,
        }
    }
}

/// An incident; omitted fields are as in one that opens for the test's alert.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct IncidentCase {
    id: Option<IncidentId>,
    number: Option<u64>,
    key: Option<String>,
    title: Option<String>,
    service: Option<String>,
    team: Option<TeamId>,
    grade: Option<Grade>,
    security: bool,
    status: Option<Status>,
    alerts: CountsCase,
    labels: Option<Labels>,
    opened_at_ms: i64,
    acknowledged: bool,
    drill: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CountsCase {
    total: Option<u64>,
    firing: Option<u64>,
}

impl IncidentCase {
    /// The facts; in a team's own tests the incident belongs to that team unless specified.
    fn facts(self, alert: &Signal, team: Option<&str>) -> IncidentFacts {
        let target = Target {
            key: self.key.unwrap_or_else(|| "test".to_owned()).into(),
            service: self.service.unwrap_or_else(|| "test".to_owned()),
            team: self.team.or_else(|| team.map(TeamId::from)),
            title: self.title,
        };
        let opening = IncidentFacts::opening(&target, alert, Timestamp(self.opened_at_ms));
        let firing = self.alerts.firing.unwrap_or(opening.alerts_firing);
        IncidentFacts {
            id: self.id,
            number: self.number.unwrap_or(opening.number),
            grade: self.grade,
            security: self.security,
            status: self.status.unwrap_or(opening.status),
            alerts_total: self.alerts.total.unwrap_or(firing),
            alerts_firing: firing,
            labels: self.labels.unwrap_or(opening.labels),
            acknowledged: self.acknowledged,
            drill: self.drill,
            ..opening
        }
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ContextCase {
    now: NowCase,
    on_call: BTreeMap<String, Vec<PersonId>>,
    load: BTreeMap<PersonId, u32>,
    changes: Vec<ChangeFacts>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NowCase {
    utc_ms: i64,
    zone: Option<String>,
    hour: u8,
    minute: u8,
    weekday: Weekday,
}

impl ContextCase {
    fn facts(self) -> ContextFacts {
        let now = LocalTime {
            utc: Timestamp(self.now.utc_ms),
            zone: self.now.zone.unwrap_or_else(|| "UTC".to_owned()),
            hour: self.now.hour,
            minute: self.now.minute,
            weekday: self.now.weekday,
            ..LocalTime::default()
        };
        ContextFacts {
            now,
            on_call: self.on_call,
            load: self.load,
            changes: self.changes,
        }
    }
}
