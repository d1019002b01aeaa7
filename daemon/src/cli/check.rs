//! `tocsin check`: checks configuration, policies and plugins without starting the daemon.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use tocsin_core::{Grade, Person, Plan, PluginId, Timestamp};
use tocsin_plugin_host::manifest::Manifest;
use tocsin_plugin_host::{Checked, GlobalPolicy, HostConfig, LoadError, PluginGrant, PluginHost};
use tocsin_policy::{PolicySet, Report, Reports, testing};

use super::ConfigArg;
use super::failure::{Exit, Failure};
use super::output::{Format, Out, OutputArg};
use crate::config::{
    self, AddressForm, Config, ConfigError, Fault, Faults, Loaded, Place, Severity,
};
use crate::health::Heartbeat;
use crate::mail::Mailer;
use crate::people::{
    FORESIGHT_MS, OnCallSoon, OnCallWarning, ResponderLookup, Roster, ServedContacts,
};
use crate::plugins::DaemonServices;
use crate::runtime::{Clock as _, SystemClock, plans_tried};

/// `tocsin check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tocsin check --config oncall/tocsin.toml")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    #[command(flatten)]
    pub(super) output: OutputArg,
}

/// The result as JSON.
#[derive(Serialize)]
struct Found<'a> {
    ok: bool,
    configuration: &'a [Fault],
    policies: &'a [Report],
}

/// Checks configuration, policies and plugins, and prints every fault.
///
/// # Errors
/// Exit code 2 when there is an error; the faults were printed.
pub(super) fn run(args: &CheckArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let loaded = match config::load(&args.config.config) {
        Ok(loaded) => loaded,
        Err(ConfigError::Faults(faults)) => {
            report(args, &faults.0, &[], out)?;
            return Err(wrong());
        }
        Err(error) => return Err(Failure::usage(error.to_string())),
    };
    let mut faults = loaded.warnings.0.clone();
    faults.extend(relays(&loaded));
    if let Some(Err(error)) = loaded.config.heartbeat.as_ref().map(Heartbeat::new) {
        let message = error.to_string();
        faults.push(loaded.fault(&[Place::Key("heartbeat")], message, "correct [heartbeat]"));
    }
    let (of_plugins, served) = plugins(&loaded)?;
    faults.extend(of_plugins);
    faults.extend(on_call(&loaded, &served));
    faults.sort_by_key(|fault| (fault.line, fault.column));
    let reports = policies(&loaded.config);
    let reports = reports.err().map(|reports| reports.0).unwrap_or_default();
    report(args, &faults, &reports, out)?;
    match reports.is_empty() && !Faults(faults).any_error() {
        true => Ok(()),
        false => Err(wrong()),
    }
}

/// Faults of mail relays that only show when their files are read.
fn relays(loaded: &Loaded) -> Vec<Fault> {
    let config = &loaded.config;
    let main = config.mail.iter().map(|it| (vec![Place::Key("mail")], it));
    let named = config.relays.iter();
    let named = named.map(|(name, it)| (vec![Place::Key("relays"), Place::Key(name)], it));
    let mut faults = Vec::new();
    for (place, relay) in main.chain(named) {
        if let Err(error) = Mailer::new(relay) {
            let message = format!("the relay cannot be used: {error}");
            faults.push(loaded.fault(&place, message, "correct the section"));
        }
    }
    faults
}

/// Checks the policies of a configuration as the daemon does at its start, and more.
pub(super) fn policies(config: &Config) -> Result<(), Reports> {
    let folder = &config.policy.path;
    tocsin_policy::check(folder, Some(&config.names()))?;
    match config.policy.require_tests {
        true => testing::require_tests(&PolicySet::load(folder)?, folder),
        false => Ok(()),
    }
}

fn wrong() -> Failure {
    Failure {
        exit: Exit::Usage,
        text: String::new(),
    }
}

fn report(
    args: &CheckArgs,
    faults: &[Fault],
    reports: &[Report],
    out: &mut Out<'_>,
) -> Result<(), Failure> {
    let errors = faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error);
    let errors = errors.count() + reports.len();
    if args.output.output == Format::Json {
        return out.json(&Found {
            ok: errors == 0,
            configuration: faults,
            policies: reports,
        });
    }
    for fault in faults {
        out.line(fault.to_string())?;
    }
    for report in reports {
        out.line(report.to_string())?;
    }
    let file = args.config.config.display();
    match errors {
        0 => out.line(format!(
            "{file}: configuration, policies and plugins are valid"
        )),
        1 => out.line("1 fault"),
        more => out.line(format!("{more} faults")),
    }
}

