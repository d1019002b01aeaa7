//! The folder of a night: a configuration with short delays, policies that page often, incidents
//! that are packed soon after their end, and a copy of the Slack plugin with a high request limit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tocsin::standin::slack::{Member, Setup, SlackStandIn};

use crate::paths;

/// Number of people who are paged.
pub(super) const PEOPLE: usize = 6;
const BOT_TOKEN: &str = "xoxb-crash";
const SIGNING_SECRET: &str = "signing";

/// Short delays, so that something is always due.
const ESCALATION: &str = r#"
fn escalate(incident) {
    let owner = incident.labels.owner;
    let first = person(if owner == "" { "p0" } else { owner });
    let deputy = incident.labels.deputy;
    let second = person(if deputy == "" { "p1" } else { deputy });
    #{
        steps: [
            #{ page: first, wait: seconds(1) },
            #{ page: second, wait: seconds(1) },
            #{ page: [first, second], wait: seconds(2) },
        ],
        reason: "short delays for the test",
    }
}
"#;

/// Paths of the configuration and the data folder.
pub(super) struct Folder {
    pub(super) config: PathBuf,
    pub(super) data: PathBuf,
}

/// Starts the Slack workspace with everybody as a member.
pub(super) fn outside() -> io::Result<SlackStandIn> {
    let member = |n: usize, what: &str| Member {
        id: format!("U{n}{what}"),
        name: format!("P{n}{what}"),
        email: format!("p{n}{what}@x.org"),
    };
    let members = (0..PEOPLE).flat_map(|n| [member(n, ""), member(n, "TAB")]);
    SlackStandIn::start(Setup {
        token: BOT_TOKEN.into(),
        signing_secret: SIGNING_SECRET.into(),
        members: members.collect(),
        channels: Vec::new(),
    })
}

/// Writes all files to `dir`, for a Slack at `slack`, if any.
pub(super) fn lay_out(dir: &Path, slack: Option<&str>) -> io::Result<Folder> {
    let policies = dir.join("policies");
    fs::create_dir(&policies)?;
    for name in ["routing.rhai", "grading.rhai"] {
        let shipped = paths::root().join("policies").join(name);
        fs::copy(shipped, policies.join(name))?;
    }
    fs::write(policies.join("escalation.rhai"), ESCALATION)?;
    fs::write(dir.join("bot-token"), BOT_TOKEN)?;
    fs::write(dir.join("signing-secret"), SIGNING_SECRET)?;
    let config = dir.join("tocsin.toml");
    let mut text = configuration(&policies);
    if let Some(slack) = slack {
        text += &plugin(dir, slack)?;
    }
    fs::write(&config, text)?;
    let data = dir.join("data");
    Ok(Folder { config, data })
}

/// Copies the Slack plugin with a high request limit, and returns its configuration.
fn plugin(dir: &Path, slack: &str) -> io::Result<String> {
    let plugin = dir.join("slack");
    fs::create_dir(&plugin)?;
    let built = paths::plugins().join("slack");
    fs::copy(built.join("plugin.wasm"), plugin.join("plugin.wasm"))?;
    let manifest = fs::read_to_string(built.join("plugin.toml"))?;
    let manifest = manifest.replace("http-per-min = 240", "http-per-min = 6000");
    fs::write(plugin.join("plugin.toml"), manifest)?;
    Ok(format!(
        r#"
[plugins.slack]
path = "{}"
settings = {{ base-url = "{slack}" }}
secrets = {{ bot-token = {{ file = "bot-token" }}, signing-secret = {{ file = "signing-secret" }} }}
grant = {{ http = ["*"], webhook = ["*"], schedule = ["*"], commands = ["*"], events = ["*"] }}
limits = {{ http-per-min = 6000 }}
allow-networks = ["loopback"]
"#,
        plugin.display(),
    ))
}

fn configuration(policies: &Path) -> String {
    let person = |n: usize| {
        format!(
            r#"
[people.p{n}]
name = "P{n}"
contacts = [{{ kind = "slack", address = "U{n}" }}, {{ kind = "slack", address = "U{n}TAB" }}]
"#
        )
    };
    let people: String = (0..PEOPLE).map(person).collect();
    format!(
        r#"
[server]
public-url = "http://127.0.0.1:9"
[policy]
path = "{}"
[incidents]
resolve-after = "1s"
reopen-within = "2s"
[escalation]
fallback = ["person:p0"]
contact-wait = "3s"
{people}
[integrations.prometheus]
kind = "alertmanager-api"
"#,
        policies.display(),
    )
}
