//! Channels down: a critical page reaches a person while Slack refuses, rate-limits or hangs, and
//! the war room opens once Slack recovers.
//!
//! These tests use a whole daemon, the Slack stand-in, and a real mail server.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::time::Duration;

use serde_json::json;
use tocsin::auth::Scope;
use tocsin::standin::slack::{Fault, FaultRule};
use tocsin_tests::support::{Daemon, SmtpServer};
use tocsin_tests::wait::until;

/// The configured delay per channel is two seconds, and there are two channels before mail; the
/// machine may be slow.
const MAILED_WITHIN: Duration = Duration::from_secs(20);
/// Failed pages are retried after at most half a minute, other deliveries later.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

struct Outage {
    daemon: Daemon,
    mail: SmtpServer,
    token: String,
}

impl Outage {
    /// A daemon with Ada on call, by Slack first; `None` if something is not available.
    async fn start(test: &str) -> Option<Self> {
        let mail = SmtpServer::start(test).await.unwrap()?;
        let daemon = Daemon::start(test, mail.port).await.unwrap()?;
        let token = daemon.token(Scope::Ingest, Some("prometheus")).await;
        Some(Self {
            daemon,
            mail,
            token: token.unwrap(),
        })
    }

    async fn fire(&self) {
        let alerts = json!([{
            "labels": {
                "alertname": "CheckoutDown", "severity": "critical", "service": "checkout",
                "team": "payments",
            },
            "annotations": { "summary": "The checkout does not answer" },
        }]);
        let asked = reqwest::Client::new()
            .post(format!("{}/api/v2/alerts", self.daemon.url))
            .bearer_auth(&self.token)
            .json(&alerts);
        assert_eq!(asked.send().await.unwrap().status().as_u16(), 200);
    }

    async fn until_mailed(&self) {
        let mailed = async || (!self.mails().is_empty()).then_some(());
        until("a page by mail", MAILED_WITHIN, mailed)
            .await
            .unwrap();
    }

    /// Waits until nothing is left to deliver.
    async fn until_settled(&self) {
        let settled = async || self.daemon.has_delivered_all().then_some(());
        until("everything to be delivered", SETTLED_WITHIN, settled)
            .await
            .unwrap();
    }

    /// The subjects of the mails to Ada.
    fn mails(&self) -> Vec<String> {
        let mails = self.mail.mails();
        let to_ada = mails.iter().filter(|it| it.to == ["ada@x.org"]);
        to_ada
            .map(|it| it.header("subject").unwrap_or_default().to_owned())
            .collect()
    }

    /// The number of pages to Ada in Slack.
    fn pages(&self) -> usize {
        self.daemon.slack.direct_messages("U0ADA").len()
            + self.daemon.slack.direct_messages("U0ADATAB").len()
    }

    /// Names and messages of the war rooms.
    fn rooms(&self) -> Vec<(String, Vec<String>)> {
        let rooms = self.daemon.slack.channels().into_iter().map(|room| {
            let said = room.messages.iter().map(|it| it.text.clone()).collect();
            (room.name, said)
        });
        rooms.collect()
    }

    /// The entries about pages in the incident's timeline, in order.
    async fn page_entries(&self) -> Vec<String> {
        let incident = self.daemon.incident(1, |_| true).await.unwrap();
        let timeline = incident["timeline"].as_array().unwrap().iter();
        let texts = timeline.map(|it| it["text"].as_str().unwrap().to_owned());
        texts.filter(|it| it.starts_with("paged ")).collect()
    }

    /// Asserts one war room, one mail, and no additional page by Slack.
    async fn assert_notified_once(self) {
        let rooms = self.rooms();
        assert_eq!(rooms.len(), 1, "one war room: {rooms:?}");
        assert!(!rooms[0].1.is_empty(), "no opening message: {rooms:?}");
        assert_eq!(self.mails().len(), 1, "one mail: {:?}", self.mails());
        assert_eq!(self.pages(), 0, "no second page after the mail");
        self.daemon.end().await.unwrap();
    }
}

