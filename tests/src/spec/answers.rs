//! Checks our responses against the vendors' API documents.

use serde_json::{Map, Value, json};

use super::Document;

/// Most faults that are listed for one response.
const FAULTS_MAX: usize = 10;

impl Document {
    /// Checks a response: the document must list its status for the request, and its body must
    /// match the schema.
    ///
    /// # Errors
    /// When it does not match; the text says where.
    pub fn check_answer(
        &self,
        verb: &str,
        path: &str,
        status: u16,
        body: &Value,
    ) -> Result<(), String> {
        let operation = self.operation(verb, path)?;
        let responses = &operation["responses"];
        let response = [status.to_string(), "default".to_owned()]
            .iter()
            .find_map(|it| responses.get(it))
            .ok_or_else(|| format!("{} has no response {status} to {verb} {path}", self.name))?;
        let response = self.resolve(response);
        let schema = match self.spec.get("swagger") {
            Some(_) => &response["schema"],
            None => &response["content"]["application/json"]["schema"],
        };
        if schema.is_null() {
            return Ok(());
        }
        self.check_value(schema, body)
            .map_err(|faults| format!("{verb} {path} returned {status}, but {faults}"))
    }

    /// Checks a JSON request body against the operation's schema.
    ///
    /// # Errors
    /// When it does not match; the text says where.
    pub fn check_sent(&self, verb: &str, path: &str, body: &Value) -> Result<(), String> {
        let operation = self.operation(verb, path)?;
        let parameters = operation["parameters"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let in_body = parameters
            .iter()
            .find(|it| it["in"] == "body")
            .map(|it| &it["schema"]);
        let content = &operation["requestBody"]["content"]["application/json"]["schema"];
        self.check_value(in_body.unwrap_or(content), body)
            .map_err(|faults| format!("{verb} {path} was sent, but {faults}"))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
        pointer
            .and_then(|it| self.spec.pointer(it))
            .unwrap_or(value)
    }

    fn check_value(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let mut whole = Map::new();
        whole.insert("allOf".to_owned(), json!([schema]));
        for shared in ["definitions", "components"] {
            if let Some(it) = self.spec.get(shared) {
                whole.insert(shared.to_owned(), it.clone());
            }
        }
        let mut whole = Value::Object(whole);
        allow_null(&mut whole);
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft4);
        let validator = options
            .build(&whole)
            .map_err(|error| format!("{}: {error}", self.name))?;
        let faults: Vec<String> = validator
            .iter_errors(value)
            .take(FAULTS_MAX)
            .map(|error| format!("{error} (at {})", error.instance_path()))
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.join("; "))
        }
    }
}

/// Converts `nullable` of both dialects to JSON Schema.
fn allow_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        Value::Object(members) => {
            let yes = |name: &str| members.get(name) == Some(&Value::Bool(true));
            let may = yes("nullable") || yes("x-nullable");
            if let (true, Some(Value::String(kind))) = (may, members.get("type")) {
                let either = json!([kind, "null"]);
                members.insert("type".to_owned(), either);
            }
            members.values_mut().for_each(allow_null);
        }
        _ => {}
    }
}
