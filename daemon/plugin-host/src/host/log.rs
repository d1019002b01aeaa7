//! `log`: bounded, cleaned, and passed on to `tracing`.

use crate::state::CallState;
use crate::wit::log::{Field, Host, Level};

impl Host for CallState {
    fn write(&mut self, level: Level, message: String, fields: Vec<Field>) -> wasmtime::Result<()> {
        let _pause = self.pause();
        let fields: Vec<_> = fields
            .into_iter()
            .map(|field| (field.key, field.value))
            .collect();
        self.log(level, &message, &fields);
        Ok(())
    }
}
