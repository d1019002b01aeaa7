//! The keys of a test file. Each wrong one is reported where it stands, with the nearest that
//! exists.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::hints::nearest;
use crate::kind::Kind;

/// What a value may contain.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// These keys.
    Table(&'static [(&'static str, Shape)]),
    /// A list of such values.
    List(&'static Shape),
    /// Anything that its type allows.
    Any,
}

/// A key that does not exist.
pub(super) struct WrongKey {
    /// Where it is, in bytes.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) remedy: String,
}

use Shape::{Any, List, Table};

const ALERT: Shape = Table(&[
    ("integration", Any),
    ("fingerprint", Any),
    ("status", Any),
    ("title", Any),
    ("summary", Any),
    ("labels", Any),
    ("annotations", Any),
    ("starts_at_ms", Any),
    ("age", Any),
    ("began", Any),
    ("link", Any),
]);

const INCIDENT: Shape = Table(&[
    ("id", Any),
    ("number", Any),
    ("key", Any),
    ("title", Any),
    ("service", Any),
    ("team", Any),
    ("grade", Any),
    ("security", Any),
    ("status", Any),
    ("alerts", Table(&[("total", Any), ("firing", Any)])),
    ("labels", Any),
    ("opened_at_ms", Any),
    ("age", Any),
    ("acknowledged", Any),
    ("drill", Any),
]);

const NOW: Shape = Table(&[
    ("utc_ms", Any),
    ("zone", Any),
    ("hour", Any),
    ("minute", Any),
    ("weekday", Any),
    ("weekend", Any),
]);

const CHANGE: Shape = Table(&[
    ("service", Any),
    ("title", Any),
    ("at_ms", Any),
    ("age", Any),
    ("link", Any),
]);

const LISTED: Shape = Table(&[("labels", Any), ("firing", Any), ("began", Any)]);

const CONTEXT: Shape = Table(&[
    ("now", NOW),
    ("on_call", Any),
    ("load", Any),
    ("changes", List(&CHANGE)),
    ("alerts", List(&LISTED)),
    ("open", Any),
]);

const ROUTE: Shape = Table(&[
    ("key", Any),
    ("service", Any),
    ("team", Any),
    ("title", Any),
    ("wait_for", Any),
    ("within", Any),
    ("otherwise", Any),
    ("merge", Any),
    ("ignore", Any),
    ("reason", Any),
    ("error", Any),
]);

const GRADING: Shape = Table(&[
    ("grade", Any),
    ("security", Any),
    ("unsure", Any),
    ("reason", Any),
    ("error", Any),
]);

const STEP: Shape = Table(&[("page", Any), ("wait", Any), ("at", Any)]);

const PLAN: Shape = Table(&[("steps", List(&STEP)), ("reason", Any), ("error", Any)]);

const CADENCE: Shape = Table(&[
    ("engineering", Any),
    ("company", Any),
    ("public", Any),
    ("reason", Any),
    ("error", Any),
]);

const RESPONSE: Shape = Table(&[
    ("commander", Any),
    ("spokesperson", Any),
    ("shadow", Any),
    ("reason", Any),
    ("error", Any),
]);

const LOAD: Shape = Table(&[
    ("incidents", Any),
    ("pages", Any),
    ("night_pages", Any),
    ("operator_minutes", Any),
    ("spokesperson_minutes", Any),
]);

const CANDIDATE: Shape = Table(&[
    ("id", Any),
    ("name", Any),
    ("level", Any),
    ("teams", Any),
    ("on_call", Any),
    ("night", Any),
    ("operator", Any),
    ("load", LOAD),
]);

const FILE: Shape = Table(&[("context", CONTEXT), ("test", List(&Any))]);

/// The wrong keys at the top of a test file and in its context.
pub(super) fn of_file(file: &DeTable<'_>) -> Vec<WrongKey> {
    let mut found = Vec::new();
    table(FILE, file, &mut found);
    found
}

/// The wrong keys of a test of such a policy.
pub(super) fn of_test(kind: Kind, test: &DeValue<'_>) -> Vec<WrongKey> {
    macro_rules! test {
        ($expect:ident $(, $more:expr)?) => {
            Table(&[
                ("name", Any),
                ("alert", ALERT),
                ("incident", INCIDENT),
                ("context", CONTEXT),
                ("expect", $expect),
                $($more,)?
            ])
        };
    }
    let shape = match kind {
        Kind::Grading => test!(GRADING),
        Kind::Escalation => test!(PLAN),
        Kind::Communication => {
            // With candidates it is a test of `respond`.
            let has = |of: &DeTable<'_>| of.contains_key("candidates");
            match matches!(test, DeValue::Table(of) if has(of)) {
                true => test!(RESPONSE, ("candidates", List(&CANDIDATE))),
                false => test!(CADENCE, ("candidates", List(&CANDIDATE))),
            }
        }
        _ => test!(ROUTE),
    };
    let mut found = Vec::new();
    value(shape, test, &mut found);
    found
}

fn value(shape: Shape, value_of: &DeValue<'_>, found: &mut Vec<WrongKey>) {
    match (shape, value_of) {
        (Table(_), DeValue::Table(of)) => table(shape, of, found),
        (List(shape), DeValue::Array(items)) => {
            items
                .iter()
                .for_each(|item| value(*shape, item.get_ref(), found));
        }
        _ => {}
    }
}

fn table(shape: Shape, of: &DeTable<'_>, found: &mut Vec<WrongKey>) {
    let Table(known) = shape else { return };
    for (key, inner) in of {
        let name: &str = key.get_ref();
        match known.iter().find(|(known, _)| *known == name) {
            Some((_, shape)) => value(*shape, inner.get_ref(), found),
            None => found.push(wrong(key, known)),
        }
    }
}

fn wrong(key: &Spanned<impl AsRef<str>>, known: &[(&str, Shape)]) -> WrongKey {
    let name = key.get_ref().as_ref();
    let names = known.iter().map(|(known, _)| *known);
    let remedy = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", names.collect::<Vec<_>>().join(", ")),
    };
    WrongKey {
        at: key.span().start,
        message: format!("unknown field `{name}`"),
        remedy,
    }
}