/// Faults of the plugins, and contacts that no plugin serves. Each plugin is compiled, linked and
/// has its settings checked, as at the start, and is then unloaded.
fn plugins(loaded: &Loaded) -> Result<(Vec<Fault>, BTreeSet<String>), Failure> {
    let grants = match loaded.plugins::<PluginGrant>() {
        Ok(grants) => grants,
        Err(faults) => return Ok((faults.0, BTreeSet::new())),
    };
    let (mut faults, mut forms) = (Vec::new(), Vec::new());
    let mut served = BTreeSet::new();
    if !grants.is_empty() {
        let runtime = super::runtime()?;
        let host = host()?;
        for (id, grant) in &grants {
            match runtime.block_on(host.check(id.as_str(), grant)) {
                Ok(checked) => {
                    faults.extend(of_plugin(loaded, id, &checked));
                    served.extend(checked.entry.contacts);
                    forms.extend(checked.addresses.into_iter().map(|it| AddressForm {
                        kind: it.contact,
                        pattern: it.pattern,
                        help: it.help,
                    }));
                }
                Err(error) => {
                    // Its contacts are not also reported as unserved.
                    served.extend(contacts_asked(&grant.path));
                    let messages = match error {
                        LoadError::Settings(messages) => messages,
                        error => vec![error.to_string()],
                    };
                    let messages = messages.into_iter();
                    faults.extend(messages.map(|message| at_plugin(loaded, id, message)));
                }
            }
        }
    }
    faults.extend(loaded.check_contacts(&served, &forms).0);
    Ok((faults, served))
}

/// What is wrong with a plugin that can be loaded.
fn of_plugin(loaded: &Loaded, id: &PluginId, checked: &Checked) -> Vec<Fault> {
    let unreachable = checked.unreachable.iter().map(ToString::to_string);
    let errors = unreachable.map(|it| at_plugin(loaded, id, it));
    let warned = checked
        .entry
        .warnings
        .iter()
        .map(|it| at_plugin(loaded, id, it.clone()));
    let server = &loaded.config.server;
    let links = checked
        .replaces_links
        .as_ref()
        .filter(|_| server.is_local());
    let links = links.map(|setting| {
        let place = [Place::Key("plugins"), Place::Key(id.as_str())];
        let message = format!(
            "the buttons of `{id}` are links to {}, which no phone reaches",
            server.base_url()
        );
        let remedy = format!("set public-url of [server], or settings.{setting}");
        loaded.fault(&place, message, &remedy)
    });
    let warnings = warned.chain(links).map(|it| Fault {
        severity: Severity::Warning,
        ..it
    });
    errors.chain(warnings).collect()
}

/// What goes wrong with who is on call in the next 14 days, as far as the configuration says: the
/// overrides that people made and their calendars are known to the daemon only.
fn on_call(loaded: &Loaded, served: &BTreeSet<String>) -> Vec<Fault> {
    let config = &loaded.config;
    let roster = Arc::new(config.roster());
    let lookup = ResponderLookup {
        rosters: Arc::new(Arc::clone(&roster)),
        served: Arc::new(Served(served.clone())),
        has_mail: config.mail.is_some(),
    };
    let reach = |person: &Person| lookup.is_reachable(person);
    let now = SystemClock.now();
    let window = (now, now.plus_ms(FORESIGHT_MS));
    let warning = |place: &[Place<'_>], (says, remedy): (String, String)| {
        let mut fault = loaded.fault(place, says, &remedy);
        fault.severity = Severity::Warning;
        fault
    };
    let gaps = roster.warnings(window, &reach);
    let gaps = gaps.iter().map(|it: &OnCallWarning| {
        let place = [Place::Key("rotations"), Place::Key(it.rotation())];
        warning(&place, it.told(&roster))
    });
    let soon = OnCallSoon::of(&roster, window, &reach);
    let plans = plans(config, &roster, now);
    let waking = lookup.waking_warnings(&soon, &plans, None);
    let waking = waking.iter().map(|it| {
        let place = [Place::Key("people"), Place::Key(it.person().as_str())];
        warning(&place, it.told(&roster))
    });
    gaps.chain(waking).collect()
}

/// What the policies say for incidents that page at night; nothing if they have faults.
fn plans(config: &Config, roster: &Roster, now: Timestamp) -> Vec<(Grade, Plan)> {
    let Ok(set) = PolicySet::load(&config.policy.path) else {
        return Vec::new();
    };
    plans_tried(
        config.policy.timezone.0,
        roster,
        now,
        |incident, context| {
            let asked = set.escalate(incident, context);
            asked.ok().map(|verdict| verdict.value)
        },
    )
}

/// The kinds of contacts that the plugins serve which were checked.
struct Served(BTreeSet<String>);

impl ServedContacts for Served {
    fn serves(&self, kind: &str) -> bool {
        self.0.contains(kind)
    }
}

fn at_plugin(loaded: &Loaded, id: &PluginId, message: String) -> Fault {
    let place = [Place::Key("plugins"), Place::Key(id.as_str())];
    loaded.fault(&place, message, "correct it and check again")
}

fn contacts_asked(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("plugin.toml")).unwrap_or_default();
    Manifest::parse(&text).map_or_else(|_| Vec::new(), |manifest| manifest.contacts)
}

/// A plugin host without services, for checking plugins.
pub(super) fn host() -> Result<PluginHost, Failure> {
    let config = HostConfig {
        cache_dir: None,
        cache_key: None,
        policy: GlobalPolicy::default(),
    };
    let services = Arc::new(DaemonServices::offline(Arc::new(SystemClock)));
    PluginHost::new(config, services).map_err(|error| Failure::failed(error.to_string()))
}
