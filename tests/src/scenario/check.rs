//! Checks the facts of a scenario.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, ensure};
use tocsin::runtime::history::{HistoryOf, HistoryReader};
use tocsin::runtime::state::tables::summary;
use tocsin::runtime::{IncidentState, events_of};
use tocsin::standin::slack::Press;
use tocsin_core::alert::Place;
use tocsin_core::{Alert, Event, Recorded, Timestamp, narrate};
use tocsin_store::Table;

use super::fact::{Claim, Fact};
use super::world::World;

/// Most rows that one read of the store returns.
const PAGE_ROWS: usize = 1_000;

impl World {
    /// Checks a fact; an expected page must have come within `window`, in milliseconds since the
    /// scenario's start.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub(super) fn check(&mut self, fact: &Fact, window: (u64, u64)) -> Result<()> {
        match fact {
            Fact::NobodyPaged => match self.pages.iter().find(|it| !it.1) {
                Some((page, _)) => Err(anyhow!("expected no further page, but {page}")),
                None => Ok(()),
            },
            Fact::Paged {
                people,
                channel,
                incident,
            } => {
                for person in people {
                    self.claim(person, channel, *incident, window)?;
                }
                Ok(())
            }
            Fact::Incident { number, claims } => {
                let state = self.state(*number)?;
                let first = self.stream(&state)?.into_iter().next();
                for claim in claims {
                    holds(&state, first.as_ref(), claim)?;
                }
                Ok(())
            }
            Fact::Incidents(wanted) => {
                let store = &self.app()?.store;
                let found = summary::after(store.as_ref(), None, PAGE_ROWS)?.len() as u64;
                count_is("incidents", found == *wanted, wanted, found)
            }
            Fact::PagedAbout { people, last } => {
                people.iter().try_for_each(|it| self.claim_all(it, *last))
            }
            Fact::Each { last, claims } => (1..=*last).try_for_each(|number| {
                let fact = Fact::Incident {
                    number,
                    claims: claims.clone(),
                };
                self.check(&fact, window)
                    .with_context(|| format!("incident {number}"))
            }),
            Fact::EventsAtMost { incident, most } => {
                let state = self.state(*incident)?;
                let found = self.stream(&state)?.len();
                count_is("or fewer events", found <= *most, most, found)
            }
            Fact::Log {
                incident,
                text,
                times,
            } => self.check_log(*incident, text, *times),
            Fact::LogInOrder { incident, texts } => self.check_order(*incident, texts),
            Fact::Report(text) => self.check_report(text),
            Fact::WarRooms(wanted) => {
                let rooms = self.slack.as_ref().map_or(0, |it| it.channels().len());
                let rooms = rooms - self.setup.channels.len();
                count_is("war rooms", rooms == *wanted, wanted, rooms)
            }
            Fact::RoomSays { incident, text } => self.check_room(*incident, text),
            Fact::ChannelSays {
                channel,
                text,
                is_so,
            } => {
                let said = self.said_in(channel)?;
                let found = said.iter().any(|it| it.contains(text));
                let verb = if *is_so { "" } else { "not " };
                ensure!(
                    found == *is_so,
                    "expected {verb}{text:?} in {channel}, but found {said:#?}"
                );
                Ok(())
            }
            Fact::ChannelMessages { channel, count } => {
                let found = self.said_in(channel)?.len();
                count_is("messages", found == *count, count, found)
            }
            Fact::Alert { name, state } => self.check_alert(name, state),
            Fact::AlertHas {
                name,
                label: (label, wanted),
            } => {
                let labels = self.alert(name)?.labels;
                let found = labels.get(label);
                ensure!(
                    found == Some(wanted),
                    "expected {label}={wanted}, but found {found:?}"
                );
                Ok(())
            }
            Fact::AlertDid { name, changes } => self.check_history(name, changes),
            Fact::Messages { .. }
            | Fact::Questions { .. }
            | Fact::MessageSays { .. }
            | Fact::MessageNames { .. }
            | Fact::Attempt { .. }
            | Fact::Told { .. } => self.check_message(fact),
            Fact::Get { .. } => Err(anyhow!("the API is asked at one time; use `at` or `by`")),
            Fact::Tested { person, channel } => self.claim_test(person, channel, window),
            Fact::Test {
                person,
                channel,
                state,
            } => self.check_test(person, channel, state),
            Fact::TestSays {
                person,
                text,
                is_so,
            } => self.check_test_says(person, text, *is_so),
            Fact::Doctor { text, is_so } => self.check_doctor(text, *is_so),
            Fact::Check { text, is_so } => self.check_configuration(text, *is_so),
            Fact::Proven {
                person,
                kind,
                is_so,
            } => self.check_proven(person, kind, *is_so),
            Fact::NoButton { person, button } => {
                let member = self.setup.contact(person, "slack").unwrap_or_default();
                let slack = self.slack.as_ref().context("there is no Slack")?;
                let press = slack.press_request(&Press::newest(member, button));
                ensure!(
                    press.is_err(),
                    "expected no button, but {person} still sees one"
                );
                Ok(())
            }
        }
    }

    /// Asks the API, in somebody's name.
    pub(super) async fn check_answer(&self, path: &str, text: &str) -> Result<()> {
        let found = self.endpoints()?.get(path, &self.somebody()?).await?;
        ensure!(
            found.contains(text),
            "expected {text:?} at {path}, but found {found}"
        );
        Ok(())
    }

    /// Marks the first matching page as expected.
    fn claim(
        &mut self,
        person: &str,
        channel: &str,
        incident: Option<u64>,
        (from, to): (u64, u64),
    ) -> Result<()> {
        let open = self.pages.iter_mut().find(|(page, is_claimed)| {
            !is_claimed
                && page.person == person
                && page.channel == channel
                && incident.is_none_or(|it| it == page.incident)
                && (from..=to).contains(&page.at)
        });
        if let Some((_, is_claimed)) = open {
            *is_claimed = true;
            return Ok(());
        }
        let others = self.pages.iter().filter(|it| !it.1);
        let others: Vec<String> = others.map(|(page, _)| page.to_string()).collect();
        let instead = match others.is_empty() {
            true => "there is no other page".to_owned(),
            false => others.join("; "),
        };
        Err(anyhow!(
            "expected a page to {person} by {channel}, but {instead}"
        ))
    }

    /// Marks all pages to a person as expected that are about the incidents up to a number; each of
    /// these must have brought one.
    fn claim_all(&mut self, person: &str, last: u64) -> Result<()> {
        let mut missing: BTreeSet<u64> = (1..=last).collect();
        let of_person = self.pages.iter_mut().filter(|it| it.0.person == person);
        for (page, is_claimed) in of_person.filter(|it| it.0.incident <= last) {
            missing.remove(&page.incident);
            *is_claimed = true;
        }
        ensure!(
            missing.is_empty(),
            "{person} was not paged about the incidents {missing:?}"
        );
        Ok(())
    }

    pub(super) fn state(&self, number: u64) -> Result<Arc<IncidentState>> {
        let state = self.app()?.view.incident_of_number(number)?;
        state.with_context(|| format!("expected incident {number}, but there is none"))
    }

    fn stream(&self, state: &IncidentState) -> Result<Vec<Recorded>> {
        let store = &self.app()?.store;
        Ok(events_of(store.as_ref(), &state.incident.id)?)
    }

    fn check_log(&self, number: u64, text: &str, times: Option<usize>) -> Result<()> {
        let lines = self.lines(number)?;
        let found = lines.iter().filter(|it| it.contains(text)).count();
        let is_so = times.map_or(found > 0, |it| it == found);
        let wanted = times.map_or("a line".to_owned(), |it| format!("{it} lines"));
        ensure!(
            is_so,
            "expected {wanted} with {text:?} in the log, but found {found}"
        );
        Ok(())
    }

    fn check_order(&self, number: u64, texts: &[String]) -> Result<()> {
        ensure!(!texts.is_empty(), "name the texts that the log has");
        let mut lines = self.lines(number)?.into_iter();
        for text in texts {
            ensure!(
                lines.any(|it| it.contains(text)),
                "expected a later line with {text:?} in the log"
            );
        }
        Ok(())
    }

    fn lines(&self, number: u64) -> Result<Vec<String>> {
        let state = self.state(number)?;
        let stream = self.stream(&state)?;
        let lines = stream.iter().map(|it| narrate(&state.incident, it));
        Ok(lines.collect())
    }

    /// Reports are in the first event of an incident and in the faults of the folder.
    fn check_report(&self, text: &str) -> Result<()> {
        let app = self.app()?;
        let mut reports: Vec<String> = app
            .policies
            .faults()
            .iter()
            .map(ToString::to_string)
            .collect();
        for summary in summary::after(app.store.as_ref(), None, PAGE_ROWS)? {
            let state = self.state(summary.number())?;
            for recorded in self.stream(&state)? {
                if let Event::Opened(opened) = recorded.event {
                    let sources = [opened.route_source, opened.grade_source, opened.plan_source];
                    reports.extend(sources.into_iter().flatten().filter_map(|it| it.fallback));
                }
            }
        }
        let is_so = reports.iter().any(|it| it.contains(text));
        ensure!(
            is_so,
            "expected a report with {text:?}, but found {reports:#?}"
        );
        Ok(())
    }

    /// The id of an incident's war room.
    pub(super) fn room(&self, number: u64) -> Result<String> {
        let state = self.state(number)?;
        let room = state.incident.refs.iter().find(|it| it.kind == "channel");
        let room = room.with_context(|| format!("incident {number} has no war room"))?;
        Ok(room.id.clone())
    }

    fn check_room(&self, number: u64, text: &str) -> Result<()> {
        let room = self.room(number)?;
        let slack = self.slack.as_ref().context("there is no Slack")?;
        let channels = slack.channels();
        let channel = channels.iter().find(|it| it.id == room);
        let messages = channel.map(|it| it.messages.as_slice()).unwrap_or_default();
        let said: Vec<String> = messages.iter().map(|it| it.shown()).collect();
        let is_so = said.iter().any(|it| it.contains(text));
        ensure!(
            is_so,
            "expected {text:?} in the war room, but found {said:#?}"
        );
        Ok(())
    }

    /// What the messages in the channel of an audience say.
    fn said_in(&self, channel: &str) -> Result<Vec<String>> {
        let slack = self.slack.as_ref().context("there is no Slack")?;
        let messages = slack.messages(channel);
        Ok(messages.iter().map(|it| it.shown()).collect())
    }

    /// The alert with this name, or from PagerDuty with this key.
    pub(super) fn alert(&self, name: &str) -> Result<Alert> {
        let rows = self.app()?.store.rows(Table::Alert, "", None, PAGE_ROWS)?;
        for (_, row) in rows {
            let alert: Alert = serde_json::from_value(row.value)?;
            let alertname = alert.labels.get("alertname").map(String::as_str);
            if alertname.unwrap_or(alert.fingerprint.as_str()) == name {
                return Ok(alert);
            }
        }
        Err(anyhow!("expected the alert {name}, but there is none"))
    }

    fn check_history(&self, name: &str, wanted: &str) -> Result<()> {
        let alert = self.alert(name)?;
        let of = HistoryOf::alert(&alert.integration, &alert.fingerprint);
        let ever = (Timestamp(0), Timestamp(i64::MAX));
        let store = self.app()?.store.as_ref();
        let entries = HistoryReader::between(store, Some(of), ever.0, ever.1)?;
        let kinds = entries.map(|it| Ok(it?.kind.to_string()));
        let found = kinds.collect::<Result<Vec<_>>>()?.join(",");
        ensure!(
            found == wanted,
            "expected that {name} did {wanted}, but it did {found}"
        );
        Ok(())
    }

    fn check_alert(&self, name: &str, wanted: &str) -> Result<()> {
        let alert = self.alert(name)?;
        let found = match (&alert.place, alert.firing) {
            (_, false) if alert.fires_at.is_some() => "is heard of",
            (_, false) => "is over",
            (Place::Incident { .. }, true) if !alert.silenced_by.is_empty() => {
                "is silenced in its incident"
            }
            (Place::Incident { .. }, true) => "fires",
            (Place::Waiting { .. }, true) => "waits",
            (Place::Silenced { .. }, true) => "is silenced",
            (Place::Ignored { .. } | Place::Expected {}, true) => "is ignored",
        };
        ensure!(found == wanted, "expected that it {wanted}, but it {found}");
        Ok(())
    }
}

