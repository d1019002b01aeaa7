//! The common configuration of tests. Each test adds only what it needs.

use toml::{Table, Value};

use tocsin::demo::CONFIG;

use crate::paths;

/// The demo's configuration with the shipped policies, merged with each text of `more`: tables are
/// merged, everything else is replaced.
///
/// # Errors
/// When a text is not valid TOML.
pub fn with(more: &[&str]) -> Result<String, toml::de::Error> {
    let policies = paths::root().join("policies");
    let policies = format!("policy.path = {policies:?}");
    let mut merged = Table::new();
    for text in [CONFIG, &policies].iter().chain(more) {
        merge(&mut merged, text.parse()?);
    }
    Ok(merged.to_string())
}

/// A mail relay on this port, with email as everybody's second contact.
#[must_use]
pub fn mail(port: u16) -> String {
    format!(
        r#"
[mail]
host = "127.0.0.1"
port = {port}
tls = "none"
from = "tocsin <tocsin@x.org>"
[people.ada]
contacts = [{{ kind = "slack", address = "U0ADA" }}, {{ kind = "email", address = "ada@x.org" }}]
[people.bob]
contacts = [{{ kind = "slack", address = "U0BOB" }}, {{ kind = "email", address = "bob@x.org" }}]
"#
    )
}

fn merge(base: &mut Table, more: Table) {
    for (key, value) in more {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(more)) => merge(base, more),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
