//! Parameters of a request, converted as GitLab's API does: a number may come as text, and a list
//! as text with commas.

use super::{Answered, error};
use crate::Asked;
use serde_json::{Map, Value};

/// The parameters of a body, JSON or form-encoded.
pub(super) struct Params(Map<String, Value>);

impl Params {
    pub(super) fn of(asked: &Asked) -> Result<Self, Answered> {
        let form = asked.form();
        if !form.is_empty() {
            let fields = form.into_iter().map(|(name, value)| (name, value.into()));
            return Ok(Self(fields.collect()));
        }
        match asked.json() {
            Some(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(error(400, "The request body is not JSON")),
        }
    }

    /// # Panics
    /// When there is a parameter that GitLab would ignore, and so nobody would see.
    pub(super) fn only(&self, known: &[&str]) {
        let unknown = self.0.keys().filter(|it| !known.contains(&it.as_str()));
        let unknown: Vec<_> = unknown.collect();
        assert!(unknown.is_empty(), "GitLab ignores {unknown:?}");
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Answered> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(error(400, &format!("{name} is invalid"))),
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<String, Answered> {
        let found = self.text(name)?;
        found.ok_or_else(|| error(400, &format!("{name} is missing")))
    }

    pub(super) fn one_of(&self, name: &str, values: &[&str]) -> Result<Option<String>, Answered> {
        let found = self.text(name)?;
        match found.as_deref().is_none_or(|it| values.contains(&it)) {
            true => Ok(found),
            false => Err(error(400, &format!("{name} does not have a valid value"))),
        }
    }

    pub(super) fn truth(&self, name: &str) -> Result<Option<bool>, Answered> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(*truth)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(error(400, &format!("{name} is invalid"))),
        }
    }

    /// A list of texts, or a text with commas between them.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Answered> {
        let wrong = || error(400, &format!("{name} is invalid"));
        let split = |text: &str| text.split(',').map(|it| it.trim().to_owned()).collect();
        let mut texts: Vec<String> = match self.0.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) => split(text),
            Some(Value::Array(items)) => {
                let items = items.iter().map(|it| it.as_str().map(Into::into));
                items.collect::<Option<_>>().ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        texts.retain(|it| !it.is_empty());
        Ok(Some(texts))
    }

    pub(super) fn numbers(&self, name: &str) -> Result<Option<Vec<u64>>, Answered> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        let items = value.as_array().into_iter().flatten();
        let items = items.map(|it| it.as_u64().or_else(|| it.as_str()?.parse().ok()));
        let numbers: Option<Vec<u64>> = items.collect();
        match numbers.filter(|_| value.is_array()) {
            Some(numbers) => Ok(Some(numbers)),
            None => Err(error(400, &format!("{name} is invalid"))),
        }
    }
}
