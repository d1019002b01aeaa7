//! The changes of an incident as text, one line per change.

use crate::text;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Incident, IncidentChange, Person, Status};

/// Most such lines in one message.
const HAPPENED_LINES_MAX: usize = 10;
/// Longest of these lines, in characters.
const HAPPENED_CHARS_MAX: usize = 500;

/// The lines; none if no change is relevant for people in the room.
pub(crate) fn lines(change: &IncidentChange) -> Vec<String> {
    let (before, after) = (&change.before, &change.after);
    let by = text::actor(&change.by);
    let mut lines = Vec::new();
    if before.grade != after.grade {
        let (old, new) = (before.grade.as_str(), after.grade.as_str());
        let why = text::grade_reason(after)
            .map(|it| format!(": {it}"))
            .unwrap_or_default();
        lines.push(format!("Grade: {old} → *{new}* by {by}{why}"));
    }
    if !before.security && after.security {
        lines.push(format!(":lock: Flagged as a *security* incident by {by}"));
    }
    if before.title != after.title {
        lines.push(format!(
            "Title: {}",
            text::escape(&text::cut(&after.title, 200))
        ));
    }
    if before.acknowledged_at.is_none() && after.acknowledged_at.is_some() {
        lines.push(format!(":eyes: Acknowledged by {by}"));
    }
    lines.extend(role("operator", &before.operator, &after.operator));
    lines.extend(role(
        "spokesperson",
        &before.spokesperson,
        &after.spokesperson,
    ));
    lines.extend(status(before, after, &by));
    lines.extend(happened(after));
    lines
}

/// Events that no field of the incident shows, such as an escalation step, in the engine's words.
fn happened(after: &Incident) -> Vec<String> {
    let extra: Value = serde_json::from_str(&after.extra).unwrap_or_default();
    let lines = extra.get("happened").and_then(Value::as_array);
    let lines = lines.into_iter().flatten().filter_map(Value::as_str);
    lines
        .take(HAPPENED_LINES_MAX)
        .map(|line| text::escape(&text::cut(line, HAPPENED_CHARS_MAX)))
        .collect()
}

/// Whether the room's topic must change.
pub(crate) fn changes_topic(change: &IncidentChange) -> bool {
    text::topic(&change.before) != text::topic(&change.after)
}

fn role(role: &str, before: &Option<Person>, after: &Option<Person>) -> Option<String> {
    let id = |it: &Option<Person>| it.as_ref().map(|it| it.id.clone());
    if id(before) == id(after) {
        return None;
    }
    Some(match after {
        Some(person) => format!("{} is now {role}", text::mention(person)),
        None => format!("There is no {role} anymore"),
    })
}

fn status(before: &Incident, after: &Incident, by: &str) -> Option<String> {
    if before.status == after.status {
        return None;
    }
    let since = |at: Option<u64>| match at {
        Some(at) => format!(" after {}", text::span(at.saturating_sub(after.opened_at))),
        None => String::new(),
    };
    Some(match after.status {
        Status::Open => format!(":rotating_light: Reopened by {by}"),
        Status::Mitigated => {
            format!(
                ":adhesive_bandage: Mitigated by {by}{}",
                since(after.mitigated_at)
            )
        }
        Status::Resolved => {
            format!(
                ":white_check_mark: Resolved by {by}{}",
                since(after.resolved_at)
            )
        }
        Status::Closed => format!(":file_folder: Closed by {by}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::testing::{change, incident, person};
    use tocsin_plugin_sdk::types::Grade;

    fn lines_after(edit: impl Fn(&mut Incident)) -> Vec<String> {
        let before = incident();
        let mut after = before.clone();
        edit(&mut after);
        lines(&change(&before, &after, &[]))
    }

    #[test]
    fn events_that_no_field_shows_are_posted_as_the_engine_words_them() {
        let said = lines_after(|it| {
            it.extra = r#"{"happened": ["not acknowledged: escalation step 2 <&>"]}"#.into();
        });
        assert_eq!(said, ["not acknowledged: escalation step 2 &lt;&amp;&gt;"]);
    }

    #[test]
    fn each_change_is_one_line() {
        type Edit = fn(&mut Incident);
        let cases: [(Edit, &str); 5] = [
            (
                |it| {
                    it.grade = Grade::Critical;
                    it.extra = r#"{"grade-reason": "orders fail & get lost"}"#.into();
                },
                "Grade: major → *critical* by policy grading: orders fail &amp; get lost",
            ),
            (
                |it| it.acknowledged_at = Some(it.opened_at),
                ":eyes: Acknowledged by policy grading",
            ),
            (
                |it| it.operator = Some(person("jo", "slack", "U1")),
                "<@U1> is now operator",
            ),
            (
                |it| {
                    it.status = Status::Resolved;
                    it.resolved_at = Some(it.opened_at + 720_000);
                },
                ":white_check_mark: Resolved by policy grading after 12 min",
            ),
            (|it| it.title = "Cart is down".into(), "Title: Cart is down"),
        ];
        for (edit, expected) in cases {
            assert_eq!(lines_after(edit), [expected]);
        }
    }

    #[test]
    fn internal_changes_are_not_posted() {
        assert_eq!(lines_after(|it| it.revision = 9), [] as [String; 0]);
        assert_eq!(
            lines_after(|it| it.summary = "more alerts".into()),
            [] as [String; 0]
        );
    }

    #[test]
    fn a_person_who_changed_contacts_is_still_the_same_operator() {
        let mut before = incident();
        before.operator = Some(person("jo", "slack", "U1"));
        let mut after = before.clone();
        after.operator = Some(person("jo", "slack", "U2"));
        assert_eq!(lines(&change(&before, &after, &[])), [] as [String; 0]);
    }
}