pub(super) fn count_is<T: Display, U: Display>(
    what: &str,
    is_so: bool,
    wanted: T,
    found: U,
) -> Result<()> {
    ensure!(is_so, "expected {wanted} {what}, but found {found}");
    Ok(())
}

fn holds(state: &IncidentState, first: Option<&Recorded>, claim: &Claim) -> Result<()> {
    let incident = &state.incident;
    let counts = state.tally.counts;
    let file = match first.map(|it| &it.event) {
        Some(Event::Opened(opened)) => opened.grade_source.as_ref().map(|it| it.file.clone()),
        _ => None,
    };
    let text = |it: &Option<_>| it.as_ref().map_or("nobody".to_owned(), ToString::to_string);
    let operator = incident
        .roles
        .operator
        .as_ref()
        .map_or("nobody", |it| it.as_str());
    let (what, wanted, found) = match claim {
        Claim::Status(it) => ("status", it.clone(), incident.lifecycle.status.to_string()),
        Claim::Grade(it) => ("grade", it.clone(), incident.grading.grade.to_string()),
        Claim::Because(why) => {
            let reason = &incident.grading.reason;
            ensure!(
                reason.contains(why.as_str()),
                "expected the grade's reason to contain {why:?}, but it is {reason:?}"
            );
            return Ok(());
        }
        Claim::Security => {
            let found = incident.grading.security.to_string();
            ("security flag", "true".to_owned(), found)
        }
        Claim::GradedBy(it) => ("policy", it.clone(), text(&file)),
        Claim::Operator(it) => ("operator", it.clone(), operator.to_owned()),
        Claim::Unanswered => {
            let answered = incident.lifecycle.acknowledged_at.is_some();
            ("acknowledgement", "false".to_owned(), answered.to_string())
        }
        Claim::Alerts(it) => ("count of alerts", it.to_string(), counts.total.to_string()),
        Claim::Firing(it) => {
            let found = counts.firing.to_string();
            ("count of firing alerts", it.to_string(), found)
        }
        Claim::Service(it) => ("service", it.clone(), incident.about.service.clone()),
        Claim::Team(it) => {
            let team = incident
                .about
                .team
                .as_ref()
                .map_or("none", |it| it.as_str());
            ("team", it.clone(), team.to_owned())
        }
        Claim::Reopened(it) => {
            let found = incident.lifecycle.reopens.to_string();
            ("count of reopenings", it.to_string(), found)
        }
    };
    ensure!(
        wanted == found,
        "expected the {what} {wanted}, but it is {found}"
    );
    Ok(())
}
