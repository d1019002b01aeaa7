//! Mail from plugins, through the operator's relays.

use tocsin_plugin_host::capability::Reply;
use tocsin_plugin_host::capability::mail::MailService;
use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::{Email, Receipt};

use super::DaemonServices;
use crate::mail::{MailError, PluginMail};

impl MailService for DaemonServices {
    fn send_mail<'a>(
        &'a self,
        plugin: &'a str,
        email: Email,
        message_key: Option<String>,
    ) -> Reply<'a, Receipt, wit::MailError> {
        Box::pin(async move {
            let access = self.access()?;
            let name = &email.relay;
            let relay = access.relays.named(name).ok_or_else(|| {
                wit::MailError::Denied(format!(
                    "there is no mail relay; add [mail], or [relays.{name}] for this plugin"
                ))
            })?;
            let key = message_key.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
            let mail = PluginMail {
                plugin: plugin.to_owned(),
                key: format!("{plugin}/{key}"),
                email,
                at: access.clock.now(),
            };
            let sent = relay.send(&mail).await.map_err(not_sent)?;
            Ok(Receipt {
                message_id: sent.message_id,
                replayed: false,
            })
        })
    }
}

fn not_sent(error: MailError) -> wit::MailError {
    let why = error.to_string();
    match error {
        MailError::Temporary { .. } => wit::MailError::Temporary(why),
        MailError::Rejected { .. } => wit::MailError::Rejected(why),
        MailError::Unknown { .. } => wit::MailError::OutcomeUnknown(why),
    }
}
