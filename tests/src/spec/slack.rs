//! Checks requests to Slack against Slack's document, which is Swagger 2 with form parameters.

use serde_json::Value;
use tocsin::standin::slack::Request;

use super::{Document, minimum};

/// Parameters that Slack accepts although its document of 2021 does not list them.
const LATER: &[(&str, &str)] = &[
    ("chat.postMessage", "metadata"),
    ("chat.update", "metadata"),
    ("conversations.create", "team_id"),
    ("conversations.history", "include_all_metadata"),
    ("conversations.invite", "force"),
    ("conversations.replies", "include_all_metadata"),
];

impl Document {
    /// Checks a request to Slack: method and verb exist, required parameters are present, each has
    /// the right type, and none is unknown.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check_slack(&self, request: &Request) -> Result<(), String> {
        let method = request.method();
        let operation = self.operation(&request.verb, &format!("/{method}"))?;
        let parameters = operation["parameters"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let own: Vec<&Value> = parameters
            .iter()
            .filter(|it| it["in"] != "header")
            .collect();
        for parameter in &own {
            let name = parameter["name"].as_str().unwrap_or_default();
            match request.field(name) {
                None if parameter["required"] == true => {
                    return Err(format!("{method}: {name} is required"));
                }
                Some(text) if !has_type(parameter["type"].as_str(), text) => {
                    let kind = &parameter["type"];
                    return Err(format!("{method}: {name} should be a {kind}, not {text:?}"));
                }
                _ => {}
            }
        }
        for (name, _) in &request.fields {
            let known = own.iter().any(|it| it["name"] == **name);
            if !known && !LATER.contains(&(method, name)) {
                return Err(format!("{method}: Slack has no parameter {name}"));
            }
        }
        minimum::check_slack(request)
    }
}

fn has_type(kind: Option<&str>, text: &str) -> bool {
    match kind {
        Some("integer") => text.parse::<i64>().is_ok(),
        Some("number") => text.parse::<f64>().is_ok(),
        Some("boolean") => matches!(text, "true" | "false" | "0" | "1"),
        _ => true,
    }
}
