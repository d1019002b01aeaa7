//! Checks of people, teams and contacts.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::Check;
use crate::config::fault::Fault;
use crate::config::people::{CONTACTS_MAX, LEVEL_MAX, PersonConfig};
use crate::config::source::{Source, at};
use crate::config::{CALENDAR_WORDS_MAX, CalendarConfig, CalendarUrl, Config, ContactConfig};
use crate::people::MAIL_CONTACT;

/// The kinds of contacts whose address is a telephone number.
const PHONE_CONTACTS: [&str; 2] = ["phone", "sms"];

impl Check<'_> {
    pub(super) fn people(&mut self) {
        let config = self.config;
        let mut taken: BTreeMap<&ContactKey, &str> = BTreeMap::new();
        let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
        let keys: Vec<(&str, Vec<ContactKey>)> = config
            .people
            .iter()
            .map(|(id, person)| (id.as_str(), person.contacts.iter().map(key_of).collect()))
            .collect();
        for (id, contacts) in &keys {
            for (number, contact) in contacts.iter().enumerate() {
                // A reply to a text also acknowledges a call to its number.
                let is_number = PHONE_CONTACTS.contains(&contact.0.as_str());
                let caller = is_number.then(|| numbers.insert(&contact.1, id)).flatten();
                let caller = caller.filter(|it| it != id);
                let Some(other) = taken.insert(contact, id).or(caller) else {
                    continue;
                };
                let message = format!(
                    "contact {} {} of `{id}` is already a contact of `{other}`",
                    contact.0, contact.1
                );
                let remedy = "remove one: acknowledgements from it could be the wrong person's";
                self.error(at!["people", *id, "contacts", number], message, remedy);
            }
        }
        for (id, person) in &config.people {
            self.person(id.as_str(), person);
        }
        for (id, team) in &config.teams {
            let Some(rotation) = &team.rotation else {
                continue;
            };
            if !self.declares("rotations", rotation) {
                let message = format!("there is no rotation `{rotation}`");
                let remedy = format!("add [rotations.{rotation}], or name one that exists");
                self.error(at!["teams", id.as_str(), "rotation"], message, &remedy);
            }
        }
    }

    fn person(&mut self, id: &str, person: &PersonConfig) {
        if person.name.trim().is_empty() {
            let message = format!("`{id}` has no name");
            self.error(at!["people", id, "name"], message, "add the person's name");
        }
        if person.level > LEVEL_MAX {
            let message = format!("`{id}` has the level {}", person.level);
            let remedy = "use 0 to 9, from the least experienced to the most";
            self.error(at!["people", id, "level"], message, remedy);
        }
        if person.contacts.len() > CONTACTS_MAX {
            let message = format!("`{id}` has {} contacts", person.contacts.len());
            self.error(at!["people", id, "contacts"], message, "keep at most 8");
        }
        for (number, team) in person.teams.iter().enumerate() {
            if !self.declares("teams", team.as_str()) {
                let message = format!("there is no team `{team}`");
                let remedy = format!("add [teams.{team}], or name one that exists");
                self.error(at!["people", id, "teams", number], message, &remedy);
            }
        }
        for (number, contact) in person.contacts.iter().enumerate() {
            self.contact(id, number, contact);
        }
        for kind in person.notify.kinds() {
            if !person.contacts.iter().any(|it| it.kind == kind) {
                let message = format!("the ladder of `{id}` names `{kind}`, which they have not");
                let remedy = format!("add {{ kind = \"{kind}\", address = \"…\" }} to contacts");
                self.warning(at!["people", id, "notify"], message, &remedy);
            }
        }
        if let Some(calendar) = &person.calendar {
            self.calendar(id, calendar);
        }
        let has_mail = person
            .contacts
            .iter()
            .any(|contact| contact.kind == MAIL_CONTACT);
        if person.contacts.is_empty() {
            let message = format!("`{id}` has no contacts, so they cannot be paged");
            let remedy = "add contacts = [{ kind = \"email\", address = \"…\" }]";
            self.warning(at!["people", id], message, remedy);
        } else if self.config.mail.is_some() && !has_mail {
            let message = format!("`{id}` has no mail address, so their pages have no last resort");
            let remedy = "add { kind = \"email\", address = \"…\" } as the last contact";
            self.warning(at!["people", id, "contacts"], message, remedy);
        }
    }

    fn calendar(&mut self, id: &str, calendar: &CalendarConfig) {
        let place = at!["people", id, "calendar"];
        if calendar.url.is_some() == calendar.file.is_some() {
            let message = format!("the calendar of `{id}` needs one place");
            let remedy = "give either url = \"https://…\" or file = \"path\"";
            self.error(place, message, remedy);
        }
        if let Some(CalendarUrl::Plain(url)) = &calendar.url
            && !["http://", "https://", "webcal://"]
                .iter()
                .any(|it| url.starts_with(it))
        {
            let message = format!("the calendar of `{id}` has a url that is not one of the web");
            let remedy = "write the address of an .ics file: \"https://…\"";
            self.error(at!["people", id, "calendar", "url"], message, remedy);
        }
        if calendar.words.len() > CALENDAR_WORDS_MAX {
            let message = format!("the calendar of `{id}` has {} words", calendar.words.len());
            self.error(
                at!["people", id, "calendar", "words"],
                message,
                "keep at most 64",
            );
        }
    }

    fn contact(&mut self, id: &str, number: usize, contact: &ContactConfig) {
        let place = at!["people", id, "contacts", number];
        if contact.kind.is_empty() || contact.address.trim().is_empty() {
            let message = format!("a contact of `{id}` has an empty kind or address");
            self.error(place, message, "write both, or remove it");
        } else if contact.kind == MAIL_CONTACT
            && contact.address.parse::<lettre::Address>().is_err()
        {
            let message = format!("`{}` is not a mail address", contact.address);
            self.error(place, message, "write it as \"ada@example.com\"");
        } else if PHONE_CONTACTS.contains(&contact.kind.as_str()) && !is_number(&contact.address) {
            let message = format!("`{}` is not a telephone number", contact.address);
            let remedy = "write it with its country and without spaces, as \"+15551234567\"";
            self.error(place, message, remedy);
        }
    }
}

