//! A page as a mail: readable on a lock screen, as plain text and HTML, with one link.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use sha2::{Digest, Sha256};
use tocsin_core::{Grade, Timestamp};

use crate::text::{html_escaped, one_line};

/// A page to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageMail {
    /// The delivery's idempotency key: the same key gives the same Message-ID, so that mail
    /// programs can drop duplicates.
    pub key: String,
    /// The person's mail address.
    pub to: String,
    pub name: String,
    /// The incident's number.
    pub number: u64,
    /// How bad it is.
    pub grade: Grade,
    pub title: String,
    /// Why it has this grade, or why this person is paged.
    pub reason: String,
    /// When the page was decided.
    pub at: Timestamp,
    /// The signed link that acknowledges it.
    pub ack_link: String,
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
            .subject(format!("[{}] {}", self.grade, one_line(&self.title)))
            .multipart(MultiPart::alternative_plain_html(self.plain(), self.html()))?;
        // RFC 3834: prevents automatic replies.
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        message
            .headers_mut()
            .insert_raw(HeaderValue::new(auto, "auto-generated".to_owned()));
        Ok(message)
    }

    fn plain(&self) -> String {
        let grade = self.grade.as_str().to_uppercase();
        let mut text = format!("{grade}: {}\n", one_line(&self.title));
        if !self.reason.is_empty() {
            let _ = write!(text, "\n{}\n", self.reason);
        }
        let _ = write!(
            text,
            "\n{}, you are being paged. Acknowledge here, and nobody else is paged:\n{}\n\n\
             Incident {}\n",
            self.name, self.ack_link, self.number
        );
        text
    }

    fn html(&self) -> String {
        let (grade, title) = (self.grade, html_escaped(&one_line(&self.title)));
        let reason = html_escaped(&self.reason);
        let (name, link) = (html_escaped(&self.name), html_escaped(&self.ack_link));
        let incident = self.number;
        format!(
            "<!doctype html><html><body style=\"font-family:sans-serif\">\
             <h2>{grade}: {title}</h2><p>{reason}</p>\
             <p>{name}, you are being paged. Acknowledge, and nobody else is paged:</p>\
             <p><a href=\"{link}\" style=\"padding:12px 20px;background:#b00020;color:#fff;\
             text-decoration:none;border-radius:4px\">Acknowledge</a></p>\
             <p style=\"color:#666\">Incident {incident}</p></body></html>"
        )
    }
}
