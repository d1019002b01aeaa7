//! Mails. A page or a question is readable on a lock screen, as plain text and HTML, with links
//! that acknowledge or answer.

mod html;
mod plain;
mod plugin;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};
use sha2::{Digest, Sha256};
use tocsin_core::Timestamp;

use crate::disclosure::page::PageContent;
use crate::text::one_line;

pub use plugin::PluginMail;

/// A mail that its relay's sender sends.
pub trait Letter {
    /// The whole mail, and its Message-ID.
    ///
    /// # Errors
    /// What is wrong with an address or a text.
    fn written(&self, from: &Mailbox) -> Result<(Message, String), String>;
}

/// A page or a question to one person.
#[derive(Clone, Debug, PartialEq)]
pub struct PageMail {
    /// The delivery's idempotency key: the same key gives the same Message-ID, so that mail
    /// programs can drop duplicates.
    pub key: String,
    /// The person's mail address.
    pub to: String,
    pub name: String,
    /// When the page or the question was decided.
    pub at: Timestamp,
    /// What it says, with the links that acknowledge or answer.
    pub content: PageContent,
}

impl PageMail {
    pub(super) fn message_id(&self, domain: &str) -> String {
        message_id(self.key.as_bytes(), domain)
    }

    pub(super) fn subject(&self) -> String {
        let test = if self.content.test { "Test: " } else { "" };
        format!("{test}{}", one_line(&self.content.summary))
    }

    pub(super) fn plain(&self) -> String {
        plain::text(&self.name, &self.content)
    }

    pub(super) fn html(&self) -> String {
        html::text(&self.name, &self.content)
    }
}

impl Letter for PageMail {
    fn written(&self, from: &Mailbox) -> Result<(Message, String), String> {
        let to = Mailbox::new(Some(self.name.clone()), address(&self.to)?);
        let id = self.message_id(from.email.domain());
        let message = Message::builder()
            .from(from.clone())
            .to(to)
            .date(system_time(self.at))
            .message_id(Some(id.clone()))
            .subject(self.subject())
            .multipart(MultiPart::alternative_plain_html(self.plain(), self.html()))
            .map_err(|error| error.to_string())?;
        Ok((sent_by_a_program(message), id))
    }
}

/// A Message-ID that depends on nothing but these.
fn message_id(key: &[u8], domain: &str) -> String {
    let digest = Sha256::digest(key);
    format!("<{}@{domain}>", hex::encode(&digest[..16]))
}

fn address(text: &str) -> Result<Address, String> {
    let parsed = text.parse::<Address>();
    parsed.map_err(|error| format!("`{text}` is not a mail address: {error}"))
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}

/// RFC 3834: prevents automatic replies.
fn sent_by_a_program(mut message: Message) -> Message {
    let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
    let value = HeaderValue::new(auto, "auto-generated".to_owned());
    message.headers_mut().insert_raw(value);
    message
}

/// What the person is asked to do.
fn request(name: &str, content: &PageContent) -> String {
    let name = one_line(name);
    if let Some(question) = &content.question {
        let all = match content.named() {
            ..=1 => String::new(),
            all => format!(" One answer counts for all {all} incidents."),
        };
        return format!("{name}: {}{all}", question.otherwise);
    }
    if let Some(reminds) = content.reminds {
        return format!("{name}, {reminds}");
    }
    match (content.test, content.named()) {
        (true, _) => format!(
            "{name}, this is a test of the way to you. Press the link to show that it works"
        ),
        (false, ..=1) => {
            format!("{name}, you are being paged. Acknowledge, and nobody else is paged")
        }
        (false, all) => format!(
            "{name}, you are being paged for {all} incidents. Acknowledge all, and nobody else is \
             paged for them"
        ),
    }
}

/// What each link of a question says, and the link.
fn answers(content: &PageContent) -> impl Iterator<Item = (String, &str)> {
    let choices = content.question.iter().flat_map(|it| &it.choices);
    let all = match content.named() {
        ..=1 => String::new(),
        all => format!(" (all {all})"),
    };
    choices.filter_map(move |it| Some((format!("{}{all}", it.choice.label), it.url.as_deref()?)))
}
