//! The configuration that tests begin with, and what they lay over it. Each says only what is its
//! own.

use toml::{Table, Value};

use tocsin::demo::SHOP;

use crate::paths;

/// The demo's shop under the shipped policies, with each text of `more` laid over it: tables are
/// joined, and everything else is replaced.
///
/// # Errors
/// When a text is not TOML.
pub fn shop(more: &[&str]) -> Result<String, toml::de::Error> {
    let policies = paths::root().join("policies");
    let policies = format!("policy.path = {policies:?}");
    let mut shop = Table::new();
    for text in [SHOP, &policies].iter().chain(more) {
        lay(&mut shop, text.parse()?);
    }
    Ok(shop.to_string())
}

/// A mail relay on this port, and a mailbox for everybody whom Slack does not reach.
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

fn lay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}
