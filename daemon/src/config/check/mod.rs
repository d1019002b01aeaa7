//! Checks beyond types: references between sections, ranges, and combinations that would fail at
//! run time.

mod integrations;
mod people;
mod relays;
mod rotations;

use std::collections::BTreeSet;

use tocsin_core::PageTarget;
use tocsin_core::limits::{STEP_TARGETS_MAX, SUSPECT_WITHIN_MS_MAX};
use tocsin_core::time::{MINUTE_MS, SECOND_MS};

use super::escalation::LOUD_MAX;
use super::fault::Fault;
use super::load::Declared;
use super::server::{BODY_BYTES_CEILING, BODY_BYTES_FLOOR, GRACE_S_MAX};
use super::source::{Place, Source, at};
use super::{Config, EscalationConfig, ServerConfig};

pub use people::AddressForm;
pub(super) use people::{addresses, contacts_served};

/// Longest id of a person, team, rotation, integration or plugin, in bytes.
const ID_BYTES_MAX: usize = 64;

/// Longest `bundle-window`, in milliseconds.
const BUNDLE_WINDOW_MS_MAX: u64 = 5 * MINUTE_MS;
/// Highest `pages-max`.
const PAGES_MAX_CEILING: u32 = 20;

/// Checks all sections.
pub(super) fn config(
    config: &Config,
    source: &Source,
    declared: &Declared,
    unread: &BTreeSet<&'static str>,
    faults: &mut Vec<Fault>,
) {
    let mut check = Check {
        config,
        source,
        declared,
        faults,
    };
    check.ids();
    check.server(&config.server);
    check.incidents();
    check.heartbeat();
    check.people();
    check.rotations();
    check.integrations();
    if !unread.contains("escalation") {
        check.escalation(&config.escalation);
    }
    for (name, relay) in &config.relays {
        check.relay(at!["relays", name.as_str()], relay);
    }
    match &config.mail {
        Some(mail) => check.relay(at!["mail"], mail),
        None if unread.contains("mail") || config.integrations.is_empty() => {}
        None => check.warning(
            at!["integrations"],
            "there is no [mail] section, so a page that no plugin delivers is lost".to_owned(),
            "add [mail] with an SMTP relay: it is the last resort of every page",
        ),
    }
}

struct Check<'a> {
    config: &'a Config,
    source: &'a Source,
    declared: &'a Declared,
    faults: &'a mut Vec<Fault>,
}

