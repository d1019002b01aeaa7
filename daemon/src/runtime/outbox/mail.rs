//! Pages by mail: the last contact of every person, in case every plugin is down.

use std::sync::Arc;

use tocsin_core::IncidentId;

use crate::disclosure::{Clearance, Disclosed};
use crate::mail::{MailError, PageMail};
use crate::runtime::error::EngineError;
use crate::runtime::outbox::Outbox;
use crate::runtime::outbox::outcome::{End, Ended};

impl Outbox {
    /// Sends one page by mail, if it is still wanted.
    pub(crate) async fn send_mail(
        self: &Arc<Self>,
        id: &IncidentId,
        page: u32,
        contact: u32,
    ) -> Ended {
        let state = match self.view.incident(id) {
            Ok(Some(state)) => state,
            Ok(None) => return Ended::dropped("its incident does not exist"),
            Err(EngineError::Store(error)) => return Ended::again(error.to_string()),
            Err(error) => return Ended::given_up(error.to_string()),
        };
        let incident = &state.incident;
        let sent = incident
            .paging
            .pages
            .get(&page)
            .filter(|it| it.is_wanted_at(contact));
        let Some((sent, to)) = sent.and_then(|it| Some((it, it.current()?))) else {
            return Ended::dropped("it is no longer wanted");
        };
        let Some(mailer) = &self.mailer else {
            return Ended::given_up("no [mail] relay is configured".to_owned());
        };
        let person = self.payloads.roster.people.get(&sent.person);
        let seen = Disclosed::of(incident, Clearance::of_person(person));
        let now = self.clock.now();
        let mail = PageMail {
            key: incident.page_id(page).to_string(),
            to: to.address.clone(),
            name: person.map_or_else(|| sent.person.to_string(), |it| it.name.clone()),
            number: seen.line.number,
            grade: seen.line.grade,
            reason: seen.page_reason().to_owned(),
            title: seen.line.title,
            at: sent.at,
            ack_link: self
                .payloads
                .ack_links
                .link(incident, page, &sent.person, now),
        };
        let ended = match mailer.send(&mail).await {
            Ok(_) => Ended::of(End::Done),
            Err(error @ MailError::Rejected { .. }) => Ended::given_up(error.to_string()),
            // The Message-ID is stable, so that a duplicate is recognized.
            Err(error) => Ended {
                outcome_unknown: matches!(error, MailError::Unknown { .. }),
                ..Ended::again(error.to_string())
            },
        };
        if let End::Again { why, .. } | End::GivenUp(why) = &ended.end {
            tracing::warn!(
                incident = incident.number,
                page,
                why,
                "a page by mail failed"
            );
        }
        self.metrics
            .delivered(crate::runtime::MAIL_CHANNEL, ended.end.word());
        ended
    }
}
