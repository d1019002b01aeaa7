//! A page or a question as a mail: readable on a lock screen, as plain text and HTML, with links
//! that acknowledge or answer.

mod html;
mod plain;

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use sha2::{Digest, Sha256};
use tocsin_core::Timestamp;

use crate::disclosure::page::PageContent;
use crate::text::one_line;

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
        let digest = Sha256::digest(self.key.as_bytes());
        format!("<{}@{domain}>", hex::encode(&digest[..16]))
    }

    /// The whole mail.
    pub(super) fn message(
        &self,
        from: &Mailbox,
        to: Mailbox,
    ) -> Result<Message, lettre::error::Error> {
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(self.at.0).unwrap_or(0));
        let mut message = Message::builder()
            .from(from.clone())
            .to(to)
            .date(at)
            .message_id(Some(self.message_id(from.email.domain())))
            .subject(self.subject())
            .multipart(MultiPart::alternative_plain_html(self.plain(), self.html()))?;
        // RFC 3834: prevents automatic replies.
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        message
            .headers_mut()
            .insert_raw(HeaderValue::new(auto, "auto-generated".to_owned()));
        Ok(message)
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
