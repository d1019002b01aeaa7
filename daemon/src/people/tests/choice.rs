//! Whom a step pages when people are out of office or cannot be reached.

use super::*;

/// A Tuesday in ada's turn.
const AT: &str = "2026-01-06 00:00";

fn absent(roster: &mut Roster, who: &[&str]) {
    let absence = Absence {
        from: utc("2026-01-05 00:00"),
        until: utc("2026-01-10 00:00"),
    };
    for id in who {
        let absences = Absences::new(vec![absence]);
        roster.absences.insert((*id).into(), absences);
    }
}

/// Who is paged by a step on these targets, while these people are out of office, and these cannot
/// be reached; and the notes.
fn paged(targets: &[&str], away: &[&str], lost: &[&str]) -> (Vec<String>, String) {
    let mut roster = roster();
    absent(&mut roster, away);
    let reach = |person: &Person| !lost.contains(&person.id.as_str());
    let choice = roster.choose(&step(targets), utc(AT), &reach);
    let people = names(&choice.people).into_iter().map(str::to_owned);
    (people.collect(), choice.notes.join("\n"))
}

/// Targets, who is out of office, who is unreachable, who is paged, and what is noted.
type Case = (Names, Names, Names, Names, &'static str);
type Names = &'static [&'static str];

#[test]
fn who_is_absent_is_passed_over_if_somebody_else_can_be_paged() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        (&["oncall:primary"], &[], &[], &["ada"], ""),
        (&["oncall:primary"], &["ada"], &[], &["bob"],
         "oncall:primary passes over ada, who is out of office until Sat 2026-01-10 00:00 UTC, \
          and pages bob"),
        (&["oncall:primary"], &[], &["ada"], &["bob"],
         "oncall:primary passes over ada, whose contacts nothing serves (chat), and pages bob"),
        (&["oncall:primary"], &["bob"], &[], &["ada"], ""),
        // Nobody else: somebody on vacation is better than nobody.
        (&["oncall:primary"], &["ada", "bob"], &[], &["ada"], "nobody else can be paged"),
        (&["oncall:primary"], &["bob"], &["ada"], &["bob"], "nobody else can be paged"),
        // Others of the step count.
        (&["oncall:primary", "person:cyd"], &["ada", "bob"], &[], &["cyd"], "passes over ada"),
        (&["person:bob", "person:cyd"], &["bob"], &[], &["cyd"], "person:bob passes over bob"),
        // The fallback is ada.
        (&["person:bob"], &["bob"], &[], &["ada"], "the step pages the fallback instead: ada"),
        (&["person:bob"], &[], &["bob"], &["ada"], "the step pages the fallback instead: ada"),
        (&["person:bob"], &["ada"], &["bob"], &["ada"],
         "nobody else can be paged, so the step pages the fallback instead: ada"),
        (&["person:bob"], &["ada", "bob"], &[], &["bob"],
         "nobody else can be paged, so the step pages bob"),
        // A page that nothing can deliver is exhausted at once, which is seen.
        (&["person:bob"], &[], &["ada", "bob"], &["bob"], "nobody can be reached"),
        (&["team:payments"], &["ada"], &[], &["bob"], "team:payments passes over ada"),
        (&["team:payments"], &["ada", "bob"], &[], &["ada", "bob"], "nobody else can be paged"),
        (&["person:eve", "team:search"], &[], &[], &["ada"],
         "person:eve reaches nobody: no such person; add [people.eve]"),
        (&["person:eve", "person:bob"], &[], &[], &["bob"], "person:eve reaches nobody"),
        (&[], &[], &[], &[], ""),
    ];
    for (targets, away, lost, expected, note) in cases {
        let (people, notes) = paged(targets, away, lost);
        let context = format!("{targets:?}, {away:?} out of office, {lost:?} lost: {notes}");
        assert_eq!(people, *expected, "{context}");
        match note.is_empty() {
            true => assert_eq!(notes, "", "{context}"),
            false => assert!(notes.contains(note), "{context}"),
        }
    }
}

