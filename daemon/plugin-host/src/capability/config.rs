//! `config`: the operator's settings, and whether a secret exists.

use super::context::Context;
use crate::rights::to_json;
use crate::wit::config::Host;

impl Host for Context {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        let _pause = self.pause();
        Ok(self.shared.settings.get(&key).map(|value| match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(_) | toml::Value::Table(_) => to_json(value).to_string(),
            other => other.to_string(),
        }))
    }

    fn all(&mut self) -> wasmtime::Result<String> {
        let _pause = self.pause();
        Ok(self.shared.settings_json.clone())
    }

    fn has_secret(&mut self, name: String) -> wasmtime::Result<bool> {
        let _pause = self.pause();
        Ok(self.secrets().get(&name).is_ok())
    }
}
