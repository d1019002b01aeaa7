//! Names values in reports.

use rhai::Dynamic;

use crate::text::cut;

/// Longest value in a report, in bytes.
const VALUE_BYTES_MAX: usize = 64;

/// A value as it stands after "is" or "with": the string "x", the number 5, a map.
pub(crate) fn describe(value: &Dynamic) -> String {
    match value.type_name() {
        "()" => "nothing `()`".to_owned(),
        "string" => format!("the string {:?}", cut(&value.to_string(), VALUE_BYTES_MAX)),
        "char" => format!(
            "the character {:?}",
            cut(&value.to_string(), VALUE_BYTES_MAX)
        ),
        "i64" | "f64" => format!("the number {value}"),
        "bool" => format!("`{value}`"),
        "map" => "a map".to_owned(),
        "array" => "a list".to_owned(),
        other => match other.rsplit("::").next().unwrap_or(other) {
            "Age" => "an age".to_owned(),
            "Count" => "a number".to_owned(),
            "Day" => "a weekday".to_owned(),
            "Next" => "a time of the week".to_owned(),
            "Span" => "a duration".to_owned(),
            "LabelsView" => "the labels".to_owned(),
            "CandidateView" => "a candidate".to_owned(),
            "LoadView" => "a load".to_owned(),
            "AlertView" => "an alert".to_owned(),
            "IncidentView" => "an incident".to_owned(),
            "FnPtr" => "a function".to_owned(),
            other => format!("of type {other}"),
        },
    }
}
