//! The folder of a run: a configuration with short delays, policies that page often, incidents
//! that are packed soon after their end, and a copy of the Slack plugin with a high request limit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tocsin::standin::slack::{Member, Setup, SlackStandIn};

use crate::paths;

/// Number of people who are paged.
pub(super) const PEOPLE: usize = 6;

/// Concurrent workers of the load; each has a rotation.
pub(super) const WORKERS: usize = 5;

/// Short delays, so that something is always due.
const ESCALATION: &str = r#"
fn escalate(incident) {
    let owner = incident.labels.owner;
    let first = person(if owner == "" { "p0" } else { owner });
    let deputy = incident.labels.deputy;
    let second = person(if deputy == "" { "p1" } else { deputy });
    let rotation = incident.labels.rotation;
    let shift = if rotation == "" { [first, second] } else { [oncall(rotation), second] };
    #{
        steps: [
            #{ page: first, wait: seconds(1) },
            #{ page: second, wait: seconds(1) },
            #{ page: shift, wait: seconds(2) },
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

/// Each worker changes who is on call in one of its own.
pub(super) fn rotation(worker: usize) -> String {
    format!("shift-{worker}")
}

/// Starts the Slack workspace with everybody as a member.
pub(super) fn outside() -> io::Result<SlackStandIn> {
    let member = |n: usize, what: &str| Member::new(&format!("U{n}{what}"), &format!("P{n}{what}"));
    let members = (0..PEOPLE).flat_map(|n| [member(n, ""), member(n, "TAB")]);
    SlackStandIn::start(Setup::of(members.collect()))
}

/// Writes all files to `dir`, for a Slack workspace, if any.
pub(super) fn lay_out(dir: &Path, slack: Option<&SlackStandIn>) -> io::Result<Folder> {
    let policies = dir.join("policies");
    fs::create_dir(&policies)?;
    for name in ["routing.rhai", "grading.rhai"] {
        let shipped = paths::root().join("policies").join(name);
        fs::copy(shipped, policies.join(name))?;
    }
    fs::write(policies.join("escalation.rhai"), ESCALATION)?;
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
fn plugin(dir: &Path, slack: &SlackStandIn) -> io::Result<String> {
    let plugin = dir.join("slack");
    fs::create_dir(&plugin)?;
    let built = paths::plugins().join("slack");
    fs::copy(built.join("plugin.wasm"), plugin.join("plugin.wasm"))?;
    let manifest = fs::read_to_string(built.join("plugin.toml"))?;
    let manifest = manifest.replace("http-per-min = 240", "http-per-min = 6000");
    fs::write(plugin.join("plugin.toml"), manifest)?;
    let table = slack.install(dir, &plugin)?;
    Ok(table + "limits = { http-per-min = 6000 }\n")
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
    let shifts = |n: usize| {
        format!(
            r#"
[rotations.{0}]
timezone = "UTC"

[[rotations.{0}.layers]]
people = ["p{1}", "p{2}"]
handover = "09:00"
every = "1 day"
start = "2026-01-01"
"#,
            rotation(n),
            n % PEOPLE,
            (n + 1) % PEOPLE,
        )
    };
    let rotations: String = (0..WORKERS).map(shifts).collect();
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
bundle-window = "1s"
pages-max = 20
notify = {{ minor = [["slack"], "10s", ["slack"]] }}
{people}
{rotations}
[integrations.prometheus]
kind = "alertmanager-api"
"#,
        policies.display(),
    )
}