/// E.164.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|it| it.is_ascii_digit())
}

type ContactKey = (String, String);

fn key_of(contact: &ContactConfig) -> ContactKey {
    (contact.kind.clone(), contact.address.to_lowercase())
}

/// What the addresses of a kind of contacts must look like.
#[derive(Clone, Debug)]
pub struct AddressForm {
    pub kind: String,
    /// Matches whole addresses.
    pub pattern: Regex,
    /// The same in words.
    pub help: String,
}

/// Contacts whose address is not what the plugin that serves them can page.
pub(in crate::config) fn addresses(
    config: &Config,
    source: &Source,
    forms: &[AddressForm],
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, person) in &config.people {
        for (number, contact) in person.contacts.iter().enumerate() {
            let ContactConfig { kind, address, .. } = contact;
            let mut of_kind = forms.iter().filter(|it| it.kind == *kind);
            let wrong = of_kind.find(|it| !it.pattern.is_match(address));
            // An empty one has its own fault.
            if let Some(form) = wrong.filter(|_| !address.trim().is_empty()) {
                let place = at!["people", id.as_str(), "contacts", number];
                let message = format!("`{address}` of `{id}` is not an address of kind `{kind}`");
                let remedy = format!("write {}", form.help);
                faults.push(source.error(place, message, &remedy));
            }
        }
    }
    faults
}

/// Contacts of a kind that neither a plugin nor the host's relay serves.
pub(in crate::config) fn contacts_served(
    config: &Config,
    source: &Source,
    served: &BTreeSet<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (id, person) in &config.people {
        for (number, contact) in person.contacts.iter().enumerate() {
            let kind = &contact.kind;
            let by_mail = kind == MAIL_CONTACT && config.mail.is_some();
            if by_mail || served.contains(kind) {
                continue;
            }
            let place = at!["people", id.as_str(), "contacts", number];
            let message = format!("nothing serves contacts of kind `{kind}`");
            let remedy = match kind.as_str() {
                MAIL_CONTACT => "add [mail] with an SMTP relay, or a plugin that serves it",
                _ => "add a plugin whose manifest lists it in `contacts`, or correct the kind",
            };
            faults.push(source.error(place, message, remedy));
        }
    }
    faults
}
