//! Messages of Amazon SNS to `/ingest/{integration}`: checked, each counted once, and subscriptions
//! confirmed for the topics that the configuration lists.

use std::path::Path;
use std::sync::Arc;

use tocsin_core::IntegrationId;
use tocsin_store::CommitError;

use super::blocking;
use super::ingest::malformed;
use super::problem::{Kind, Problem};
use crate::app::App;
use crate::config::IntegrationConfig;
use crate::ingest::sns::{Envelope, MessageKind, NotGenuine};
use crate::runtime::state::tables::webhook::{self, WebhookAnswer};
use crate::runtime::{EngineError, Request, Write};

/// A message that was checked.
pub(super) enum Checked {
    /// It has to be read.
    New(Box<Envelope>),
    /// There is nothing to read, and why.
    Nothing(&'static str),
}

/// Checks a message, and does what it asks for if it is about the subscription.
pub(super) async fn checked(
    app: &Arc<App>,
    id: &IntegrationId,
    config: &IntegrationConfig,
    body: &[u8],
) -> Result<Checked, Problem> {
    let message = Envelope::read(body).map_err(malformed)?;
    let Some(kind) = message.kind() else {
        return Ok(Checked::Nothing("a kind of message that is not known here"));
    };
    let refuse = |why: NotGenuine| refused(id, &why);
    let place = message.check(&config.topics, app.clock.now());
    let place = place.map_err(refuse)?;
    let certificate = match &config.certificate {
        Some(path) => pinned(path).await?,
        None => {
            let fetched = app.sns.certificate(&place).await;
            fetched.map_err(|error| {
                tracing::error!(integration = %id, %error, "a certificate cannot be fetched");
                let why = "the certificate of Amazon SNS cannot be fetched; send it again, or set \
                           `certificate` of the integration";
                Problem::new(Kind::UNAVAILABLE, why)
            })?
        }
    };
    message.verify(&certificate).map_err(refuse)?;
    match kind {
        MessageKind::Notification if is_known(app, &message).await? => {
            Ok(Checked::Nothing("this message was taken before"))
        }
        MessageKind::Notification => Ok(Checked::New(Box::new(message))),
        MessageKind::SubscriptionConfirmation => {
            let url = message.confirmation().map_err(refuse)?;
            let topic = message.topic();
            app.sns.confirm(&url).await.map_err(|error| {
                tracing::error!(topic, %error, "a subscription cannot be confirmed");
                let why = "Amazon SNS did not take the confirmation; send it again";
                Problem::new(Kind::UNAVAILABLE, why)
            })?;
            tracing::info!(integration = %id, topic, "the subscription is confirmed");
            Ok(Checked::Nothing("the subscription is confirmed"))
        }
        MessageKind::UnsubscribeConfirmation => {
            let topic = message.topic();
            tracing::warn!(
                integration = %id, topic,
                "the topic does not send its messages here any more; subscribe again if they are \
                 wanted"
            );
            Ok(Checked::Nothing("the topic does not send here any more"))
        }
    }
}

/// Remembers that a message was taken.
pub(super) async fn remember(app: &Arc<App>, message: &Envelope) -> Result<(), Problem> {
    let (store, key, now) = (Arc::clone(&app.store), key(message), app.clock.now());
    let answer = WebhookAnswer {
        status: 202,
        headers: Vec::new(),
        body: String::new(),
        signed_s: None,
    };
    let rows = blocking(move || Ok(webhook::remember(store.as_ref(), &key, &answer, now)?));
    let write = Write {
        rows: rows.await?,
        ..Write::default()
    };
    match app.writer.offer(Request::Write(Box::new(write))).await {
        Ok(_) => Ok(()),
        // Two tries of one message at a time: what they say is the same.
        Err(EngineError::Commit(CommitError::Conflict { .. })) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn is_known(app: &Arc<App>, message: &Envelope) -> Result<bool, Problem> {
    let (store, key, now) = (Arc::clone(&app.store), key(message), app.clock.now());
    let found = blocking(move || Ok(webhook::answer(store.as_ref(), &key, now)?)).await?;
    Ok(found.is_some())
}

fn key(message: &Envelope) -> String {
    let said = format!("{}/{}", message.topic(), message.message_id());
    format!("sns/{}", blake3::hash(said.as_bytes()).to_hex())
}

async fn pinned(path: &Path) -> Result<Arc<[u8]>, Problem> {
    let place = path.to_owned();
    let read = blocking(move || {
        std::fs::read(&place).map(Arc::from).map_err(|error| {
            tracing::error!(path = %place.display(), %error, "a certificate cannot be read");
            Problem::new(
                Kind::UNAVAILABLE,
                "the certificate cannot be read; see the log",
            )
        })
    });
    read.await
}

fn refused(id: &IntegrationId, why: &NotGenuine) -> Problem {
    tracing::warn!(integration = %id, %why, "a message of Amazon SNS was refused");
    Problem::new(Kind::FORBIDDEN, why.to_string())
}
