//! `tocsin plugin`: what is loaded in a running daemon, and whether a folder would load.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;
use tocsin_plugin_host::manifest::Manifest;
use tocsin_plugin_host::{Checked, Grants, LoadError, PluginGrant};

use super::client::{Client, ClientArgs, items};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell, clean};
use crate::config;

/// `tocsin plugin …`.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// List the plugins of the running daemon
    #[command(after_help = "Example:\n  tocsin plugin list")]
    List(ListArgs),
    /// Show one plugin: its rights, denials with their remedy, limits, last fault
    #[command(after_help = "Example:\n  tocsin plugin inspect slack")]
    Inspect(InspectArgs),
    /// Load a plugin's folder as the daemon would, without a daemon
    #[command(after_help = "Examples:\n  tocsin plugin check plugins/hello\n  \
                            tocsin plugin check plugins/slack --config oncall/tocsin.toml")]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The plugin's id
    id: String,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The folder with plugin.toml and plugin.wasm
    path: PathBuf,
    /// Take settings, secrets and grant from [plugins.ID] of this configuration; left out, there
    /// are none
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArg,
}

/// Runs `tocsin plugin …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses, or the folder would not load.
pub(super) fn run(command: &PluginCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        PluginCommand::List(args) => list(args, out),
        PluginCommand::Inspect(args) => inspect(args, out),
        PluginCommand::Check(args) => check(args, out),
    }
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let answer = Client::new(&args.client)?.get("/api/v1/plugins")?;
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    let rows: Vec<_> = items(&answer, "plugins")
        .iter()
        .map(|plugin| {
            let member = |name: &str| cell(plugin.get(name));
            let rights = items(plugin, "rights");
            let denied = rights
                .iter()
                .filter(|right| right.get("denied").is_some_and(|it| !it.is_null()))
                .count();
            vec![
                member("id"),
                member("version"),
                cell(plugin.pointer("/state/state")),
                member("contacts"),
                format!("{} of {}", rights.len() - denied, rights.len()),
                member("name"),
            ]
        })
        .collect();
    let header = ["ID", "VERSION", "STATE", "CONTACTS", "RIGHTS", "NAME"];
    out.table(&header, &rows, "No plugins.")?;
    for fault in items(answer.get("faults").unwrap_or(&Value::Null), "faults") {
        let why = fault.get("why").and_then(Value::as_str).unwrap_or_default();
        let plugin = cell(fault.get("plugin"));
        out.line(format!("{plugin} is not loaded: {}", clean(why)))?;
    }
    Ok(())
}

fn inspect(args: &InspectArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let answer = Client::new(&args.client)?.get("/api/v1/plugins")?;
    let plugin = items(&answer, "plugins")
        .iter()
        .find(|plugin| plugin.get("id").and_then(Value::as_str) == Some(args.id.as_str()));
    let Some(plugin) = plugin else {
        return Err(Failure::failed(format!(
            "no plugin `{}` is loaded; `tocsin plugin list` shows those that are",
            clean(&args.id)
        )));
    };
    match args.output.output {
        Format::Json => out.json(plugin),
        Format::Text => tell(plugin, out),
    }
}

fn check(args: &CheckArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let manifest = args.path.join("plugin.toml");
    let text = std::fs::read_to_string(&manifest).map_err(|error| {
        let path = manifest.display();
        Failure::failed(format!(
            "cannot read {path}: {error}; name the folder of a plugin"
        ))
    })?;
    let id = Manifest::parse(&text)
        .map_err(|faults| Failure::failed(format!("{}:\n{faults}", manifest.display())))?
        .id;
    let grant = grant(args, &id)?;
    let host = super::check::host()?;
    let Checked { entry, .. } = super::runtime()?
        .block_on(host.check(&id, &grant))
        .map_err(|error| match (&error, &args.config) {
            (LoadError::Settings(_), None) => Failure::failed(format!(
                "{error}\nname a configuration that has them with --config FILE"
            )),
            _ => Failure::failed(error.to_string()),
        })?;
    if args.output.output == Format::Json {
        return out.json(&entry);
    }
    let value = serde_json::to_value(&entry)
        .map_err(|error| Failure::failed(format!("the plugin cannot be shown: {error}")))?;
    tell(&value, out)
}

fn grant(args: &CheckArgs, id: &str) -> Result<PluginGrant, Failure> {
    let empty = PluginGrant {
        path: args.path.clone(),
        settings: toml::Table::new(),
        secrets: BTreeMap::new(),
        grant: Grants::default(),
        allow_networks: Default::default(),
        limits: Default::default(),
        clearance: false,
    };
    let Some(file) = &args.config else {
        return Ok(empty);
    };
    let loaded = config::load(file)?;
    let mut grants = loaded
        .plugins::<PluginGrant>()
        .map_err(|faults| Failure::usage(faults.to_string()))?;
    let grant = grants.remove(&tocsin_core::PluginId::from(id));
    let grant = grant.ok_or_else(|| {
        let file = file.display();
        Failure::usage(format!("{file} has no section [plugins.{id}]; add it"))
    })?;
    Ok(PluginGrant {
        path: args.path.clone(),
        ..grant
    })
}

/// A plugin's fields, and its rights with the remedy where one is denied.
fn tell(plugin: &Value, out: &mut Out<'_>) -> Result<(), Failure> {
    let member = |name: &str| cell(plugin.get(name));
    out.line(format!(
        "{} {} ({})",
        member("id"),
        member("version"),
        member("name")
    ))?;
    for (label, name) in [
        ("state", "state"),
        ("contacts", "contacts"),
        ("webhooks", "webhooks"),
        ("secrets", "secrets"),
        ("clearance", "clearance"),
        ("digest", "digest"),
    ] {
        let shown = plugin.get(name);
        // The state is a word with what belongs to it.
        let word = shown.and_then(|it| it.get("state"));
        out.line(format!("  {label:<12}{}", cell(word.or(shown))))?;
    }
    let misconfigured = plugin.pointer("/state/reason").and_then(Value::as_str);
    if let Some(reason) = misconfigured {
        out.line(format!("  misconfigured: {}", clean(reason)))?;
    }
    for warning in items(plugin, "warnings") {
        let warning = warning.as_str().unwrap_or_default();
        out.line(format!("  warning: {}", clean(warning)))?;
    }
    for right in items(plugin, "rights") {
        let (kind, name) = (cell(right.get("kind")), cell(right.get("name")));
        let denied = right.get("denied").filter(|denied| !denied.is_null());
        let remedy = denied
            .and_then(|it| it.get("remedy"))
            .and_then(Value::as_str);
        out.line(match remedy {
            None => format!("  may   {kind} {name}"),
            Some(remedy) => format!("  NOT   {kind} {name}: {}", clean(remedy)),
        })?;
    }
    match plugin.get("last-fault").filter(|fault| !fault.is_null()) {
        Some(fault) => out.line(format!("  last fault: {}", cell(Some(fault)))),
        None => Ok(()),
    }
}
