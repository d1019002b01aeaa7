//! Decodes the result of a script into a verdict. A fault reports the field, what was found, what
//! is expected, and an example to copy.

mod communication;

use rhai::{Array, Dynamic, Map};
use tocsin_core::limits::{
    HOLD_MS_MAX, HOLD_MS_MIN, NAME_BYTES_MAX, PLAN_STEPS_MAX, REASON_BYTES_MAX, STEP_TARGETS_MAX,
    STEP_WAIT_MS_MAX, STEP_WAIT_MS_MIN, TITLE_BYTES_MAX,
};
use tocsin_core::{
    Grade, Grading, IncidentKey, Labels, Otherwise, PageTarget, Plan, Route, Step, Target, TeamId,
};

use crate::describe::describe;
use crate::limits::{QUESTION_LABELS_MAX, WAIT_ALERTS_MAX, WAIT_ALERTS_MIN, WAIT_WINDOW_MS_MAX};
use crate::moment::Next;
use crate::span::Span;
use crate::text::cut;
use crate::trace::{Answer, Facts, IncidentField, Read, read};
use crate::{day, quantity};

pub(crate) use communication::{cadence, response};

/// What is wrong with a result, and a correct example.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) example: &'static str,
}

/// Part of the message for a page to a rotation that does not exist.
pub(crate) const NO_ROTATION: &str = "there is no rotation";

impl Fault {
    /// The field that it is about, which the message quotes first: `steps[0].wait`.
    pub(crate) fn field(&self) -> &str {
        let quoted = self.message.split('`').nth(1).unwrap_or_default();
        quoted.split(':').next().unwrap_or_default()
    }

    /// Whether the field's name is at fault, not its value.
    pub(crate) fn is_in_name(&self) -> bool {
        self.message.contains(NO_FIELD)
    }
}

/// A decoded result with its reason.
pub(crate) type Decoded<T> = Result<(T, String), Fault>;

/// What the fault of a misspelt field says.
const NO_FIELD: &str = "is not a valid field";

const ROUTE_EXAMPLE: &str = "return a map like `#{ key: \"checkout\", service: \"checkout\", team: \
     \"payments\", reason: \"why\" }`, with `wait_for: 3, within: minutes(10), otherwise: \
     \"open\"` to wait for more alerts, `merge: #{ cluster: \"eu\" }` to take in the \
     incidents that opened with these labels, or `#{ ignore: true, reason: \"why\" }`";
const GRADE_EXAMPLE: &str = "return a map like `#{ grade: \"major\", security: false, reason: \
     \"why\" }`, with `unsure: true` to have the operator asked; grades are minor, major and \
     critical";
const PLAN_EXAMPLE: &str = "return a map like `#{ steps: [ #{ page: [oncall(\"payments\")], wait: \
     minutes(5) } ], reason: \"why\" }`; page targets are person(…), oncall(…) and team(…); a step \
     without `page` only waits, and one with `at: next(\"weekdays 09:00\")` is not taken earlier";

pub(crate) fn route(answer: Dynamic) -> Decoded<Route> {
    let known = [
        "key",
        "service",
        "team",
        "title",
        "wait_for",
        "within",
        "otherwise",
        "merge",
        "ignore",
        "reason",
    ];
    let mut fields = Fields::of("route", answer, &known, ROUTE_EXAMPLE)?;
    let reason = fields.reason()?;
    if fields.flag("ignore")? {
        if let Some(other) = fields.map.keys().next() {
            return Err(fields.fault(format!("`ignore: true` and `{other}` cannot be combined")));
        }
        return Ok((Route::Ignore, reason));
    }
    let target = Target {
        key: IncidentKey(short_key(fields.required_text("key")?)),
        service: cut(&fields.required_text("service")?, NAME_BYTES_MAX),
        team: fields.name("team")?.map(TeamId),
        title: fields
            .text("title")?
            .map(|title| cut(&title, TITLE_BYTES_MAX)),
        merges: fields.merge()?,
    };
    let (count, within) = (fields.take("wait_for"), fields.take("within"));
    let otherwise = fields.otherwise()?;
    match (count, within) {
        (None, None) if otherwise.is_some() => {
            Err(fields.fault("`otherwise` needs `wait_for`, as `3`".into()))
        }
        (None, None) => Ok((Route::Incident(target), reason)),
        (Some(count), Some(within)) => {
            let count = fields.wait_count(&count)?;
            let window_ms = fields.duration("within", &within, 1, WAIT_WINDOW_MS_MAX)?;
            Ok((
                Route::Wait {
                    target,
                    count,
                    window_ms,
                    otherwise: otherwise.unwrap_or_default(),
                },
                reason,
            ))
        }
        (Some(_), None) => Err(fields.fault("`wait_for` needs `within`, as `minutes(10)`".into())),
        (None, Some(_)) => Err(fields.fault("`within` needs `wait_for`, as `3`".into())),
    }
}

