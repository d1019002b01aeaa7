//! Tests of who hands over to whom soon.

use super::*;

fn handovers(roster: &Roster, from: &str, until: &str) -> Vec<String> {
    let all = roster.handovers_ahead((utc(from), utc(until)), &|it: &Person| {
        !it.contacts.is_empty()
    });
    let shown = |it: HandoverAhead| {
        let from = it.outgoing.map_or("nobody".to_owned(), |it| it.to_string());
        let at = (it.at.0 - utc("2026-01-05 00:00").0) / 3_600_000;
        format!("{}: {from} to {} after {at} h", it.rotation, it.incoming)
    };
    all.into_iter().map(shown).collect()
}

fn roster(rotation: Rotation) -> Roster {
    let person = |id: &str| Person {
        id: id.into(),
        name: id.to_owned(),
        contacts: vec![Contact {
            kind: "email".to_owned(),
            address: format!("{id}@example.com"),
        }],
        ladders: Ladders::default(),
        teams: Vec::new(),
        clearance: false,
    };
    let people = ["ada", "bob", "cyd"].map(person);
    Roster {
        people: people.map(|it| (it.id.clone(), it)).into(),
        rotations: [("primary".to_owned(), rotation)].into(),
        ..Roster::default()
    }
}

#[test]
fn every_change_of_who_is_paged_is_a_handover_also_back_after_an_hour() {
    let mut rotation = weekly(Tz::UTC);
    let over = |person: &str, from: &str, until: &str| Override {
        person: person.into(),
        from: utc(from),
        until: utc(until),
        id: None,
    };
    rotation.overrides = vec![
        over("cyd", "2026-01-06 09:00", "2026-01-06 10:00"),
        // No change: it is ada's week.
        over("ada", "2026-01-07 09:00", "2026-01-07 10:00"),
    ];
    let mut roster = roster(rotation);
    let week = ("2026-01-05 09:00", "2026-01-12 09:00");
    assert_eq!(
        handovers(&roster, week.0, week.1),
        [
            "primary: ada to cyd after 33 h",
            "primary: cyd to ada after 34 h",
            "primary: ada to bob after 177 h",
        ]
    );
    assert_eq!(
        handovers(&roster, week.1, "2026-01-19 08:59"),
        [""; 0],
        "neither the one that is now nor a later one"
    );
    assert_eq!(
        handovers(&roster, "2026-01-05 08:59", week.0),
        ["primary: nobody to ada after 9 h"]
    );
    // Somebody stands in for whoever nothing reaches, or nobody does.
    let cyd = roster.people.get_mut(&PersonId::from("cyd")).unwrap();
    cyd.contacts.clear();
    assert_eq!(
        handovers(&roster, week.0, week.1),
        ["primary: ada to bob after 177 h"]
    );
}

#[test]
fn a_target_leads_to_a_rotation_by_its_name_or_by_its_teams() {
    let mut roster = roster(weekly(Tz::UTC));
    roster
        .teams
        .insert("shop".into(), Some("primary".to_owned()));
    roster.teams.insert("primary".into(), None);
    for (name, leads) in [("primary", true), ("shop", true), ("other", false)] {
        assert_eq!(roster.leads_to(name, "primary"), leads, "{name}");
    }
    assert!(roster.is_of_team("shop", "primary"));
    assert!(!roster.is_of_team("primary", "primary"));
}
