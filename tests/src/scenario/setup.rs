//! The setup of a scenario, and the configuration file that is generated from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::DateTime;
use tocsin_core::Timestamp;

use super::words::pair;

/// The store that the daemon uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// In memory, copied at a crash.
    Memory,
    /// sled on disk.
    Sled,
}

#[derive(Clone, Debug)]
pub struct Setup {
    pub start: Timestamp,
    /// People by name, each with contacts and teams.
    pub people: BTreeMap<String, Vec<(String, String)>>,
    /// Policies that replace shipped ones, by file name without `.rhai`.
    pub policies: BTreeMap<String, String>,
    /// Whether the scenario also runs on sled.
    pub on_sled: bool,
    /// The audiences that have a channel in Slack: `engineering` and `company`.
    pub channels: Vec<String>,
    /// Why a run with restarts may differ, if it may.
    pub restarts_matter: Option<String>,
    /// Why the scenario runs only once and without restarts, if it does.
    pub once: Option<String>,
    rotations: Vec<(String, BTreeMap<String, String>)>,
    incidents: BTreeMap<String, String>,
    /// Settings of the escalation, in the configuration's format.
    escalation: Vec<String>,
    /// More of the configuration of each sender.
    senders: BTreeMap<String, String>,
    fallback: Option<String>,
    /// The kinds of contacts that make a sound.
    loud: Option<String>,
    /// A person, a grade or `default`, and the ladder in the configuration's format.
    ladders: Vec<(String, String, String)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            // A Monday at noon, UTC.
            start: Timestamp(1_772_452_800_000),
            people: BTreeMap::new(),
            policies: BTreeMap::new(),
            on_sled: false,
            channels: Vec::new(),
            restarts_matter: None,
            once: None,
            rotations: Vec::new(),
            // Most stories are about something else.
            incidents: [("ask-approach-after".to_owned(), "0s".to_owned())].into(),
            escalation: Vec::new(),
            senders: BTreeMap::new(),
            fallback: None,
            loud: None,
            ladders: Vec::new(),
        }
    }
}

/// The addresses of external services, for the configuration.
pub(super) struct Outside {
    /// The mail relay's port.
    pub(super) mail_port: u16,
    /// The configuration of the Slack plugin, for the stand-in.
    pub(super) slack: Option<String>,
    /// Time limit of a plugin call, in milliseconds.
    pub(super) call_ms: u64,
}

