//! What keeps a page from waking its person.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Grade, Ladder, LadderRung, Plan};

use super::overrides::{make, new};
use super::*;

/// Plugins serve every kind but `pager`.
struct Plugins;

impl ServedContacts for Plugins {
    fn serves(&self, kind: &str) -> bool {
        kind != "pager"
    }
}

fn contact(kind: &str) -> Contact {
    Contact {
        kind: kind.to_owned(),
        address: format!("x@{kind}"),
    }
}

fn lookup(roster: Roster) -> ResponderLookup {
    ResponderLookup {
        rosters: Arc::new(Arc::new(roster)),
        served: Arc::new(Plugins),
        has_mail: false,
    }
}

/// Ada, who is on call and the fallback, has these contacts, and bob, who is on call next, ntfy.
fn with_contacts(kinds: &[&str]) -> Roster {
    let mut roster = roster();
    let berlin = "Europe/Berlin".parse().unwrap();
    roster.zones.insert("ada".into(), berlin);
    for (id, kinds) in [("ada", kinds), ("bob", &["ntfy"])] {
        let person = roster.people.get_mut(id).unwrap();
        person.contacts = kinds.iter().map(|it| contact(it)).collect();
    }
    roster
}

fn warnings(roster: Roster, plans: &[(Grade, Plan)], proven: &[&str]) -> Vec<String> {
    let lookup = lookup(roster.clone());
    let reach = |person: &Person| lookup.is_reachable(person);
    let window = (utc("2026-01-06 00:00"), utc("2026-01-20 00:00"));
    let soon = OnCallSoon::of(&roster, window, &reach);
    let proven: BTreeSet<_> = proven.iter().copied().collect();
    let is_proven =
        |id: &PersonId, it: &Contact| proven.contains(format!("{id} {}", it.kind).as_str());
    let found = lookup.waking_warnings(&soon, plans, Some(&is_proven));
    found.iter().map(|it| it.told(&roster).0).collect()
}

#[test]
fn a_ladder_without_a_loud_channel_is_warned_about_for_grades_that_page_at_night() {
    let proven = ["ada slack", "ada ntfy", "bob ntfy"];
    let found = warnings(with_contacts(&["slack", "email"]), &[], &proven);
    assert_eq!(
        found,
        ["no rung of the ladder of ada for critical and major incidents is loud"]
    );
    assert_eq!(
        warnings(with_contacts(&["slack", "ntfy"]), &[], &proven),
        [""; 0]
    );
    let mut roster = with_contacts(&["slack", "ntfy"]);
    let rung = LadderRung {
        kinds: vec!["slack".to_owned()],
        wait_ms: MINUTE_MS,
    };
    let ladders = &mut roster.people.get_mut("ada").unwrap().ladders;
    ladders.by_grade.insert(Grade::Major, Ladder(vec![rung]));
    assert_eq!(
        warnings(roster, &[], &proven),
        ["no rung of the ladder of ada for major incidents is loud"]
    );
}

#[test]
fn a_step_that_ends_before_its_first_loud_rung_is_warned_about() {
    let plan = |wait_ms| Plan {
        steps: vec![Step {
            wait_ms,
            ..step(&["oncall:payments", "person:cyd"])
        }],
        ..Plan::default()
    };
    let proven = ["ada phone", "bob ntfy"];
    let critical = |wait_ms| [(Grade::Critical, plan(wait_ms))];
    let roster = || with_contacts(&["slack", "email", "phone"]);
    let found = warnings(roster(), &critical(4 * MINUTE_MS), &proven);
    assert_eq!(
        found,
        [
            "step 1 of the plan for critical incidents ends after 4m, before the first loud rung \
             of ada at 4m"
        ]
    );
    let enough = critical(4 * MINUTE_MS + 1);
    assert_eq!(warnings(roster(), &enough, &proven), [""; 0]);
}

