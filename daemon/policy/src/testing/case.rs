//! Parses test files into test cases.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::TESTED;
use super::around::{around, before};
use super::inputs::{ContextCase, Contradiction, TestCase};
use super::shape::{self, WrongKey};
use crate::alerts::AlertList;
use crate::candidate::Candidates;
use crate::helpers::glob;
use crate::kind::Kind;
use crate::load::Found;
use crate::report::Report;
use crate::view::{AlertView, Context, IncidentView};

const EXAMPLE: &str = "write `[[test]]`, then `name = \"…\"`, `alert = { labels = { severity = \
     \"critical\" } }` and `expect = { grade = \"critical\" }`";

/// A test, ready to run.
pub(crate) struct Case {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) name: String,
    /// Whether it is a test of the common policy, not of a team's.
    pub(super) is_common: bool,
    pub(super) question: Question,
    pub(super) context: Context,
    pub(super) expect: Value,
}

impl Case {
    pub(super) fn kind(&self) -> Kind {
        match self.question {
            Question::Route(_) => Kind::Routing,
            Question::Grade(..) => Kind::Grading,
            Question::Escalate(_) => Kind::Escalation,
            Question::Cadence(_) | Question::Respond(..) => Kind::Communication,
        }
    }

    /// The team whose policy answers, if it has its own.
    pub(super) fn team(&self) -> Option<&str> {
        let incident = match &self.question {
            Question::Route(_) => return None,
            Question::Grade(incident, _)
            | Question::Escalate(incident)
            | Question::Cadence(incident)
            | Question::Respond(incident, _) => incident,
        };
        incident.facts().team.as_ref().map(|team| team.as_str())
    }

    /// Whether it expects a fault with this message.
    pub(crate) fn expects_error(&self, message: &str) -> bool {
        let error = self.expect.get("error").and_then(Value::as_str);
        error.is_some_and(|pattern| glob(pattern, message))
    }
}

/// The input of the policy.
pub(super) enum Question {
    Route(AlertView),
    Grade(IncidentView, AlertView),
    Escalate(IncidentView),
    Cadence(IncidentView),
    /// If the test has candidates.
    Respond(IncidentView, Candidates),
}

/// The tests of one file, and its faults. A test with a fault does not stop the others.
pub(super) fn parse(shown: &str, text: &str, found: &Found) -> (Vec<Case>, Vec<Report>) {
    let kind = match kind(shown, found) {
        Ok(kind) => kind,
        Err(report) => return (Vec::new(), vec![report]),
    };
    let file = File {
        shown,
        text,
        kind,
        team: found.team.as_deref(),
    };
    file.parse()
}

/// A test file.
struct File<'a> {
    shown: &'a str,
    text: &'a str,
    kind: Kind,
    team: Option<&'a str>,
}

