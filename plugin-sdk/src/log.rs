//! Log lines, which appear in the daemon's log with the plugin's id and the delivery's.
//!
//! Levels mean what they mean in the daemon: *warn* when nothing is lost, *error* when an operator
//! must act. The host keeps a bounded number of lines a call, each cut to a bounded length.

use crate::host;
use crate::types::{Field, Level};

/// For authors; not kept in production by default.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write(Level::Debug, message, fields);
}

/// What happened.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write(Level::Info, message, fields);
}

/// Something is not as it should be, but nothing is lost.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    write(Level::Warn, message, fields);
}

/// An operator must act.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    write(Level::Error, message, fields);
}

fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<Field> = fields
        .iter()
        .map(|(key, value)| Field {
            key: (*key).into(),
            value: (*value).into(),
        })
        .collect();
    host::log::write(level, message, &fields);
}