#[test]
fn a_step_that_is_to_page_more_people_and_pages_the_same_one_is_warned_about() {
    let plan = |steps: &[&[&str]]| {
        let steps = steps.iter().map(|it| Step {
            wait_ms: 10 * MINUTE_MS,
            ..step(it)
        });
        let plan = Plan {
            steps: steps.collect(),
            ..Plan::default()
        };
        [(Grade::Critical, plan.clone()), (Grade::Major, plan)]
    };
    // Of the rotation and of the team, only ada is left.
    let mut alone = with_contacts(&["ntfy"]);
    let cyd = alone.people.get_mut(&PersonId::from("cyd")).unwrap();
    cyd.contacts = vec![contact("ntfy")];
    alone.people.remove(&PersonId::from("bob"));
    for layer in &mut alone.rotations.get_mut("primary").unwrap().layers {
        layer.people = vec!["ada".into()];
    }
    let on_call = &["oncall:primary"][..];
    let everybody = &["oncall:primary", "team:payments"][..];
    let proven = ["ada ntfy", "bob ntfy"];
    let says = "step 2 of the plan for critical incidents pages nobody who was not paged before: \
                only ada";
    let found = warnings(alone.clone(), &plan(&[on_call, everybody]), &proven);
    assert_eq!(found, [says]);
    // To page the same people again is what such a step is for.
    let again = plan(&[on_call, on_call]);
    assert_eq!(warnings(alone.clone(), &again, &proven), [""; 0]);
    assert_eq!(
        warnings(alone.clone(), &plan(&[everybody]), &proven),
        [""; 0]
    );
    // Somebody else is paged, if only when the turn comes to them.
    let both = with_contacts(&["ntfy"]);
    let more = plan(&[on_call, &["oncall:primary", "person:ada"]]);
    assert_eq!(warnings(both, &more, &proven), [""; 0]);
    // Nobody pages the fallback for somebody who sleeps.
    alone.fallback = vec![PageTarget::Person("cyd".into())];
    let proven = ["ada ntfy", "bob ntfy", "cyd ntfy"];
    let found = warnings(alone, &plan(&[on_call, everybody]), &proven);
    assert_eq!(found, [says]);
}

#[test]
fn somebody_on_call_without_a_proven_contact_is_warned_about_with_the_remedy() {
    let roster = || with_contacts(&["slack", "ntfy"]);
    let unproven = "ada is on call for primary from Tue 2026-01-06 01:00 CET, and no contact that \
                    would wake them is proven";
    assert_eq!(warnings(roster(), &[], &["bob ntfy"]), [unproven]);
    // That a quiet contact works does not say that the loud one does.
    let proven = ["ada slack", "bob ntfy"];
    assert_eq!(warnings(roster(), &[], &proven), [unproven]);
    let quiet = warnings(with_contacts(&["slack"]), &[], &proven);
    assert!(!quiet.contains(&unproven.to_owned()), "{quiet:?}");
    assert_eq!(warnings(roster(), &[], &["ada ntfy", "bob ntfy"]), [""; 0]);
    // Nor one that no page takes at night.
    let mut by_day = with_contacts(&["phone", "ntfy"]);
    let rung = LadderRung {
        kinds: vec!["phone".to_owned()],
        wait_ms: MINUTE_MS,
    };
    let ladders = &mut by_day.people.get_mut("ada").unwrap().ladders;
    for grade in [Grade::Critical, Grade::Major] {
        let ladder = Ladder(vec![rung.clone()]);
        ladders.by_grade.insert(grade, ladder);
    }
    assert_eq!(warnings(by_day, &[], &["ada ntfy", "bob ntfy"]), [unproven]);
    let unproven = WakingWarning::Unproven {
        person: "ada".into(),
        rotation: "primary".to_owned(),
        from: Timestamp(0),
    };
    assert!(unproven.remedy().contains("`tocsin page test ada`"));
}

#[test]
fn a_warning_about_a_person_is_not_lost_among_many_about_others() {
    let mut roster = with_contacts(&["email", "phone"]);
    for number in 0..150 {
        let id = PersonId::from(format!("p{number:03}").as_str());
        let person = Person {
            id: id.clone(),
            ..roster.people[&PersonId::from("ada")].clone()
        };
        roster.people.insert(id, person);
    }
    let plan = Plan {
        steps: vec![step(&["team:payments"])],
        ..Plan::default()
    };
    let lookup = lookup(roster);
    let of = ("primary", utc("2026-01-12 09:00"));
    let plans = [(Grade::Critical, plan)];
    let found = lookup.waking_warnings_of(&"bob".into(), of, &plans, &|_, _| false);
    let is_unproven = |it: &WakingWarning| matches!(it, WakingWarning::Unproven { .. });
    assert!(found.iter().any(is_unproven), "{found:?}");
}

