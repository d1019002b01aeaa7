//! `tocsin plugin`: the plugins of a running daemon, and whether a plugin folder would load.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tocsin_plugin_host::manifest::Manifest;
use tocsin_plugin_host::{CatalogEntry, Checked, Grants, LoadError, PluginGrant, PluginState};

use super::client::{Client, ClientArgs};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell, cell_list, clean};
use crate::api::{PluginFault, PluginList};
use crate::config;

const PATH: &str = "/api/v1/plugins";

/// `tocsin plugin …`.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// List the plugins of the running daemon
    #[command(after_help = "Example:\n  tocsin plugin list")]
    List(ListArgs),
    /// Show one plugin: permissions, denials with their remedy, limits, last fault
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
    /// Take settings, secrets and grant from [plugins.ID] of this configuration; default none
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
    let answer = Client::new(&args.client)?.get(PATH)?;
    answer.show(args.output, out, |list: &PluginList, out| {
        let rows: Vec<_> = list.plugins.iter().map(row).collect();
        let header = ["ID", "VERSION", "STATE", "CONTACTS", "RIGHTS", "NAME"];
        out.table(&header, &rows, "No plugins.")?;
        for PluginFault { plugin, why } in &list.faults {
            out.line(format!("{} is not loaded: {}", cell(plugin), clean(why)))?;
        }
        Ok(())
    })
}

fn row(plugin: &CatalogEntry) -> Vec<String> {
    let rights = &plugin.rights;
    let held = rights.iter().filter(|right| right.denied.is_none());
    vec![
        cell(&plugin.id),
        cell(&plugin.version),
        state(plugin).to_owned(),
        cell_list(&plugin.contacts),
        format!("{} of {}", held.count(), rights.len()),
        cell(&plugin.name),
    ]
}

fn inspect(args: &InspectArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let answer = Client::new(&args.client)?.get(PATH)?;
    let answer = answer.item("plugins", |plugin: &CatalogEntry| plugin.id == args.id)?;
    let answer = answer.ok_or_else(|| {
        Failure::failed(format!(
            "no plugin `{}` is loaded; `tocsin plugin list` shows the loaded ones",
            clean(&args.id)
        ))
    })?;
    answer.show(args.output, out, print)
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
    match args.output.output {
        Format::Json => out.json(&entry),
        Format::Text => print(&entry, out),
    }
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

/// Prints a plugin's fields and rights, with the remedy for each denied right.
fn print(plugin: &CatalogEntry, out: &mut Out<'_>) -> Result<(), Failure> {
    let (id, version, name) = (cell(&plugin.id), cell(&plugin.version), cell(&plugin.name));
    out.line(format!("{id} {version} ({name})"))?;
    for (label, shown) in [
        ("state", state(plugin).to_owned()),
        ("contacts", cell_list(&plugin.contacts)),
        ("webhooks", cell_list(&plugin.webhooks)),
        ("secrets", cell_list(&plugin.secrets)),
        ("clearance", plugin.clearance.to_string()),
        ("digest", cell(&plugin.digest)),
    ] {
        out.line(format!("  {label:<12}{shown}"))?;
    }
    if let PluginState::Misconfigured { reason } = &plugin.state {
        out.line(format!("  misconfigured: {}", clean(reason)))?;
    }
    for warning in &plugin.warnings {
        out.line(format!("  warning: {}", clean(warning)))?;
    }
    for right in &plugin.rights {
        let (kind, name) = (right.kind.key(), cell(&right.name));
        out.line(match &right.denied {
            None => format!("  may   {kind} {name}"),
            Some(denied) => format!("  NOT   {kind} {name}: {}", clean(&denied.remedy)),
        })?;
    }
    match &plugin.last_fault {
        Some(fault) => out.line(format!("  last fault: {}", clean(&fault.to_string()))),
        None => Ok(()),
    }
}

fn state(plugin: &CatalogEntry) -> &'static str {
    match plugin.state {
        PluginState::Active => "active",
        PluginState::Quarantined { .. } => "quarantined",
        PluginState::Misconfigured { .. } => "misconfigured",
    }
}