impl File<'_> {
    fn parse(&self) -> (Vec<Case>, Vec<Report>) {
        let (root, broken) = DeTable::parse_recoverable(self.text);
        let broken = broken.iter();
        let mut faults: Vec<Report> = broken.map(|error| self.fault(error, 0)).collect();
        if !faults.is_empty() {
            return (Vec::new(), faults);
        }
        let mut root = root.into_inner();
        let wrong = shape::of_file(&root);
        faults.extend(wrong.into_iter().map(|it| self.wrong_key(it)));
        let context = match root.remove("context") {
            Some(context) if faults.is_empty() => self.read(context, &mut faults),
            _ => None,
        };
        let tests = root.remove("test").map(Spanned::into_inner);
        let tests = match tests {
            Some(DeValue::Array(tests)) => tests,
            _ => DeArray::new(),
        };
        let mut cases = Vec::new();
        for test in tests {
            let wrong = shape::of_test(self.kind, test.get_ref());
            if !wrong.is_empty() {
                faults.extend(wrong.into_iter().map(|it| self.wrong_key(it)));
                continue;
            }
            let Some(test) = self.read(test, &mut faults) else {
                continue;
            };
            match self.case(context.as_ref(), test) {
                Ok(case) => cases.push(case),
                Err(report) => faults.push(report),
            }
        }
        (cases, faults)
    }

    fn read<T: DeserializeOwned>(
        &self,
        value: Spanned<DeValue<'_>>,
        faults: &mut Vec<Report>,
    ) -> Option<T> {
        let start = value.span().start;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(read) => Some(read),
            Err(error) => {
                faults.push(self.fault(&error, start));
                None
            }
        }
    }

    /// `otherwise` is where the fault is when it does not say so, in bytes.
    fn fault(&self, error: &toml::de::Error, otherwise: usize) -> Report {
        let at = error.span().map_or(otherwise, |span| span.start);
        let message = error.message();
        let is_value = ["unknown variant", "invalid"]
            .iter()
            .any(|it| message.starts_with(it));
        self.report(
            at,
            message,
            if is_value {
                "correct the value"
            } else {
                EXAMPLE
            },
        )
    }

    fn wrong_key(&self, wrong: WrongKey) -> Report {
        self.report(wrong.at, &wrong.message, &wrong.remedy)
    }

    fn report(&self, at: usize, message: &str, remedy: &str) -> Report {
        let (line, column) = place(self.text, at);
        Report::new(self.shown, message, remedy).at(self.text, line, column)
    }

    fn case(&self, context: Option<&ContextCase>, test: TestCase) -> Result<Case, Report> {
        let at = test.name.span().start;
        let (line, _) = place(self.text, at);
        let name = test.name.into_inner();
        let unseen = match self.kind {
            Kind::Routing if test.incident.is_some() => Some("incident"),
            Kind::Escalation | Kind::Communication if test.alert.is_some() => Some("alert"),
            _ => None,
        };
        if let Some(unseen) = unseen {
            let file = self.kind.file();
            let message = format!("`{name}` has an {unseen}, which {file} does not take");
            return Err(self.report(at, &message, &format!("remove `{unseen}`")));
        }
        let own = test.context.as_ref().or(context).cloned();
        let contradicts = |it: Contradiction| self.report(it.at, &it.message, it.remedy);
        let mut own = own.unwrap_or_default();
        let others = std::mem::take(&mut own.alerts);
        let open = std::mem::take(&mut own.open);
        let context = own.facts().map_err(contradicts)?;
        let now = context.now.utc;
        let mut alert = test.alert.unwrap_or_default();
        let began = std::mem::take(&mut alert.began);
        let alert = alert.signal(now).map_err(contradicts)?;
        let mut alerts = around(others, now).map_err(contradicts)?;
        alerts.push(before(&alert, began, now).map_err(contradicts)?);
        let around = AlertList { alerts, open };
        let context = Context::new(context).with_alerts(Arc::new(around));
        let incident = test.incident.unwrap_or_default();
        let incident = incident
            .facts(&alert, self.team, now)
            .map_err(contradicts)?;
        let (alert, incident) = (AlertView::new(alert), IncidentView::new(incident));
        let question = match self.kind {
            Kind::Grading => Question::Grade(incident, alert),
            Kind::Escalation => Question::Escalate(incident),
            Kind::Communication => match test.candidates {
                None => Question::Cadence(incident),
                Some(all) => Question::Respond(incident, Candidates::new(all)),
            },
            _ => Question::Route(alert),
        };
        Ok(Case {
            file: self.shown.to_owned(),
            line,
            name,
            is_common: self.team.is_none(),
            question,
            context,
            expect: serde_json::to_value(test.expect).unwrap_or(Value::Null),
        })
    }
}

fn kind(shown: &str, found: &Found) -> Result<Kind, Report> {
    let name = found.file.rsplit('/').next().unwrap_or(&found.file);
    let policy = name.replace(".test.toml", ".rhai");
    let fits = |kind: &Kind| kind.file() == policy && (found.team.is_none() || kind.per_team());
    TESTED.into_iter().find(fits).ok_or_else(|| {
        Report::new(
            shown,
            format!("there are no tests for a policy `{policy}`"),
            "name it routing.test.toml, grading.test.toml, escalation.test.toml or \
             communication.test.toml; routing is not a team's",
        )
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