#[test]
fn the_next_layer_is_asked_before_the_next_person_of_the_same_layer() {
    let mut roster = roster();
    let second = layer(&["cyd", "bob"], "monday 09:00", "1 week", "2026-01-05");
    let rotation = roster.rotations.get_mut("primary").unwrap();
    rotation.layers.push(second);
    let people = rotation.candidates(utc(AT));
    assert_eq!(people, ids(&["ada", "cyd", "bob"]));
    let over = Override {
        person: "bob".into(),
        from: utc(AT),
        until: utc("2026-01-07 00:00"),
        id: None,
    };
    rotation.overrides.push(over);
    assert_eq!(rotation.candidates(utc(AT)), ids(&["bob", "ada", "cyd"]));
    assert_eq!(rotation.candidates(utc("2026-01-01 00:00")), ids(&[]));
}

#[test]
fn a_gap_is_where_nobody_is_on_call_or_nobody_can_be_reached() {
    let mut roster = roster();
    let mut rotation = weekly(Tz::UTC);
    rotation.layers[0].people = ids(&["ada"]);
    rotation.layers[0].restrict = Some(Restriction {
        days: vec![Weekday::Mon],
        hours: "09:00-17:00".parse().unwrap(),
    });
    roster.rotations.insert("mondays".to_owned(), rotation);
    absent(&mut roster, &["ada"]);
    let window = (utc("2026-01-05 09:00"), utc("2026-01-12 12:00"));
    let gaps = roster.gaps("mondays", window, &|_| true);
    let found: Vec<_> = gaps.iter().map(|it| (it.from, it.until)).collect();
    let nights = (utc("2026-01-05 17:00"), utc("2026-01-12 09:00"));
    assert_eq!(
        found,
        [nights],
        "out of office is no gap, as they are paged all the same"
    );
    let gaps = roster.gaps("mondays", window, &|_| false);
    let found: Vec<_> = gaps
        .iter()
        .map(|it| it.on_call.as_ref().map(|it| it.as_str()))
        .collect();
    assert_eq!(found, [Some("ada"), None, Some("ada")]);
    assert_eq!(
        roster.gaps("primary", window, &|it| it.id.as_str() == "bob"),
        []
    );
}

#[test]
fn the_outlook_says_who_is_paged_instead_of_whom_and_since_when() {
    let mut roster = roster();
    absent(&mut roster, &["ada"]);
    let window = (utc("2026-01-05 09:00"), utc("2026-01-12 12:00"));
    let spans = roster.outlook("primary", window, &|_| true);
    let told: Vec<_> = spans
        .iter()
        .map(|it| {
            (
                it.from,
                it.on_call.clone().unwrap(),
                it.paged.clone().unwrap(),
            )
        })
        .collect();
    let expected = [
        (utc("2026-01-05 09:00"), "ada".into(), "bob".into()),
        (utc("2026-01-10 00:00"), "ada".into(), "ada".into()),
        (utc("2026-01-12 09:00"), "bob".into(), "bob".into()),
    ];
    assert_eq!(told, expected);
    assert_eq!(spans.last().unwrap().until, window.1);
    assert!(roster.outlook("none", window, &|_| true).is_empty());
}

#[test]
fn absences_that_overlap_are_one_and_the_end_is_not_part_of_it() {
    let span = |from, until| Absence {
        from: Timestamp(from),
        until: Timestamp(until),
    };
    let absences = Absences::new(vec![span(20, 30), span(5, 5), span(0, 10), span(10, 15)]);
    let all: Vec<_> = absences.iter().copied().collect();
    assert_eq!(all, [span(0, 15), span(20, 30)]);
    for (at, until) in [
        (0, Some(15)),
        (14, Some(15)),
        (15, None),
        (29, Some(30)),
        (30, None),
    ] {
        assert_eq!(absences.until(Timestamp(at)), until.map(Timestamp), "{at}");
    }
    assert_eq!(absences.until(Timestamp(-1)), None);
    let many = (0..1_000).map(|at| span(at * 2, at * 2 + 1)).collect();
    assert_eq!(Absences::new(many).iter().count(), ABSENCES_MAX);
}
