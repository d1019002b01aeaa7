//! `tocsin token`: who may call the daemon. A token is shown once and stored as a hash.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, ClientArgs, items, path_part};
use super::failure::Failure;
use super::output::{Format, Out, OutputArg, cell, clean, time};
use crate::auth::Scope;

const PATH: &str = "/api/v1/tokens";

/// `tocsin token …`.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token; it is shown this once
    #[command(after_help = "Examples:\n  \
        tocsin token create --integration prometheus       for a sender of alerts\n  \
        tocsin token create --name ada --scope respond --person ada")]
    Create(CreateArgs),
    /// List tokens; the tokens themselves are nowhere
    #[command(after_help = "Example:\n  tocsin token list")]
    List(ListArgs),
    /// Revoke a token; it opens nothing from then on
    #[command(after_help = "Example:\n  tocsin token revoke 01997a4e-…")]
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// What people call it; left out, the integration's name
    #[arg(long, required_unless_present = "integration", value_name = "NAME")]
    name: Option<String>,
    /// What it may do: ingest, read, respond or admin; ingest when an integration is named
    #[arg(long, required_unless_present = "integration", value_name = "SCOPE")]
    scope: Option<Scope>,
    /// The integration that it sends alerts to, for scope ingest
    #[arg(long, value_name = "ID")]
    integration: Option<String>,
    /// Whom it acts for: what it does counts as theirs
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    /// The token's id, as `tocsin token list` shows it
    id: String,
    #[command(flatten)]
    client: ClientArgs,
}

/// Runs `tocsin token …`.
///
/// # Errors
/// When the daemon cannot be reached or refuses.
pub(super) fn run(command: &TokenCommand, out: &mut Out<'_>) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create(args, out),
        TokenCommand::List(args) => list(args, out),
        TokenCommand::Revoke(args) => {
            let path = format!("{PATH}/{}", path_part(&args.id));
            Client::new(&args.client)?.delete(&path)?;
            out.line(format!("Token {} is revoked.", clean(&args.id)))
        }
    }
}

fn create(args: &CreateArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let name = args.name.as_ref().or(args.integration.as_ref());
    let scope = args.scope.unwrap_or(Scope::Ingest);
    let mut body = json!({"name": name, "scope": scope.as_str()});
    for (name, value) in [("integration", &args.integration), ("person", &args.person)] {
        if let Some(value) = value {
            body[name] = value.as_str().into();
        }
    }
    let answer = Client::new(&args.client)?.post(PATH, &body)?;
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    // The token alone, so that a script can keep it: TOKEN=$(tocsin token create …).
    let token = answer.get("token").and_then(Value::as_str);
    out.line(clean(token.unwrap_or_default()))
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let answer = Client::new(&args.client)?.get(PATH)?;
    if args.output.output == Format::Json {
        return out.json(&answer);
    }
    let rows: Vec<_> = items(&answer, "tokens")
        .iter()
        .map(|token| {
            let member = |name: &str| cell(token.get(name));
            vec![
                member("id"),
                member("name"),
                member("scope"),
                member("integration"),
                member("person"),
                format!("…{}", member("last4")),
                time(token.get("created_at")),
            ]
        })
        .collect();
    let header = [
        "ID",
        "NAME",
        "SCOPE",
        "INTEGRATION",
        "PERSON",
        "TAIL",
        "CREATED",
    ];
    out.table(&header, &rows, "No tokens.")
}
