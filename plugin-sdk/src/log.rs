//! Log lines, which appear in the daemon's log with the ids of the plugin and the delivery.
//!
//! Levels have the same meaning as in the daemon: *warn* when nothing is lost, *error* when an
//! operator must act. The host limits the number of lines per call and the length of each.

use crate::host;
use crate::types::{Field, Level};

/// For plugin authors; not logged in production by default.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write(Level::Debug, message, fields);
}

/// Normal operation.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write(Level::Info, message, fields);
}

/// Something is wrong, but nothing is lost.
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
