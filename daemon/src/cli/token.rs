//! `tocsin token`: manages API tokens. A token is shown once and stored as a hash.

use clap::{Args, Subcommand};

use super::client::{Client, ClientArgs, path_part};
use super::failure::Failure;
use super::output::{Out, OutputArg, cell, cell_of, clean};
use crate::api::{MadeToken, TokenLine, TokenList, WantedToken};
use crate::auth::Scope;

const PATH: &str = "/api/v1/tokens";

/// `tocsin token …`.
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Create a token; it is shown only once
    #[command(after_help = "Examples:\n  \
        tocsin token create --integration prometheus       for a sender of alerts\n  \
        tocsin token create --name ada --scope respond --person ada")]
    Create(CreateArgs),
    /// List tokens, without their secret text
    #[command(after_help = "Example:\n  tocsin token list")]
    List(ListArgs),
    /// Revoke a token
    #[command(after_help = "Example:\n  tocsin token revoke 01997a4e-…")]
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// A name for the token; default the integration's ID
    #[arg(long, required_unless_present = "integration", value_name = "NAME")]
    name: Option<String>,
    /// ingest, read, respond or admin; default ingest when --integration is given
    ///
    /// ingest: send alerts to the integration. read: read incidents, alerts and who is on call.
    /// respond: also act on incidents, silences and who is on call. admin: also manage tokens.
    #[arg(long, required_unless_present = "integration", value_name = "SCOPE")]
    scope: Option<Scope>,
    /// The integration that the token sends alerts to, for scope ingest
    #[arg(long, value_name = "ID")]
    integration: Option<String>,
    /// The person in whose name the token acts
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
    // clap requires one of the two.
    let name = args.name.as_ref().or(args.integration.as_ref());
    let wanted = WantedToken {
        name: name.cloned().unwrap_or_default(),
        scope: args.scope.unwrap_or(Scope::Ingest),
        integration: args.integration.clone(),
        person: args.person.clone(),
    };
    let answer = Client::new(&args.client)?.post(PATH, &wanted)?;
    // Only the token, so that a script can store it: TOKEN=$(tocsin token create …).
    answer.show(args.output, out, |made: &MadeToken, out| {
        out.line(clean(&made.token))
    })
}

fn list(args: &ListArgs, out: &mut Out<'_>) -> Result<(), Failure> {
    let answer = Client::new(&args.client)?.get(PATH)?;
    answer.show(args.output, out, |list: &TokenList, out| {
        let rows: Vec<_> = list.tokens.iter().map(row).collect();
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
    })
}

fn row(token: &TokenLine) -> Vec<String> {
    vec![
        cell(&token.id),
        cell(&token.name),
        token.scope.to_string(),
        cell_of(token.integration.as_ref()),
        cell_of(token.person.as_ref()),
        format!("…{}", cell(&token.last4)),
        cell(&token.created_at),
    ]
}
