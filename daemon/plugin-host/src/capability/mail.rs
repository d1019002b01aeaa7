//! `mail`: sending through a relay that is granted by name; the daemon has its host and password.

use super::context::Context;
use super::effects::{EffectKey, EffectState, ONCE_BYTES_MAX};
use super::service::{Reply, not_provided};
use crate::wit::mail::{Email, Host, MailError, Receipt};
use std::sync::Arc;

/// Most messages per call.
const MAILS_PER_CALL: u32 = 50;
/// Most recipients of one message.
const MAIL_RECIPIENTS_MAX: usize = 50;
/// Most attachments of one message.
const ATTACHMENTS_MAX: usize = 10;
/// Longest message with its attachments, in bytes.
const MAIL_BYTES_MAX: usize = 4 << 20;

/// What the daemon provides.
pub trait MailService: Send + Sync + 'static {
    /// Sends a message through the operator's relay `email.relay`. `message_key`, if given, is
    /// stable across retries: derive the Message-ID from it.
    fn send_mail<'a>(
        &'a self,
        _plugin: &'a str,
        _email: Email,
        _message_key: Option<String>,
    ) -> Reply<'a, Receipt, MailError> {
        not_provided()
    }
}

impl Host for Context {
    async fn send(&mut self, mail: Email) -> wasmtime::Result<Result<Receipt, MailError>> {
        let _pause = self.pause();
        Ok(self.send_mail(mail).await)
    }
}

impl Context {
    async fn send_mail(&mut self, mail: Email) -> Result<Receipt, MailError> {
        if self.facts.without_rights {
            return Err(MailError::Denied(
                "mail is not available during this call".into(),
            ));
        }
        if let Err(denied) = self.shared.rights.relay(&mail.relay) {
            return Err(MailError::Denied(self.deny(denied)));
        }
        self.mails += 1;
        if self.mails > MAILS_PER_CALL {
            let message = format!("at most {MAILS_PER_CALL} messages per call; enqueue a job");
            return Err(MailError::Temporary(message));
        }
        check_envelope(&mail).map_err(MailError::Invalid)?;
        let services = Arc::clone(&self.shared.services);
        let Some(once) = mail.once.clone() else {
            return services.send_mail(self.plugin(), mail, None).await;
        };
        let effect = self.effect(format!("mail:{once}"));
        match self.begin_effect(&effect).await? {
            EffectState::New => {}
            EffectState::Started => {
                let message = format!("`{once}` was sent by an earlier try whose answer was lost");
                return Err(MailError::OutcomeUnknown(message));
            }
            EffectState::Finished(bytes) => {
                self.stats.effects_replayed += 1;
                let message_id = String::from_utf8_lossy(&bytes).into_owned();
                return Ok(Receipt {
                    message_id,
                    replayed: true,
                });
            }
        }
        self.send_once(mail, &effect).await
    }

    async fn send_once(&mut self, mail: Email, effect: &EffectKey) -> Result<Receipt, MailError> {
        let services = Arc::clone(&self.shared.services);
        let sent = services
            .send_mail(self.plugin(), mail, Some(effect.digest()))
            .await;
        let noted = match &sent {
            Ok(receipt) => {
                let answer = receipt.message_id.clone().into_bytes();
                self.finish_effect(effect, answer).await
            }
            Err(MailError::OutcomeUnknown(_) | MailError::Other(_)) => Ok(()),
            Err(_) => self.forget_effect(effect).await,
        };
        if let Err(error) = noted {
            let plugin = self.plugin();
            tracing::error!(plugin, %error, "the outcome of a message was not recorded");
        }
        sent
    }
}

fn check_envelope(mail: &Email) -> Result<(), String> {
    let recipients = mail.to.len() + mail.cc.len() + mail.bcc.len();
    if !(1..=MAIL_RECIPIENTS_MAX).contains(&recipients) {
        return Err(format!(
            "{recipients} recipients; 1 to {MAIL_RECIPIENTS_MAX} are allowed"
        ));
    }
    let attached = mail.attachments.iter().map(|it| it.content.len());
    let texts = mail.text.len() + mail.html.as_ref().map_or(0, String::len);
    if mail.attachments.len() > ATTACHMENTS_MAX
        || texts + mail.subject.len() + attached.sum::<usize>() > MAIL_BYTES_MAX
    {
        return Err(format!(
            "a message has at most {ATTACHMENTS_MAX} attachments and {MAIL_BYTES_MAX} bytes"
        ));
    }
    if mail
        .once
        .as_ref()
        .is_some_and(|once| once.is_empty() || once.len() > ONCE_BYTES_MAX)
    {
        return Err(format!("`once` must have 1 to {ONCE_BYTES_MAX} bytes"));
    }
    let lines = mail
        .to
        .iter()
        .chain(&mail.cc)
        .chain(&mail.bcc)
        .chain(&mail.sender);
    let mut lines = lines
        .chain(&mail.reply_to)
        .chain(&mail.in_reply_to)
        .chain([&mail.subject]);
    if lines.any(|line| line.contains(['\r', '\n', '\0'])) {
        return Err("addresses and the subject must not contain line breaks".into());
    }
    Ok(())
}