async fn page_goes_by_mail_once(test: &str, fault: Fault) {
    let Some(outage) = Outage::start(test).await else {
        return;
    };
    outage.daemon.slack.fail(FaultRule::always(fault));
    outage.fire().await;
    outage.until_mailed().await;
    outage.daemon.slack.heal();
    outage.until_settled().await;
    outage.assert_notified_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_refuses() {
    page_goes_by_mail_once("refuses", Fault::NotOk("internal_error".into())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_one_account_refuses_goes_to_the_persons_other_account() {
    let Some(outage) = Outage::start("another account").await else {
        return;
    };
    let slack = &outage.daemon.slack;
    let refused = Fault::NotOk("user_not_found".into());
    slack.fail(FaultRule::times(1, refused).on("conversations.open"));
    outage.fire().await;
    let paged = async || {
        let pages = outage.daemon.slack.direct_messages("U0ADATAB");
        (!pages.is_empty()).then_some(())
    };
    until("a page to the tablet", MAILED_WITHIN, paged)
        .await
        .unwrap();
    let first = outage.daemon.slack.direct_messages("U0ADA");
    assert_eq!(first.len(), 0, "{first:?}");
    outage.until_settled().await;
    outage.daemon.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_rate_limits() {
    page_goes_by_mail_once("limits", Fault::RateLimited { retry_after_s: 5 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_hangs() {
    page_goes_by_mail_once("never answers", Fault::Hang).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_goes_by_mail_when_slack_refuses_connections() {
    let Some(outage) = Outage::start("is gone").await else {
        return;
    };
    outage.daemon.slack.vanish();
    outage.fire().await;
    outage.until_mailed().await;
    outage.daemon.slack.come_back().unwrap();
    outage.until_settled().await;
    outage.assert_notified_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_refuses_then_limits_then_hangs_and_the_page_goes_from_contact_to_contact() {
    let Some(outage) = Outage::start("one bad outage").await else {
        return;
    };
    // Rules that are added later take precedence.
    let slack = &outage.daemon.slack;
    slack.fail(FaultRule::always(Fault::Hang));
    slack.fail(FaultRule::times(1, Fault::RateLimited { retry_after_s: 1 }));
    slack.fail(FaultRule::times(1, Fault::NotOk("internal_error".into())));
    outage.fire().await;
    outage.until_mailed().await;

    let told = outage.page_entries().await;
    let by: Vec<&str> = told
        .iter()
        .map(|it| it.split(':').next().unwrap())
        .collect();
    assert_eq!(
        by,
        [
            "paged ada by slack",
            "paged ada again by slack",
            "paged ada again by mail"
        ],
        "{told:?}"
    );
    let struck = async || (slack.requests().len() > 2).then_some(());
    until("each fault to be used", SETTLED_WITHIN, struck)
        .await
        .unwrap();
    slack.heal();
    outage.until_settled().await;
    outage.assert_notified_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_leave_one_war_room_with_every_message_once() {
    let Some(outage) = Outage::start("lost answers").await else {
        return;
    };
    for method in ["conversations.create", "chat.postMessage"] {
        let lost = FaultRule::times(1, Fault::LoseAnswer).on(method);
        outage.daemon.slack.fail(lost);
    }
    outage.fire().await;
    outage.until_settled().await;
    let rooms = outage.rooms();
    assert_eq!(rooms.len(), 1, "one war room: {rooms:?}");
    let asked = outage.daemon.slack.requests();
    let tries = asked
        .iter()
        .filter(|it| it.method() == "conversations.create");
    assert!(tries.count() > 1, "the lost request was retried");
    let mut said = rooms[0].1.clone();
    let all = said.len();
    assert!(all >= 1, "it is empty: {rooms:?}");
    said.sort();
    said.dedup();
    assert_eq!(said.len(), all, "a message is repeated: {rooms:?}");
    let told = outage.pages() + outage.mails().len();
    assert!(told >= 1, "Ada was not paged");
    for member in ["U0ADA", "U0ADATAB"] {
        let pages = outage.daemon.slack.direct_messages(member);
        assert!(pages.len() <= 1, "paged twice by one contact: {pages:?}");
    }
    outage.daemon.end().await.unwrap();
}
