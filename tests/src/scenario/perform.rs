//! Carries out the actions of senders, people and external services in a scenario.

use anyhow::{Context as _, Result, bail};
use tocsin::standin::slack::{Fault, FaultRule, Press, SIGNING_SECRET, SignedRequest, Typed};

use super::action::Slack;
use super::endpoints::{Labels, SentAlert};
use super::world::World;

const STORM_REQUEST_ALERTS: usize = 1_000;

impl World {
    /// Sends a firing alert, or its repeat: from Prometheus if it has an end, else from
    /// Alertmanager.
    pub(super) async fn fire(&mut self, labels: &Labels, lasts: Option<u64>) -> Result<()> {
        let now = self.instant();
        let known = self.fired.iter().find(|it| it.labels == *labels);
        let alert = SentAlert {
            labels: labels.clone(),
            since: known.map_or(now, |it| it.since),
            until: lasts.map(|it| now.plus_ms(it)),
        };
        if known.is_none() {
            self.fired.push(alert.clone());
        }
        let endpoints = self.endpoints()?;
        match lasts {
            Some(_) => endpoints.api_v2(&alert).await,
            None => endpoints.webhook(&[alert], "firing").await,
        }
    }

    /// Ends every firing alert with these labels.
    pub(super) async fn end(&mut self, labels: &Labels) -> Result<()> {
        let has = |it: &SentAlert| {
            labels
                .iter()
                .all(|(name, value)| it.labels.get(name) == Some(value))
        };
        let (mut ended, left) = std::mem::take(&mut self.fired)
            .into_iter()
            .partition::<Vec<_>, _>(has);
        self.fired = left;
        if ended.is_empty() {
            bail!("no such alert is firing");
        }
        let now = self.instant();
        for alert in &mut ended {
            alert.until = Some(now);
        }
        for some in ended.chunks(STORM_REQUEST_ALERTS) {
            self.endpoints()?.webhook(some, "resolved").await?;
        }
        Ok(())
    }

    /// A person ends an alert of any sender.
    pub(super) async fn end_by_hand(&mut self, person: &str, name: &str) -> Result<()> {
        let alert = self.alert(name)?;
        self.endpoints()?.end_by_hand(person, &alert.key()).await
    }

    /// Sends many firing alerts, in requests of a realistic size.
    pub(super) async fn storm(&mut self, count: u64, labels: &Labels) -> Result<()> {
        let since = self.instant();
        let one = |number: u64| SentAlert {
            labels: labels
                .iter()
                .map(|(name, value)| (name.clone(), numbered(value, number)))
                .collect(),
            since,
            until: None,
        };
        let alerts: Vec<SentAlert> = (0..count).map(one).collect();
        for some in alerts.chunks(STORM_REQUEST_ALERTS) {
            self.endpoints()?.webhook(some, "firing").await?;
        }
        self.fired.extend(alerts);
        Ok(())
    }

    /// A person presses a button of their newest message that has it.
    pub(super) async fn press(&mut self, person: &str, button: &str) -> Result<()> {
        let seconds = u64::try_from(self.instant().0 / 1_000)?;
        let member = self.setup.contact(person, "slack");
        let member = member.with_context(|| format!("{person} has no Slack contact"))?;
        let slack = self.slack.as_ref().context("there is no Slack")?;
        let body = slack.press_request(&Press::newest(member, button))?.body;
        let request = SignedRequest::at(SIGNING_SECRET, body, seconds);
        self.endpoints()?.slack("interactions", &request).await?;
        Ok(())
    }

    /// A person writes a command in Slack, and is told the reply.
    pub(super) async fn write_command(
        &mut self,
        person: &str,
        line: &str,
        room: Option<u64>,
    ) -> Result<()> {
        let room = room.map(|it| self.room(it)).transpose()?;
        let seconds = u64::try_from(self.instant().0 / 1_000)?;
        let member = self.setup.contact(person, "slack");
        let member = member.with_context(|| format!("{person} has no Slack contact"))?;
        let typed = Typed {
            member: member.to_owned(),
            channel: room,
            line: line.to_owned(),
        };
        let slack = self.slack.as_ref().context("there is no Slack")?;
        let body = slack.typed_request(&typed)?.body;
        let request = SignedRequest::at(SIGNING_SECRET, body, seconds);
        let told = self.endpoints()?.slack("commands", &request).await?;
        let told: serde_json::Value = serde_json::from_str(&told)?;
        let told = told["text"].as_str().context("the command has no reply")?;
        self.note(format!("{person} is told {told:?}"));
        self.told.insert(person.to_owned(), told.to_owned());
        Ok(())
    }

