//! Over a year of generated rosters, overrides, calendars and unreachable contacts: at every
//! boundary, a step pages somebody who can be reached, or the finder of gaps and the warnings of
//! `tocsin doctor` report that instant. By default a sample of the zones is tested, each in some
//! years and on some days; `TOCSIN_DST=full` tests all of [`super::zones`], on every day of every
//! year through 2037.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{Datelike as _, Days, NaiveTime};
use tocsin_core::Actor;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};

use super::zones::{LAST_YEAR, clock_changes, full, midnight_utc, zones};
use super::*;
use crate::time::format_time;

const DAY_MS: u64 = 24 * HOUR_MS;
/// By default, handovers and hours of one in this many days are looked at, and of those around a
/// clock change.
const DAYS_EVERY: u32 = 11;
/// The first year that is generated.
const YEAR: i32 = 2026;
/// Rosters of each zone, and of each of its years if all are tested.
const ROSTERS: u64 = 3;
/// How far ahead `tocsin doctor` looks, in milliseconds: 14 days.
const DOCTOR_MS: u64 = 14 * DAY_MS;
const NAMES: [&str; 5] = ["ada", "bob", "cyd", "dan", "eve"];

/// Pseudorandom numbers: splitmix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn is_in(&mut self, out_of: u64) -> bool {
        self.below(out_of) == 0
    }

    fn person(&mut self) -> PersonId {
        NAMES[usize::try_from(self.below(5)).unwrap()].into()
    }

    fn time(&mut self) -> NaiveTime {
        let minutes = u32::try_from(self.below(96)).unwrap() * 15;
        NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap()
    }

    /// A span of up to `days` days in the year from `start`.
    fn span(&mut self, start: Timestamp, days: u64) -> (Timestamp, Timestamp) {
        let from = start.plus_ms(self.below(365 * 24 * 4) * 15 * MINUTE_MS);
        let until = from.plus_ms((1 + self.below(days * 24 * 4)) * 15 * MINUTE_MS);
        (from, until)
    }

    fn layer(&mut self, year: i32) -> Layer {
        let is_weekly = self.is_in(2);
        let weekday = Weekday::try_from(u8::try_from(self.below(7)).unwrap()).unwrap();
        let length = u32::try_from(1 + self.below(3)).unwrap();
        let count = 1 + self.below(4);
        let hours = Hours {
            from: self.time(),
            until: self.time(),
        };
        let days: Vec<Weekday> = WEEK.into_iter().filter(|_| !self.is_in(4)).collect();
        // Some begin in the middle of the year.
        let ahead = if self.is_in(4) { self.below(200) } else { 0 };
        let start = NaiveDate::from_ymd_opt(year, 1, 1).unwrap() - Days::new(20);
        Layer {
            people: (0..count).map(|_| self.person()).collect(),
            handover: Handover {
                weekday: is_weekly.then_some(weekday),
                time: self.time(),
            },
            every: match is_weekly {
                true => Every::Weeks(length),
                false => Every::Days(length),
            },
            start: start + Days::new(ahead),
            restrict: self.is_in(2).then_some(Restriction { days, hours }),
        }
    }
}

const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

/// Plugins serve contacts of kind `chat`.
struct Chat;

impl ServedContacts for Chat {
    fn serves(&self, kind: &str) -> bool {
        kind == "chat"
    }
}

/// A generated year.
struct Case {
    zone: Tz,
    start: Timestamp,
    roster: Arc<Roster>,
    /// When the turns of each layer begin, until the end of the year.
    turns: Vec<Vec<Timestamp>>,
}

impl Case {
    fn draw(zone: Tz, year: i32, seed: u64) -> Self {
        let mut draw = Draw(seed);
        let start = midnight_utc(year);
        let people = NAMES.map(|name| {
            let (id, mut found) = person(name, &[]);
            match draw.below(6) {
                0 => found.contacts.clear(),
                1 | 2 => found.contacts[0].kind = "gone".to_owned(),
                _ => {}
            }
            (id, found)
        });
        let layers = 1 + draw.below(3);
        let mut rotation = Rotation {
            zone,
            layers: (0..layers).map(|_| draw.layer(year)).collect(),
            overrides: Vec::new(),
        };
        for _ in 0..draw.below(4) {
            let (from, until) = draw.span(start, 5);
            rotation.overrides.push(Override {
                person: draw.person(),
                from,
                until,
                id: None,
            });
        }
        let mut absences = BTreeMap::new();
        for name in NAMES {
            let count = draw.below(8);
            let spans = (0..count).map(|_| draw.span(start, 30));
            let spans = spans.map(|(from, until)| Absence { from, until });
            absences.insert(name.into(), Absences::new(spans.collect()));
        }
        let made = (0..draw.below(8)).map(|number| {
            let (from, until) = draw.span(start, 10);
            Arc::new(MadeOverride {
                id: number.to_string(),
                rotation: "r".to_owned(),
                person: draw.person(),
                from,
                until,
                by: Actor::Tocsin,
                at: start.plus_ms(draw.below(1_000)),
                reason: String::new(),
            })
        });
        let made: Vec<_> = made.collect();
        let roster = Roster {
            people: BTreeMap::from(people),
            rotations: BTreeMap::from([("r".to_owned(), rotation)]),
            fallback: match draw.below(3) {
                0 => vec![],
                1 => vec![PageTarget::Person(draw.person())],
                _ => vec![
                    PageTarget::Person("ada".into()),
                    PageTarget::Person("bob".into()),
                ],
            },
            absences,
            ..Roster::default()
        };
        let roster = roster.with_overrides(&made);
        let end = start.plus_ms(365 * DAY_MS);
        let layers = roster.rotations["r"].layers.iter();
        Self {
            zone,
            start,
            turns: layers.map(|it| turns(zone, it, end)).collect(),
            roster: Arc::new(roster),
        }
    }

