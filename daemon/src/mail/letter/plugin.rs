//! A mail that a plugin writes.

use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use tocsin_core::Timestamp;
use tocsin_plugin_host::wit::Email;

use super::{Letter, address, message_id, sent_by_a_program, system_time};
use crate::text::one_line;

/// A mail from a plugin. Its relay's sender sends it; the plugin may only choose the name beside
/// the address.
#[derive(Clone, Debug)]
pub struct PluginMail {
    pub plugin: String,
    /// Which mail it is: the same key gives the same Message-ID.
    pub key: String,
    pub email: Email,
    pub at: Timestamp,
}

impl Letter for PluginMail {
    fn written(&self, from: &Mailbox) -> Result<(Message, String), String> {
        let domain = from.email.domain();
        let id = message_id(self.key.as_bytes(), domain);
        let mut message = Message::builder()
            .from(self.sender(from)?)
            .date(system_time(self.at))
            .message_id(Some(id.clone()))
            .subject(one_line(&self.email.subject));
        for to in &self.email.to {
            message = message.to(mailbox(to)?);
        }
        for cc in &self.email.cc {
            message = message.cc(mailbox(cc)?);
        }
        for bcc in &self.email.bcc {
            message = message.bcc(mailbox(bcc)?);
        }
        if let Some(to) = &self.email.reply_to {
            message = message.reply_to(mailbox(to)?);
        }
        if let Some(thread) = &self.email.in_reply_to {
            let thread = self.thread(thread, domain)?;
            message = message.in_reply_to(thread.clone()).references(thread);
        }
        let message = self.body(message)?;
        Ok((sent_by_a_program(message), id))
    }
}

impl PluginMail {
    fn sender(&self, from: &Mailbox) -> Result<Mailbox, String> {
        let Some(sender) = &self.email.sender else {
            return Ok(from.clone());
        };
        let sender = mailbox(sender)?;
        if sender.email == from.email {
            return Ok(sender);
        }
        Err(format!(
            "the sender {} is not that of the relay, {}; leave `sender` out, or change only the \
             name beside the address",
            sender.email, from.email
        ))
    }

    /// The Message-ID that a thread's mails refer to. A name stands for one that only this plugin's
    /// mails have; mail programs need not have received it.
    fn thread(&self, thread: &str, domain: &str) -> Result<String, String> {
        if !thread.contains('@') {
            let key = format!("thread/{}/{thread}", self.plugin);
            return Ok(message_id(key.as_bytes(), domain));
        }
        let id = thread.strip_prefix('<').and_then(|it| it.strip_suffix('>'));
        let id = id.unwrap_or(thread);
        let is_id = id
            .bytes()
            .all(|it| it.is_ascii_graphic() && it != b'<' && it != b'>');
        match is_id {
            true => Ok(format!("<{id}>")),
            false => Err(format!("`in-reply-to`: `{thread}` is not a Message-ID")),
        }
    }

    fn body(&self, message: lettre::message::MessageBuilder) -> Result<Message, String> {
        let email = &self.email;
        let wrong = |error: lettre::error::Error| error.to_string();
        let alternatives =
            |html: &String| MultiPart::alternative_plain_html(email.text.clone(), html.clone());
        if email.attachments.is_empty() {
            return match &email.html {
                Some(html) => message.multipart(alternatives(html)).map_err(wrong),
                None => {
                    let plain = SinglePart::plain(email.text.clone());
                    message.singlepart(plain).map_err(wrong)
                }
            };
        }
        let mixed = MultiPart::mixed();
        let mut mixed = match &email.html {
            Some(html) => mixed.multipart(alternatives(html)),
            None => mixed.singlepart(SinglePart::plain(email.text.clone())),
        };
        for it in &email.attachments {
            let kind = ContentType::parse(&it.media_type);
            let kind = kind.map_err(|_| format!("`{}` is not a media type", it.media_type))?;
            let attachment = Attachment::new(one_line(&it.name));
            mixed = mixed.singlepart(attachment.body(it.content.clone(), kind));
        }
        message.multipart(mixed).map_err(wrong)
    }
}

/// An address, with a name or without.
fn mailbox(text: &str) -> Result<Mailbox, String> {
    match text.parse::<Mailbox>() {
        Ok(mailbox) => Ok(mailbox),
        // An address alone has the clearer error.
        Err(_) => Ok(Mailbox::new(None, address(text)?)),
    }
}