#[test]
fn whoever_nothing_reaches_or_is_not_on_call_is_another_checks_business() {
    let mut roster = with_contacts(&["pager"]);
    roster.fallback.clear();
    let found = warnings(roster, &[], &["bob ntfy"]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_shift_is_ahead_of_whoever_is_paged_in_it_and_is_not_out_of_office() {
    let ahead = |roster: &Roster, from: &str, until: &str| {
        let lookup = lookup(roster.clone());
        let reach = |person: &Person| lookup.is_reachable(person);
        let found = roster.shifts_ahead((utc(from), utc(until)), &reach);
        let shown = |it: ShiftAhead| format!("{} {} {}", it.rotation, it.person, it.from.0);
        found.into_iter().map(shown).collect::<Vec<_>>()
    };
    let mut roster = with_contacts(&["ntfy"]);
    let begins = |text: &str, who: &str| format!("primary {who} {}", utc(text).0);
    let bob = begins("2026-01-12 09:00", "bob");
    let hour = ("2026-01-11 09:00", "2026-01-12 09:00");
    assert_eq!(ahead(&roster, hour.0, hour.1), [bob]);
    // Neither the one that is under way nor one that begins later.
    let none: [&str; 0] = [];
    assert_eq!(ahead(&roster, "2026-01-12 09:00", "2026-01-19 08:59"), none);
    let away = Absence {
        from: utc("2026-01-12 00:00"),
        until: utc("2026-01-13 00:00"),
    };
    let absences = Absences::new(vec![away]);
    roster.absences.insert("bob".into(), absences);
    assert_eq!(ahead(&roster, hour.0, hour.1), none, "out of office");
    // The shift goes on when the absence is over.
    let bob_again = begins("2026-01-13 00:00", "bob");
    let next_days = ("2026-01-12 10:00", "2026-01-14 00:00");
    let after = ahead(&roster, next_days.0, next_days.1);
    assert_eq!(after, std::slice::from_ref(&bob_again));
    // Meanwhile somebody else stands in.
    let mut with_cyd = roster.clone();
    let cyd = with_cyd.people.get_mut(&PersonId::from("cyd")).unwrap();
    cyd.contacts = vec![contact("ntfy")];
    let second = layer(&["cyd"], "monday 09:00", "1 week", "2026-01-05");
    let primary = with_cyd.rotations.get_mut("primary").unwrap();
    primary.layers.push(second);
    let cyd = begins("2026-01-12 09:00", "cyd");
    assert_eq!(ahead(&with_cyd, hour.0, next_days.1), [cyd, bob_again]);
    // Whoever is paged only because everybody is out of office is not told.
    for id in ["ada", "cyd"] {
        let absences = with_cyd.absences[&PersonId::from("bob")].clone();
        with_cyd.absences.insert(id.into(), absences);
    }
    assert_eq!(ahead(&with_cyd, hour.0, hour.1), none);
    roster.absences.clear();
    // Whoever has somebody take an hour of theirs does not begin again after it.
    let taken = new("cyd", "2026-01-07 10:00", "2026-01-07 11:00");
    let taken = make(&[], taken, "1", utc("2026-01-07 09:00")).unwrap();
    let lent = roster.with_overrides(&[taken]);
    let cyd = begins("2026-01-07 10:00", "cyd");
    let day = ("2026-01-07 09:30", "2026-01-08 09:30");
    assert_eq!(ahead(&lent, day.0, day.1), [cyd]);
    let bob = roster.people.get_mut("bob").unwrap();
    bob.contacts = vec![contact("pager")];
    assert_eq!(ahead(&roster, hour.0, hour.1), none, "nothing reaches them");
}

#[test]
fn what_can_wait_goes_to_a_contact_that_makes_no_sound_or_can_be_quiet() {
    let of = |kinds: &[&str]| {
        let lookup = lookup(with_contacts(kinds));
        lookup.quiet_contact(&"ada".into()).map(|it| it.kind)
    };
    assert_eq!(of(&["ntfy", "pager", "slack"]).as_deref(), Some("slack"));
    assert_eq!(of(&["phone", "ntfy"]).as_deref(), Some("ntfy"));
    assert_eq!(of(&["phone", "pushover"]).as_deref(), Some("pushover"));
    assert_eq!(of(&["phone", "sms"]), None);
    // Nor does a phone ring that the configuration does not call loud.
    let mut roster = with_contacts(&["phone", "ntfy"]);
    roster.loud = ["ntfy".to_owned()].into();
    let quiet = lookup(roster).quiet_contact(&"ada".into());
    assert_eq!(quiet.map(|it| it.kind).as_deref(), Some("ntfy"));
}