    fn end(&self) -> Timestamp {
        self.start.plus_ms(365 * DAY_MS)
    }

    fn rotation(&self) -> &Rotation {
        &self.roster.rotations["r"]
    }

    /// Every instant at which something may change, found without the rotation's own edges.
    fn boundaries(&self) -> BTreeSet<Timestamp> {
        let mut all = BTreeSet::new();
        for over in &self.rotation().overrides {
            all.extend([over.from, over.until]);
        }
        for absence in self.roster.absences.values().flat_map(Absences::iter) {
            all.extend([absence.from, absence.until]);
        }
        let changes = clock_changes(self.zone);
        let changes: Vec<_> = changes
            .into_iter()
            .filter(|at| (self.start..self.end()).contains(at))
            .collect();
        all.extend(&changes);
        let first = crate::time::local_time(self.zone, self.start).date();
        for day in 0..366 {
            let date = first + Days::new(day);
            let noon = first_instant(self.zone, date.and_hms_opt(12, 0, 0).unwrap());
            let is_near = |at: &&Timestamp| at.since(noon).max(noon.since(**at)) < 3 * DAY_MS;
            if !full()
                && !date.ordinal().is_multiple_of(DAYS_EVERY)
                && changes.iter().find(is_near).is_none()
            {
                continue;
            }
            for layer in &self.rotation().layers {
                let mut times = vec![layer.handover.time];
                if let Some(restrict) = &layer.restrict {
                    times.extend([restrict.hours.from, restrict.hours.until]);
                }
                let times = times.into_iter();
                all.extend(times.map(|it| first_instant(self.zone, date.and_time(it))));
            }
        }
        let around = all
            .iter()
            .flat_map(|at| [at.minus_ms(1), *at, at.plus_ms(1)]);
        let in_year = |at: &Timestamp| (self.start..self.end()).contains(at);
        around.filter(in_year).collect()
    }

    /// Who may be paged, in order, computed by counting handovers.
    fn candidates(&self, at: Timestamp) -> Vec<PersonId> {
        let layers = self.rotation().layers.iter().zip(&self.turns);
        let covering = layers.filter_map(|(layer, turns)| {
            let restrict = layer.restrict.as_ref();
            let covers = restrict.is_none_or(|it| it.covers(self.zone, at));
            let turns = turns.partition_point(|begins| *begins <= at);
            let count = layer.people.len();
            (covers && turns > 0).then(|| {
                let order =
                    (0..count).map(move |it| layer.people[(turns - 1 + it) % count].clone());
                order.collect::<Vec<_>>()
            })
        });
        let covering: Vec<Vec<PersonId>> = covering.collect();
        let mut overrides = self.rotation().overrides.iter();
        let over = overrides.rfind(|it| it.from <= at && at < it.until);
        let over = over.map(|it| it.person.clone());
        let firsts = covering.iter().map(|it| it[0].clone());
        let all = covering.iter().flatten().cloned();
        over.into_iter().chain(firsts).chain(all).collect()
    }

    fn is_reachable(&self, id: &PersonId) -> bool {
        self.roster.people[id]
            .contacts
            .iter()
            .any(|it| it.kind == "chat")
    }

    fn is_away(&self, id: &PersonId, at: Timestamp) -> bool {
        let absences = self.roster.absences[id].iter();
        absences
            .into_iter()
            .any(|it| it.from <= at && at < it.until)
    }
}

/// When each turn of a layer begins, until `end`.
fn turns(zone: Tz, layer: &Layer, end: Timestamp) -> Vec<Timestamp> {
    let mut date = layer.start;
    while layer
        .handover
        .weekday
        .is_some_and(|it| it != date.weekday())
    {
        date = date.succ_opt().unwrap();
    }
    let dates = std::iter::successors(Some(date), |it| {
        Some(*it + Days::new(layer.every.days().into()))
    });
    let begins = dates.map(|it| first_instant(zone, it.and_time(layer.handover.time)));
    begins.take_while(|it| *it < end).collect()
}