impl Setup {
    /// Reads one line.
    pub(super) fn take(&mut self, words: &[String], block: Option<String>) -> Result<(), String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (words.as_slice(), block) {
            (["start", at], None) => self.start = instant(at)?,
            (["person", name, rest @ ..], None) => {
                let facts = rest.iter().map(|it| pair(it)).collect::<Result<_, _>>()?;
                self.people.insert((*name).to_owned(), facts);
            }
            (["rotation", name, people, rest @ ..], None) => {
                let mut facts: BTreeMap<_, _> =
                    rest.iter().map(|it| pair(it)).collect::<Result<_, _>>()?;
                facts.insert("people".to_owned(), (*people).to_owned());
                self.rotations.push(((*name).to_owned(), facts));
            }
            (["channels", audiences], None) => {
                self.channels = audiences.split(',').map(str::to_owned).collect();
            }
            (["loud", kinds], None) => self.loud = Some((*kinds).to_owned()),
            (["fallback", target], None) => self.fallback = Some((*target).to_owned()),
            (["ladder", person, grade, rungs @ ..], None) if !rungs.is_empty() => {
                let ladder = (*person).to_owned();
                self.ladders
                    .push((ladder, (*grade).to_owned(), ladder_of(rungs)));
            }
            (["policy", "shipped"], None) => self.policies.clear(),
            (["policy", name], Some(text)) => {
                self.policies.insert((*name).to_owned(), text);
            }
            (
                [
                    "sender",
                    name @ ("alertmanager" | "prometheus" | "pagerduty"),
                ],
                Some(text),
            ) => {
                self.senders.insert((*name).to_owned(), text);
            }
            (
                [
                    key @ ("resolve-after"
                    | "reopen-within"
                    | "ask-approach-after"
                    | "suspect-changes-within"),
                    span,
                ],
                None,
            ) => {
                self.incidents.insert((*key).to_owned(), (*span).to_owned());
            }
            (["bundle-window", span], None) => {
                self.escalation.push(format!("bundle-window = {span:?}"));
            }
            (["pages-max", count], None) => self.escalation.push(format!("pages-max = {count}")),
            (["on", "sled", "too"], None) => self.on_sled = true,
            (["told", "once,", "because", why @ ..], None) => self.once = Some(why.join(" ")),
            (["restarts", "matter,", "because", why @ ..], None) => {
                self.restarts_matter = Some(why.join(" "));
            }
            _ => {
                let known = "start, person, rotation, channels, fallback, loud, ladder, \
                             policy, sender, resolve-after, reopen-within, ask-approach-after, \
                             suspect-changes-within, \
                             bundle-window, pages-max, `on sled too`, \
                             `told once, because WHY` or \
                             `restarts matter, because WHY`";
                return Err(format!("not a setup line; expected {known}"));
            }
        }
        Ok(())
    }

    /// The calendars of people who are away: the files' names and texts.
    pub(super) fn calendars(&self) -> impl Iterator<Item = (String, String)> {
        self.people.iter().filter_map(|(name, facts)| {
            let (_, away) = facts.iter().find(|it| it.0 == "away")?;
            let (from, until) = away.split_once("..")?;
            let [from, until] = [from, until].map(|it| it.replace('-', ""));
            let text = format!(
                "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:away\r\nSUMMARY:Lisbon\r\n\
                 DTSTART;VALUE=DATE:{from}\r\nDTEND;VALUE=DATE:{until}\r\n\
                 END:VEVENT\r\nEND:VCALENDAR\r\n"
            );
            Some((format!("{name}.ics"), text))
        })
    }

    /// Whether somebody has a Slack contact.
    #[must_use]
    pub fn needs_slack(&self) -> bool {
        self.people.values().flatten().any(|it| it.0 == "slack")
    }

    #[must_use]
    pub fn contact(&self, person: &str, kind: &str) -> Option<&str> {
        let facts = self.people.get(person)?;
        let found = facts.iter().find(|it| it.0 == kind);
        found.map(|it| it.1.as_str())
    }

    /// The person with a contact.
    #[must_use]
    pub fn who(&self, kind: &str, address: &str) -> Option<&str> {
        let has = |it: &(String, String)| it.0 == kind && it.1 == address;
        let mut people = self.people.iter();
        people
            .find(|(_, facts)| facts.iter().any(has))
            .map(|(name, _)| name.as_str())
    }

    /// The configuration file.
    pub(super) fn config(&self, outside: &Outside) -> String {
        let mut text = String::from("[server]\npublic-url = \"http://tocsin.test\"\n");
        text.push_str("[policy]\npath = \"policies\"\n[incidents]\n");
        for (key, span) in &self.incidents {
            let _ = writeln!(text, "{key} = {span:?}");
        }
        let first = self.people.keys().next().map_or("", String::as_str);
        let fallback = format!("person:{first}");
        let fallback = self.fallback.as_ref().unwrap_or(&fallback);
        let _ = writeln!(text, "[escalation]\nfallback = [{fallback:?}]");
        if let Some(kinds) = &self.loud {
            let kinds: Vec<_> = kinds.split(',').collect();
            let _ = writeln!(text, "loud = {kinds:?}");
        }
        for setting in self.escalation.iter().chain(&self.ladders_of("everybody")) {
            let _ = writeln!(text, "{setting}");
        }
        let _ = writeln!(
            text,
            "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
             from = \"tocsin@tocsin.test\"",
            outside.mail_port
        );
        self.write_people(&mut text);
        self.write_rotations(&mut text);
        for (name, kind) in [
            ("alertmanager", "alertmanager"),
            ("prometheus", "alertmanager-api"),
            ("pagerduty", "pagerduty"),
        ] {
            let more = self.senders.get(name).map_or("", String::as_str);
            let _ = writeln!(text, "[integrations.{name}]\nkind = {kind:?}\n{more}");
        }
        if let Some(plugin) = &outside.slack {
            let call_ms = outside.call_ms;
            let _ = writeln!(
                text,
                "{plugin}limits = {{ cpu-ms = 10000, wall-ms = {call_ms}, http-per-min = 240 }}"
            );
        }
        text
    }

    fn write_people(&self, text: &mut String) {
        let mut teams = BTreeSet::new();
        for (name, facts) in &self.people {
            // Nothing serves contacts of kind `pager`.
            let is_contact =
                |it: &&(String, String)| matches!(it.0.as_str(), "slack" | "email" | "pager");
            let contact = |(kind, address): &(String, String)| {
                format!("{{ kind = {kind:?}, address = {address:?} }}")
            };
            let contacts: Vec<String> = facts.iter().filter(is_contact).map(contact).collect();
            let own: Vec<&str> = facts
                .iter()
                .filter(|it| it.0 == "team")
                .flat_map(|it| it.1.split(','))
                .collect();
            let _ = writeln!(
                text,
                "[people.{name}]\nname = {name:?}\ncontacts = [{}]\nteams = {own:?}",
                contacts.join(", ")
            );
            if let Some(ladders) = self.ladders_of(name) {
                let _ = writeln!(text, "{ladders}");
            }
            if let Some((_, zone)) = facts.iter().find(|it| it.0 == "zone") {
                let _ = writeln!(text, "timezone = {zone:?}");
            }
            if facts.iter().any(|it| it.0 == "away") {
                let _ = writeln!(text, "calendar = {{ file = \"{name}.ics\" }}");
            }
            teams.extend(own);
        }
        for team in teams {
            let _ = writeln!(text, "[teams.{team}]\nname = {team:?}");
        }
    }

    /// The setting with somebody's ladders, if there are any.
    fn ladders_of(&self, whose: &str) -> Option<String> {
        let ladders = self.ladders.iter().filter(|it| it.0 == whose);
        let ladders: Vec<_> = ladders
            .map(|(_, grade, it)| format!("{grade} = {it}"))
            .collect();
        (!ladders.is_empty()).then(|| format!("notify = {{ {} }}", ladders.join(", ")))
    }

    fn write_rotations(&self, text: &mut String) {
        for (name, facts) in &self.rotations {
            let or = |key: &str, default: &str| {
                let found = facts.get(key).map_or(default, String::as_str);
                found.to_owned()
            };
            let people: Vec<String> = or("people", "").split(',').map(str::to_owned).collect();
            let _ = writeln!(
                text,
                "[rotations.{name}]\ntimezone = {:?}\nlayers = [{{ people = {people:?}, \
                 handover = {:?}, every = {:?}, start = {:?} }}]",
                or("zone", "UTC"),
                or("handover", "monday 09:00"),
                or("every", "1 week"),
                or("from", "2026-01-05"),
            );
        }
    }
}

/// A ladder in the configuration's format: rungs such as `slack,email`, and waits such as `2m`.
fn ladder_of(rungs: &[&str]) -> String {
    let item = |it: &&str| match it.starts_with(|it: char| it.is_ascii_digit()) {
        true => format!("{it:?}"),
        false => format!("{:?}", it.split(',').collect::<Vec<_>>()),
    };
    let items: Vec<_> = rungs.iter().map(item).collect();
    format!("[{}]", items.join(", "))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| Timestamp(at.timestamp_millis()))
        .map_err(|_| format!("`{text}` is not a time; write it as 2026-03-02T12:00:00+01:00"))
}
