//! The people of a simulated run, and their rotations.

use std::collections::BTreeMap;

use serde::Deserialize;
use tocsin::config::{CalendarConfig, Config, PersonConfig, RotationConfig};
use tocsin::people::Roster;
use tocsin::runtime::Request;
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Contact, Ladder, LadderRung, Ladders, PageTarget, Person, PersonId};

/// Everybody. Ned has no contacts, and nothing serves Pat's.
pub(in crate::sim) const NAMES: [&str; 5] = ["ada", "bob", "eve", "ned", "pat"];
/// Who is paged when nobody else can be.
pub(in crate::sim) const FALLBACK: &str = "ada";
const SERVED_BY_NONE: &str = "pigeon";

/// Handovers and hours are soon after the beginning of a run, which is at 22:13.
const CONFIG: &str = r#"
[people]
ada = { name = "Ada", calendar = { file = "ada.ics" } }
bob = { name = "Bob", calendar = { file = "bob.ics" } }
eve = { name = "Eve", calendar = { file = "eve.ics" } }
ned = { name = "Ned", calendar = { file = "ned.ics" } }
pat = { name = "Pat", calendar = { file = "pat.ics" } }

[rotations.web]
timezone = "UTC"

[[rotations.web.layers]]
people = ["eve", "pat"]
handover = "22:30"
every = "1 day"
start = "2023-11-01"
restrict = { hours = "22:20-23:20" }

[[rotations.web.layers]]
people = ["ada", "bob", "eve"]
handover = "23:00"
every = "1 day"
start = "2023-11-01"

[rotations.db]
timezone = "UTC"

[[rotations.db.layers]]
people = ["bob", "ada"]
handover = "00:00"
every = "1 day"
start = "2023-11-01"
restrict = { hours = "22:00-23:00" }
"#;

#[derive(Deserialize)]
struct Tables {
    people: BTreeMap<PersonId, PersonConfig>,
    rotations: BTreeMap<String, RotationConfig>,
}

/// The turns of a layer, each a day long, in UTC, as the model knows them.
pub(in crate::sim) struct Turns {
    pub people: &'static [&'static str],
    /// The minute of the day at which a turn begins.
    pub minute: u64,
    /// The minutes of the day that the layer covers; `None`: all.
    pub hours: Option<(u64, u64)>,
}

/// The layers of the configured rotations.
pub(in crate::sim) const ROTATIONS: [(&str, &[Turns]); 2] = [
    (
        "web",
        &[
            Turns {
                people: &["eve", "pat"],
                minute: 22 * 60 + 30,
                hours: Some((22 * 60 + 20, 23 * 60 + 20)),
            },
            Turns {
                people: &["ada", "bob", "eve"],
                minute: 23 * 60,
                hours: None,
            },
        ],
    ),
    (
        "db",
        &[Turns {
            people: &["bob", "ada"],
            minute: 0,
            hours: Some((22 * 60, 23 * 60)),
        }],
    ),
];
/// The day on which the first turns begin, in days since 1970: 2023-11-01.
pub(in crate::sim) const FIRST_DAY: u64 = 19_662;

/// Whether something serves a person's contacts, as far as lookups know. To find out that nobody
/// can be reached who has no contacts is left to the page.
#[must_use]
pub(in crate::sim) fn is_reachable(person: &Person) -> bool {
    !person.contacts.iter().any(|it| it.kind == SERVED_BY_NONE)
}

/// The configuration: everybody has a calendar.
///
/// # Errors
/// When it is not valid.
pub(in crate::sim) fn config() -> Result<Config, String> {
    toml::from_str::<Tables>(CONFIG)
        .map(|it| Config {
            people: it.people,
            rotations: it.rotations,
            ..Config::default()
        })
        .map_err(|error| error.to_string())
}

/// The roster of a configuration, with contacts that only the simulator serves.
#[must_use]
pub(in crate::sim) fn roster(config: &Config) -> Roster {
    Roster {
        people: NAMES.map(|it| (it.into(), person(it))).into(),
        fallback: vec![PageTarget::Person(FALLBACK.into())],
        ..config.roster()
    }
}

/// Names the calendar of a person.
#[must_use]
pub(in crate::sim) fn calendar_of(config: &Config, person: &str) -> String {
    let found = config.people.get(&PersonId::from(person));
    let calendar = found.and_then(|it| it.calendar.as_ref());
    calendar.map(CalendarConfig::place).unwrap_or_default()
}

/// A person with their contacts.
#[must_use]
pub(in crate::sim) fn person(name: &str) -> Person {
    let kinds: &[&str] = match name {
        "ada" => &["slack", "mail"],
        "bob" => &["mail"],
        "eve" => &["pager", "slack", "mail"],
        "pat" => &[SERVED_BY_NONE],
        _ => &[],
    };
    let contact = |kind: &&str| Contact {
        kind: (*kind).to_owned(),
        address: format!("{name}@{kind}"),
    };
    Person {
        id: name.into(),
        name: name.to_owned(),
        contacts: kinds.iter().map(contact).collect(),
        ladders: ladders_of(name),
        teams: Vec::new(),
        clearance: false,
    }
}

/// Eve's pager and Slack ring together, before the mail.
fn ladders_of(name: &str) -> Ladders {
    let rung = |kinds: &[&str], wait_ms| LadderRung {
        kinds: kinds.iter().map(|it| (*it).to_owned()).collect(),
        wait_ms,
    };
    let eve = || {
        Ladder(vec![
            rung(&["pager", "slack"], MINUTE_MS),
            rung(&["mail"], MINUTE_MS),
        ])
    };
    Ladders {
        by_grade: BTreeMap::new(),
        other: (name == "eve").then(eve),
    }
}

/// Looks up the people whom a command names.
pub(in crate::sim) fn look_up(request: &mut Request) {
    if let Request::Command { command, .. } = request {
        for named in command.named() {
            named.person = Some(Box::new(person(named.id.as_str())));
        }
    }
}