/// Whom the step may page: the first of the rotation who is reachable and not away, else those of
/// the fallback, else anybody who is reachable.
fn expected(case: &Case, candidates: &[PersonId], at: Timestamp) -> Option<Vec<PersonId>> {
    let fallback = case.roster.fallback.iter().map(|target| match target {
        PageTarget::Person(id) => id.clone(),
        other => panic!("{other}"),
    });
    let fallback: Vec<PersonId> = fallback.collect();
    let is_free = |id: &&PersonId| case.is_reachable(id) && !case.is_away(id, at);
    if let Some(first) = candidates.iter().find(is_free) {
        return Some(vec![first.clone()]);
    }
    let free: Vec<PersonId> = fallback.iter().filter(is_free).cloned().collect();
    if !free.is_empty() {
        return Some(free);
    }
    let reachable = |id: &&PersonId| case.is_reachable(id);
    if let Some(first) = candidates.iter().find(reachable) {
        return Some(vec![first.clone()]);
    }
    let reached: Vec<PersonId> = fallback.iter().filter(reachable).cloned().collect();
    (!reached.is_empty()).then_some(reached)
}

/// What was found at the boundaries of the cases.
#[derive(Debug, Default)]
struct Found {
    boundaries: u64,
    /// Those at which the rotation reaches nobody.
    gaps: u64,
    /// Those at which nobody at all is reached.
    holes: u64,
    /// Those at which somebody else is paged than who is on call.
    passed_over: u64,
}

impl Found {
    fn and(self, other: Self) -> Self {
        Self {
            boundaries: self.boundaries + other.boundaries,
            gaps: self.gaps + other.gaps,
            holes: self.holes + other.holes,
            passed_over: self.passed_over + other.passed_over,
        }
    }

    fn check(&mut self, case: &Case) {
        let lookup = ResponderLookup {
            rosters: Arc::new(Arc::clone(&case.roster)),
            served: Arc::new(Chat),
            has_mail: false,
        };
        let reach = |person: &Person| lookup.is_reachable(person);
        let gaps = case.roster.gaps("r", (case.start, case.end()), &reach);
        let step = step(&["oncall:r"]);
        let mut last_gap = None;
        for at in case.boundaries() {
            let context = || format!("{} at {}", case.zone, format_time(at));
            let paged = lookup.of_step(Some(&step), at).people;
            let paged = paged.iter().filter(|it| !it.contacts.is_empty());
            let reached: Vec<PersonId> = paged.map(|it| it.id.clone()).collect();
            let gap = gaps.iter().find(|it| it.from <= at && at < it.until);
            self.holes += u64::from(reached.is_empty());
            assert!(
                !reached.is_empty() || gap.is_some(),
                "a silent hole: {}",
                context()
            );
            let is_news = gap.is_some_and(|it| Some(it.from) != last_gap);
            if is_news {
                last_gap = gap.map(|it| it.from);
                let warnings = case.roster.warnings((at, at.plus_ms(DOCTOR_MS)), &reach);
                let says = |it: &OnCallWarning| match it {
                    OnCallWarning::Gap(gap) => gap.from <= at && at < gap.until,
                    _ => false,
                };
                assert!(warnings.iter().any(says), "doctor is silent: {}", context());
            }
            // Nothing else than these is a gap.
            let candidates = case.candidates(at);
            let is_gap = !candidates.iter().any(|it| case.is_reachable(it));
            assert_eq!(gap.is_some(), is_gap, "{}", context());
            let expected = expected(case, &candidates, at).unwrap_or_default();
            assert_eq!(reached, expected, "{}", context());
            self.boundaries += 1;
            self.gaps += u64::from(is_gap);
            self.passed_over += u64::from(candidates.first() != reached.first());
        }
    }
}

/// The years in which a zone is tested; by default, one for each roster.
fn years(number: u64) -> Vec<i32> {
    let all = YEAR..=LAST_YEAR;
    if full() {
        return all.collect();
    }
    let years: Vec<i32> = all.collect();
    let nth = usize::try_from(Draw(number).below(12)).unwrap();
    vec![years[nth]]
}

/// Looks at every case of the zones that fall to one of `threads` threads.
fn search(zones: &[Tz], thread: usize, threads: usize) -> Found {
    let mut found = Found::default();
    let all = (0_u64..).zip(zones).skip(thread).step_by(threads);
    for (number, zone) in all {
        for roster in 0..ROSTERS {
            let seed = number * ROSTERS + roster;
            for year in years(seed) {
                let seed = seed * 100 + u64::try_from(year - YEAR).unwrap();
                found.check(&Case::draw(*zone, year, seed));
            }
        }
    }
    found
}

#[test]
fn at_every_boundary_somebody_is_reached_or_a_gap_is_reported() {
    let zones = zones(YEAR - 1);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found = std::thread::scope(|scope| {
        let search = |thread| search(&zones, thread, threads);
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || search(thread)))
            .collect();
        let each = running.into_iter().map(|it| it.join().unwrap());
        each.reduce(Found::and).unwrap_or_default()
    });
    println!("{found:?}");
    let Found {
        boundaries,
        gaps,
        holes,
        passed_over,
    } = found;
    assert!(boundaries > 20_000, "too few boundaries: {boundaries}");
    assert!(
        gaps > 500 && holes > 100 && passed_over > 500,
        "{gaps} gaps, {holes} holes, {passed_over} passed over"
    );
}