/// Decodes the result of `grade`.
pub(crate) fn grading(answer: Dynamic) -> Decoded<Grading> {
    let known = ["grade", "security", "unsure", "reason"];
    let mut fields = Fields::of("grade", answer, &known, GRADE_EXAMPLE)?;
    let reason = fields.reason()?;
    let grade: Grade =
        fields
            .required_text("grade")?
            .parse()
            .map_err(|unknown: tocsin_core::UnknownGrade| {
                fields.fault(format!("`grade`: {unknown}"))
            })?;
    let grading = Grading {
        grade,
        security: fields.flag("security")?,
        unsure: fields.flag("unsure")?,
    };
    Ok((grading, reason))
}

/// Decodes the result of `escalate`. If there are rotations, a page to any other rotation is a
/// fault: it would page nobody.
pub(crate) fn plan(answer: Dynamic, facts: Facts<'_>) -> Decoded<Plan> {
    let mut fields = Fields::of(
        "escalate",
        answer,
        &["hold", "reason", "steps"],
        PLAN_EXAMPLE,
    )?;
    let reason = fields.reason()?;
    let Some(steps) = fields.take("steps") else {
        return Err(fields.fault("`steps` is missing".into()));
    };
    let steps: Array = steps
        .into_array()
        .map_err(|found| fields.mismatch("steps", found, "a list of steps"))?;
    if PLAN_STEPS_MAX < steps.len() {
        let count = steps.len();
        return Err(fields.fault(format!(
            "`steps` has {count} steps; at most {PLAN_STEPS_MAX}"
        )));
    }
    let grade = || read(Read::Incident(IncidentField::Grade), facts);
    if steps.is_empty() && grade() != Answer::Text(Grade::Minor.as_str().to_owned()) {
        let grade = facts.incident.and_then(|it| it.0.grade);
        let what = grade.map_or("an ungraded", Grade::as_str);
        return Err(fields.fault(format!(
            "`steps` is empty, which pages nobody; only a minor incident may do that, this is \
             {what} incident"
        )));
    }
    let last = steps.len().saturating_sub(1);
    let hold = fields.take("hold");
    let hold = hold.map(|it| fields.duration("hold", &it, HOLD_MS_MIN, HOLD_MS_MAX));
    let mut plan = Plan {
        hold_ms: hold.transpose()?,
        ..Plan::default()
    };
    for (at, answer) in steps.into_iter().enumerate() {
        let place = format!("steps[{at}]");
        let (step, next) = step(answer, &place, at == last, facts)?;
        plan.steps.push(step);
        let repeats = next.filter(|_| at == last);
        plan.repeats_at = repeats.and_then(|it| it.resolve_again(facts));
    }
    Ok((plan, reason))
}

/// A step, and the time of the week that it waits for.
fn step(
    answer: Dynamic,
    place: &str,
    is_last: bool,
    facts: Facts<'_>,
) -> Result<(Step, Option<Next>), Fault> {
    let known = ["at", "page", "wait"];
    let mut fields = Fields::within("escalate", place, answer, &known, PLAN_EXAMPLE)?;
    let page = match fields.take("page") {
        Some(page) => fields.page(page, place, facts)?,
        None if is_last => {
            let what = format!("`{place}.page` is missing; the last step must page somebody");
            return Err(fields.fault(what));
        }
        None => Vec::new(),
    };
    let next = fields.take("at").map(|it| fields.time(it)).transpose()?;
    let at = next.as_ref().and_then(|it| it.resolve(facts));
    let Some(wait) = fields.take("wait") else {
        return Err(fields.fault(format!("`{place}.wait` is missing")));
    };
    let wait_ms = fields.duration("wait", &wait, STEP_WAIT_MS_MIN, STEP_WAIT_MS_MAX)?;
    Ok((Step { page, wait_ms, at }, next))
}

/// The fields of a result that are not decoded yet.
struct Fields {
    function: &'static str,
    place: String,
    map: Map,
    example: &'static str,
}

impl Fields {
    fn of(
        function: &'static str,
        answer: Dynamic,
        known: &[&str],
        example: &'static str,
    ) -> Result<Self, Fault> {
        Self::within(function, "", answer, known, example)
    }