    /// A person follows the acknowledge link in their newest mail, or the one of an incident in it.
    pub(super) async fn follow_mail_link(
        &mut self,
        person: &str,
        incident: Option<u64>,
    ) -> Result<()> {
        let mail = self.newest_mail(person)?;
        let mut from = mail.as_str();
        if let Some(number) = incident {
            let named = from.split_once(&format!("#{number}\r\n"));
            from = named
                .with_context(|| format!("the mail does not name #{number} in full"))?
                .1;
        }
        self.endpoints()?
            .mail_link(token_in(from)?, "Acknowledge")
            .await?;
        Ok(())
    }

    /// A person follows the link of an answer in their newest mail.
    pub(super) async fn answer_by_mail(&mut self, person: &str, answer: &str) -> Result<()> {
        let mail = self.newest_mail(person)?;
        let from = mail.split_once(&format!("\n{answer}"));
        let from = from.with_context(|| format!("the mail has no answer {answer:?}"))?;
        let link = token_in(from.1)?;
        let told = self.endpoints()?.mail_link(link, answer).await?;
        self.told.insert(person.to_owned(), told);
        Ok(())
    }

    fn newest_mail(&self, person: &str) -> Result<String> {
        let address = self.setup.contact(person, "email").unwrap_or_default();
        let mails = self.relay.mails();
        let mail = mails.into_iter().rev().find(|it| it.to == address);
        Ok(mail.with_context(|| format!("{person} has no mail"))?.text)
    }

    /// Somebody silences alerts with these labels.
    pub(super) async fn silence(&mut self, labels: &Labels, lasts: u64) -> Result<()> {
        let until = self.instant().plus_ms(lasts);
        let id = self
            .endpoints()?
            .silence(&self.somebody()?, labels, until)
            .await?;
        self.silences.push(id);
        Ok(())
    }

    /// Somebody ends the newest silence.
    pub(super) async fn end_silence(&mut self) -> Result<()> {
        let id = self.silences.pop().context("there is no silence to end")?;
        self.endpoints()?.end_silence(&self.somebody()?, &id).await
    }

    pub(super) fn somebody(&self) -> Result<String> {
        let first = self.setup.people.keys().next();
        first.cloned().context("the setup has no person")
    }

    /// Changes how Slack behaves.
    pub(super) fn slack_behaves(&mut self, how: &Slack) -> Result<()> {
        self.has_retries = true;
        let slack = self.slack.as_ref().context("there is no Slack")?;
        slack.heal();
        let fault = match how {
            Slack::Well => {
                slack.come_back()?;
                return Ok(());
            }
            Slack::Down => {
                slack.vanish();
                return Ok(());
            }
            Slack::Hangs => Fault::Hang,
            Slack::LosesAnswers => {
                slack.fail(FaultRule::always(Fault::LoseAnswer).on("chat.postMessage"));
                return Ok(());
            }
            Slack::Status(status) => Fault::Status(*status),
            Slack::Error(error) => Fault::NotOk(error.clone()),
            Slack::Limits(seconds) => Fault::RateLimited {
                retry_after_s: *seconds,
            },
        };
        slack.fail(FaultRule::always(fault));
        Ok(())
    }
}

/// The token of the first link in a text.
fn token_in(text: &str) -> Result<&str> {
    let link = text.split_once("/ack/").map(|it| it.1);
    let token = link.and_then(|it| it.split_whitespace().next());
    token.context("the mail has no such link")
}

/// A label of the alert with this number: `%d` stands for the number, and `%40` for what remains of
/// it when it is divided by 40.
fn numbered(value: &str, number: u64) -> String {
    let value = value.replace("%d", &number.to_string());
    let Some((before, rest)) = value.split_once('%') else {
        return value;
    };
    let digits = rest.find(|it: char| !it.is_ascii_digit());
    let (divisor, after) = rest.split_at(digits.unwrap_or(rest.len()));
    match divisor.parse().ok().and_then(|it| number.checked_rem(it)) {
        Some(left) => format!("{before}{left}{after}"),
        None => value,
    }
}
