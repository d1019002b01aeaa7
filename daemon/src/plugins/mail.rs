//! Mail from plugins, which this release does not support.

use tocsin_plugin_host::capability::Reply;
use tocsin_plugin_host::capability::mail::MailService;
use tocsin_plugin_host::wit::{Email, MailError, Receipt};

use super::DaemonServices;

impl MailService for DaemonServices {
    fn send_mail<'a>(
        &'a self,
        plugin: &'a str,
        email: Email,
        _message_key: Option<String>,
    ) -> Reply<'a, Receipt, MailError> {
        Box::pin(async move {
            Err(MailError::Denied(format!(
                "plugin {plugin} may not use the relay `{}`: this release does not send mail for \
                 plugins",
                email.relay
            )))
        })
    }
}