    fn within(
        function: &'static str,
        place: &str,
        answer: Dynamic,
        known: &[&str],
        example: &'static str,
    ) -> Result<Self, Fault> {
        let mut fields = Self {
            function,
            place: place.to_owned(),
            map: Map::new(),
            example,
        };
        if !answer.is_map() {
            let what = match place {
                "" => "the result".to_owned(),
                place => format!("`{place}`"),
            };
            let found = describe(&answer);
            return Err(fields.fault(format!("{what} is {found}; expected a map `#{{ … }}`")));
        }
        fields.map = answer.try_cast::<Map>().unwrap_or_default();
        if let Some(field) = fields
            .map
            .keys()
            .find(|field| !known.contains(&field.as_str()))
        {
            let field = fields.path(field);
            let known = known.join(", ");
            return Err(fields.fault(format!("`{field}` {NO_FIELD}; use {known}")));
        }
        Ok(fields)
    }

    fn path(&self, field: &str) -> String {
        if self.place.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.place)
        }
    }

    fn fault(&self, what: String) -> Fault {
        Fault {
            message: format!("{}: {what}", self.function),
            example: self.example,
        }
    }

    fn mismatch(&self, field: &str, found: &str, expected: &str) -> Fault {
        let path = self.path(field);
        self.fault(format!("`{path}` is of type {found}; expected {expected}"))
    }

    fn take(&mut self, field: &str) -> Option<Dynamic> {
        let value = self.map.remove(field).filter(|value| !value.is_unit());
        value.map(quantity::plain).map(day::plain)
    }

    /// A string; none when absent, `()` or empty.
    fn text(&mut self, field: &str) -> Result<Option<String>, Fault> {
        let Some(value) = self.take(field) else {
            return Ok(None);
        };
        if !value.is_string() {
            let (path, found) = (self.path(field), describe(&value));
            return Err(self.fault(format!("`{path}` is {found}; expected a string")));
        }
        let text = value.into_string().unwrap_or_default();
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    fn required_text(&mut self, field: &str) -> Result<String, Fault> {
        let given = self.map.contains_key(field);
        self.text(field)?.ok_or_else(|| {
            let how = if given { "is empty" } else { "is missing" };
            self.fault(format!("`{}` {how}", self.path(field)))
        })
    }

    fn name(&mut self, field: &str) -> Result<Option<String>, Fault> {
        let name = self.text(field)?;
        match name
            .as_ref()
            .map(String::len)
            .filter(|bytes| NAME_BYTES_MAX < *bytes)
        {
            Some(bytes) => Err(self.fault(format!(
                "`{}` is {bytes} bytes long; at most {NAME_BYTES_MAX}",
                self.path(field)
            ))),
            None => Ok(name),
        }
    }

    fn reason(&mut self) -> Result<String, Fault> {
        let reason = self.required_text("reason")?;
        Ok(cut(reason.trim(), REASON_BYTES_MAX))
    }

    fn flag(&mut self, field: &str) -> Result<bool, Fault> {
        let Some(value) = self.take(field) else {
            return Ok(false);
        };
        value.as_bool().map_err(|_| {
            let (path, found) = (self.path(field), describe(&value));
            self.fault(format!("`{path}` is {found}; expected true or false"))
        })
    }

    /// The labels of the incidents that are part of this one.
    fn merge(&mut self) -> Result<Labels, Fault> {
        let Some(value) = self.take("merge") else {
            return Ok(Labels::new());
        };
        let path = self.path("merge");
        let expected = "expected labels that incidents opened with, as `#{ cluster: \"eu\" }`";
        let found = describe(&value);
        let map = value.try_cast::<Map>();
        let map = map.ok_or_else(|| self.fault(format!("`{path}` is {found}; {expected}")))?;
        if !(1..=QUESTION_LABELS_MAX).contains(&map.len()) {
            let count = map.len();
            let range = format!("expected between 1 and {QUESTION_LABELS_MAX}");
            return Err(self.fault(format!("`{path}` has {count} labels; {range}")));
        }
        let label = |(name, value): (rhai::Identifier, Dynamic)| {
            let text = value.into_string().ok();
            let text = text.filter(|it| !it.is_empty() && it.len() <= NAME_BYTES_MAX);
            let text = text.ok_or_else(|| {
                self.fault(format!(
                    "`{path}.{name}` is empty, too long or not a text; {expected}"
                ))
            })?;
            Ok((name.to_string(), text))
        };
        map.into_iter().map(label).collect()
    }

    /// What becomes of an alert that waits in vain.
    fn otherwise(&mut self) -> Result<Option<Otherwise>, Fault> {
        match self.text("otherwise")?.as_deref() {
            None => Ok(None),
            Some("open") => Ok(Some(Otherwise::Open)),
            Some("ignore") => Ok(Some(Otherwise::Ignore)),
            Some(other) => Err(self.fault(format!(
                "`otherwise` is {:?}; expected \"open\" or \"ignore\"",
                cut(other, 64)
            ))),
        }
    }

    fn wait_count(&self, value: &Dynamic) -> Result<u32, Fault> {
        let count = value
            .as_int()
            .ok()
            .and_then(|count| u32::try_from(count).ok());
        count
            .filter(|count| (WAIT_ALERTS_MIN..=WAIT_ALERTS_MAX).contains(count))
            .ok_or_else(|| {
                self.fault(format!(
                    "`wait_for` is {}; expected a number between {WAIT_ALERTS_MIN} and \
                 {WAIT_ALERTS_MAX}",
                    describe(value)
                ))
            })
    }

    fn duration(&self, field: &str, value: &Dynamic, min: u64, max: u64) -> Result<u64, Fault> {
        let path = self.path(field);
        let span = match value.read_lock::<Span>() {
            Some(span) => Some(*span),
            None => value
                .as_immutable_string_ref()
                .ok()
                .and_then(|text| Span::parse(&text)),
        };
        let Some(Span(ms)) = span else {
            let found = describe(value);
            return Err(self.fault(format!(
                "`{path}` is {found}; expected a duration, as `minutes(5)`"
            )));
        };
        if !(min..=max).contains(&ms) {
            let (ms, min, max) = (Span(ms), Span(min), Span(max));
            return Err(self.fault(format!("`{path}` is {ms}; between {min} and {max}")));
        }
        Ok(ms)
    }

    fn page(&self, page: Dynamic, place: &str, facts: Facts<'_>) -> Result<Vec<PageTarget>, Fault> {
        let targets: Array = if page.is_array() {
            page.into_array().unwrap_or_default()
        } else {
            vec![page]
        };
        if targets.is_empty() || STEP_TARGETS_MAX < targets.len() {
            let count = targets.len();
            return Err(self.fault(format!(
                "`{place}.page` names {count} targets; between 1 and {STEP_TARGETS_MAX}"
            )));
        }
        let mut page = Vec::with_capacity(targets.len());
        for target in targets {
            let target = self.page_target(target, facts)?;
            if !page.contains(&target) {
                page.push(target);
            }
        }
        Ok(page)
    }

    /// A time of the week.
    fn time(&self, value: Dynamic) -> Result<Next, Fault> {
        let found = describe(&value);
        value.try_cast().ok_or_else(|| {
            self.fault(format!(
                "`{}` is {found}; expected a time, as `next(\"weekdays 09:00\")`",
                self.path("at")
            ))
        })
    }

    fn page_target(&self, value: Dynamic, facts: Facts<'_>) -> Result<PageTarget, Fault> {
        let path = self.path("page");
        let found = describe(&value);
        let text = value.into_string().map_err(|_| {
            self.fault(format!(
                "`{path}` has {found}; expected page targets as `oncall(\"…\")`"
            ))
        })?;
        let target: PageTarget =
            text.parse()
                .map_err(|unknown: tocsin_core::UnknownPageTarget| {
                    self.fault(format!("`{path}`: {unknown}"))
                })?;
        if let PageTarget::OnCall(rotation) = &target {
            let is = |asked: Read| read(asked, facts) == Answer::Flag(true);
            if is(Read::HasRotations) && !is(Read::HasRotation(rotation.clone())) {
                let rotations = facts.context.into_iter().flat_map(|it| it.0.on_call.keys());
                let known: Vec<&str> = rotations.map(String::as_str).take(8).collect();
                return Err(self.fault(format!(
                    "`{path}`: {NO_ROTATION} `{rotation}`; known are {}",
                    known.join(", ")
                )));
            }
        }
        Ok(target)
    }
}

/// Shortens a long key and appends a hash of the whole, so that long keys with a common prefix stay
/// different incidents.
fn short_key(key: String) -> String {
    if key.len() <= NAME_BYTES_MAX {
        return key;
    }
    let hash = blake3::hash(key.as_bytes()).to_hex();
    let tail = hash.get(..16).unwrap_or_default();
    format!(
        "{}{tail}",
        cut(&key, NAME_BYTES_MAX.saturating_sub(tail.len()))
    )
}