impl Check<'_> {
    fn error(&mut self, place: &[Place<'_>], message: String, remedy: &str) {
        self.faults.push(self.source.error(place, message, remedy));
    }

    fn warning(&mut self, place: &[Place<'_>], message: String, remedy: &str) {
        self.faults
            .push(self.source.warning(place, message, remedy));
    }

    /// Whether `[section.id]` is in the file, valid or not.
    fn declares(&self, section: &str, id: &str) -> bool {
        self.declared
            .get(section)
            .is_some_and(|ids| ids.contains(id))
    }

    /// Ids are used in URLs, in page targets and in metrics.
    fn ids(&mut self) {
        for (section, ids) in self.declared {
            for id in ids.iter().filter(|id| !is_id(id)) {
                let message = format!("`{id}` is not a valid name in [{section}]");
                let remedy =
                    "use at most 64 of a-z, 0-9, `-`, `_` and `.`, a letter or digit first";
                self.error(at![*section, id], message, remedy);
            }
        }
    }

    fn server(&mut self, server: &ServerConfig) {
        let bytes = server.body_bytes_max;
        if !(BODY_BYTES_FLOOR..=BODY_BYTES_CEILING).contains(&bytes) {
            let message = format!("body-bytes-max is {bytes}");
            let remedy = format!("choose {BODY_BYTES_FLOOR} to {BODY_BYTES_CEILING} bytes");
            self.error(at!["server", "body-bytes-max"], message, &remedy);
        }
        if server.grace_s > GRACE_S_MAX {
            let message = format!("grace-s is {}", server.grace_s);
            self.error(
                at!["server", "grace-s"],
                message,
                "choose at most 600 seconds",
            );
        }
        match &server.public_url {
            Some(url) if !is_base_url(url) => self.error(
                at!["server", "public-url"],
                format!("public-url `{url}` is not the URL of a server"),
                "write it as \"https://tocsin.example.com\", without a path",
            ),
            None if !server.listen.ip().is_loopback() => self.error(
                at!["server", "listen"],
                format!(
                    "listen is {}, which other machines can reach, but public-url is missing",
                    server.listen
                ),
                "add public-url = \"https://…\" so that acknowledge links lead back here, \
                 or listen on 127.0.0.1",
            ),
            _ => {}
        }
    }

    fn incidents(&mut self) {
        let resolve_after = self.config.incidents.resolve_after;
        if resolve_after.as_ms() < SECOND_MS {
            let message = format!("resolve-after is {resolve_after}");
            let remedy = "choose at least \"1s\", better a few minutes because of flapping alerts";
            self.error(at!["incidents", "resolve-after"], message, remedy);
        }
        let within = self.config.incidents.suspect_changes_within;
        if within.as_ms() > SUSPECT_WITHIN_MS_MAX {
            let message = format!("suspect-changes-within is {within}");
            let place = at!["incidents", "suspect-changes-within"];
            self.error(place, message, "choose \"0s\" to \"7d\"");
        }
    }

    fn heartbeat(&mut self) {
        let Some(heartbeat) = &self.config.heartbeat else {
            return;
        };
        let every = heartbeat.every;
        if !(10 * SECOND_MS..=60 * MINUTE_MS).contains(&every.as_ms()) {
            let message = format!("every is {every}");
            self.error(
                at!["heartbeat", "every"],
                message,
                "choose \"10s\" to \"1h\"",
            );
        }
    }

    fn escalation(&mut self, escalation: &EscalationConfig) {
        let wait = escalation.contact_wait;
        if !(SECOND_MS..=10 * MINUTE_MS).contains(&wait.as_ms()) {
            let message = format!("contact-wait is {wait}");
            self.error(
                at!["escalation", "contact-wait"],
                message,
                "choose \"1s\" to \"10m\"",
            );
        }
        let window = escalation.bundle_window;
        if window.as_ms() > BUNDLE_WINDOW_MS_MAX {
            let place = at!["escalation", "bundle-window"];
            self.error(
                place,
                format!("bundle-window is {window}"),
                "choose \"0s\" to \"5m\"",
            );
        }
        if escalation.loud.len() > LOUD_MAX {
            let message = format!("loud names {} kinds", escalation.loud.len());
            self.error(at!["escalation", "loud"], message, "keep at most 32");
        }
        if !(1..=PAGES_MAX_CEILING).contains(&escalation.pages_max) {
            let message = format!("pages-max is {}", escalation.pages_max);
            self.error(at!["escalation", "pages-max"], message, "choose 1 to 20");
        }
        for kind in escalation.notify.kinds() {
            let mut contacts = self.config.people.values().flat_map(|it| &it.contacts);
            if !contacts.any(|it| it.kind == kind) {
                let message = format!("a ladder names `{kind}`, which nobody has");
                let remedy = format!("add {{ kind = \"{kind}\", address = \"…\" }} to a person");
                self.warning(at!["escalation", "notify"], message, &remedy);
            }
        }
        let place = at!["escalation", "fallback"];
        if escalation.fallback.len() > STEP_TARGETS_MAX {
            let message = format!("fallback has {} targets", escalation.fallback.len());
            self.error(place, message, "name at most 16");
        }
        for (number, target) in escalation.fallback.iter().enumerate() {
            self.target(at!["escalation", "fallback", number], target);
        }
        let remedy = "name a person who can always be paged, such as fallback = [\"person:ada\"]";
        if escalation.fallback.is_empty() {
            if let Some(id) = self.config.integrations.keys().next() {
                let message = format!(
                    "nobody is paged when a policy fails: [integrations.{id}] needs \
                     [escalation] fallback"
                );
                self.error(place, message, remedy);
            }
        } else if !escalation
            .fallback
            .iter()
            .any(|target| self.always_somebody(target))
        {
            let message = "fallback may reach nobody, as a rotation can have gaps";
            self.error(place, message.to_owned(), remedy);
        }
    }

    /// Whether `target` names something that the file declares.
    fn target(&mut self, place: &[Place<'_>], target: &PageTarget) {
        let (section, id) = match target {
            PageTarget::Person(id) => ("people", id.as_str()),
            PageTarget::Team(id) => ("teams", id.as_str()),
            PageTarget::OnCall(name) if self.declares("teams", name) => ("teams", name.as_str()),
            PageTarget::OnCall(name) => ("rotations", name.as_str()),
        };
        if !self.declares(section, id) {
            let message = format!("{target} names nobody: there is no [{section}.{id}]");
            self.error(place, message, "add it, or name another target");
        }
    }

    fn always_somebody(&self, target: &PageTarget) -> bool {
        match target {
            PageTarget::Person(id) => self.declares("people", id.as_str()),
            PageTarget::Team(id) => self
                .config
                .people
                .values()
                .any(|person| person.teams.contains(id)),
            PageTarget::OnCall(_) => false,
        }
    }
}

fn is_id(id: &str) -> bool {
    id.len() <= ID_BYTES_MAX
        && id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
}

fn is_base_url(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

fn is_ip(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}
