//! Reads the calendars of people, and keeps when they are out of office in the store, so that a
//! restart without network still knows. A calendar that cannot be read leaves what it said before.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{PersonId, Timestamp};
use url::Url;

use crate::config::{CalendarConfig, CalendarUrl, Config};
use crate::ical::{CALENDAR_BYTES_MAX, CalendarFault, out_of_office};
use crate::people::Absences;
use crate::runtime::clock::Clock;
use crate::runtime::engine::writer::Writer;
use crate::runtime::registry::on_call::OnCall;
use crate::runtime::state::tables::absence::AbsenceRow;

/// How often a calendar is read, in milliseconds.
pub const CALENDAR_EVERY_MS: u64 = 15 * MINUTE_MS;
/// How far ahead a calendar is read, in milliseconds: so long does it count when it cannot be read
/// again.
pub const CALENDAR_AHEAD_MS: u64 = 92 * 24 * HOUR_MS;
/// How far back, in milliseconds.
const BACK_MS: u64 = 24 * HOUR_MS;
/// How old the time of reading in the store may get, in milliseconds, while nothing changes.
const NOTED_EVERY_MS: u64 = 6 * HOUR_MS;
/// How long a calendar may take to arrive.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);
/// How many are read at once.
const AT_ONCE: usize = 4;
/// Redirects that are followed.
const REDIRECTS_MAX: usize = 3;

/// The calendars of people.
pub struct Calendars {
    sources: Vec<Source>,
    /// If a calendar is on the web.
    http: Option<reqwest::Client>,
    clock: Arc<dyn Clock>,
    on_call: Arc<OnCall>,
    writer: Writer,
    states: Mutex<BTreeMap<PersonId, CalendarState>>,
}

struct Source {
    person: PersonId,
    config: CalendarConfig,
    /// The person's time zone, of times that name none.
    zone: Tz,
}

/// How reading a calendar went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarState {
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// Why that failed, if it did. Never shows a secret, or what a calendar says.
    pub fault: Option<String>,
}

impl Calendars {
    /// The calendars of a configuration.
    ///
    /// # Errors
    /// When there is no HTTP client.
    pub fn new(
        config: &Config,
        clock: Arc<dyn Clock>,
        on_call: Arc<OnCall>,
        writer: Writer,
    ) -> Result<Self, reqwest::Error> {
        let sources = config.people.iter().filter_map(|(id, person)| {
            Some(Source {
                person: id.clone(),
                config: person.calendar.clone()?,
                zone: person.timezone.0,
            })
        });
        let sources: Vec<Source> = sources.collect();
        let needs_http = sources.iter().any(|it| it.config.url.is_some());
        Ok(Self {
            http: needs_http.then(client).transpose()?,
            sources,
            clock,
            on_call,
            writer,
            states: Mutex::default(),
        })
    }

    /// Why calendars could not be read, by person.
    #[must_use]
    pub fn faults(&self) -> Vec<(PersonId, String)> {
        let states = self.states.lock();
        let faults = states.iter();
        faults
            .filter_map(|(person, it)| Some((person.clone(), it.fault.clone()?)))
            .collect()
    }

    /// Reads the calendars that are due.
    pub async fn read_due(&self) {
        let now = self.clock.now();
        let is_due = |source: &&Source| {
            let states = self.states.lock();
            let tried = states.get(&source.person).and_then(|it| it.tried_at);
            // The clock may have been set back.
            tried.is_none_or(|at| now.since(at) >= CALENDAR_EVERY_MS || now < at)
        };
        let due = self.sources.iter().filter(is_due);
        let reads: Vec<_> = due.map(|source| self.read(source, now)).collect();
        let reads = futures_util::stream::iter(reads).buffer_unordered(AT_ONCE);
        reads.collect::<Vec<()>>().await;
    }

    async fn read(&self, source: &Source, now: Timestamp) {
        let fault = match self.absences(source, now).await {
            Ok(absences) => self.keep(source, absences, now).await.err(),
            Err(why) => Some(why),
        };
        if let Some(why) = &fault {
            let person = source.person.as_str();
            tracing::warn!(
                person,
                why,
                "a calendar cannot be read; what it said before counts"
            );
        }
        let state = CalendarState {
            tried_at: Some(now),
            fault,
        };
        self.states.lock().insert(source.person.clone(), state);
    }

    /// Keeps what a calendar said, unless that is kept already.
    async fn keep(
        &self,
        source: &Source,
        absences: Absences,
        now: Timestamp,
    ) -> Result<(), String> {
        let row = AbsenceRow {
            person: source.person.clone(),
            place: source.config.place(),
            read_at: now,
            absences,
        };
        let (ends_at, noted_since) = (now.plus_ms(CALENDAR_AHEAD_MS), now.minus_ms(NOTED_EVERY_MS));
        let kept = self
            .on_call
            .keep_absences(row, ends_at, noted_since, &self.writer);
        kept.await.map_err(|error| error.to_string())
    }

    async fn absences(&self, source: &Source, now: Timestamp) -> Result<Absences, String> {
        let (zone, words) = (source.zone, source.config.words.clone());
        let window = (now.minus_ms(BACK_MS), now.plus_ms(CALENDAR_AHEAD_MS));
        let text = match (&source.config.url, &source.config.file) {
            (Some(url), _) => Document::Fetched(self.fetch(url).await?),
            (None, Some(file)) => Document::File(file.clone()),
            (None, None) => return Err("it has neither a url nor a file".to_owned()),
        };
        let read = tokio::task::spawn_blocking(move || {
            let text = String::from_utf8_lossy(&text.bytes()?).into_owned();
            out_of_office(&text, zone, &words, window).map_err(|fault| fault.to_string())
        });
        read.await.map_err(|error| error.to_string())?
    }

    async fn fetch(&self, url: &CalendarUrl) -> Result<Vec<u8>, String> {
        let url = match url {
            CalendarUrl::Plain(url) => url.clone().into(),
            CalendarUrl::Secret(secret) => secret.read().map_err(|error| error.to_string())?,
        };
        let url = parse_url(url.expose_secret()).ok_or("it is not an http or https URL")?;
        let failed = |error: reqwest::Error| innermost(&error.without_url());
        let http = self.http.as_ref().ok_or("there is no HTTP client")?;
        let mut answer = http.get(url).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("its server answers {}", answer.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > CALENDAR_BYTES_MAX {
                return Err(CalendarFault::TooLarge.to_string());
            }
        }
        Ok(bytes)
    }
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(FETCH_TIMEOUT)
        .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::limited(REDIRECTS_MAX))
        .build()
}

enum Document {
    Fetched(Vec<u8>),
    File(PathBuf),
}

impl Document {
    fn bytes(self) -> Result<Vec<u8>, String> {
        let path = match self {
            Self::Fetched(bytes) => return Ok(bytes),
            Self::File(path) => path,
        };
        let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let limit = u64::try_from(CALENDAR_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&path).map_err(failed)?;
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        Ok(bytes)
    }
}

/// `webcal:` is how calendar programs write the address of a calendar to subscribe to.
fn parse_url(text: &str) -> Option<Url> {
    let text = text.trim();
    let text = match text.strip_prefix("webcal:") {
        Some(rest) => format!("https:{rest}"),
        None => text.to_owned(),
    };
    let url = Url::parse(&text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// The innermost cause; the outer ones only say that a request failed.
fn innermost(error: &reqwest::Error) -> String {
    let mut why: &dyn std::error::Error = error;
    while let Some(source) = why.source() {
        why = source;
    }
    why.to_string()
}

#[cfg(test)]
mod tests;
