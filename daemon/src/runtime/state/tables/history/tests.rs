use tocsin_core::alert::Place;
use tocsin_core::intake::HistoryKind;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{IncidentId, Labels};
use tocsin_store::{Batch, MemoryStore, VALUE_BYTES_MAX};

use super::*;

const BEGIN: Timestamp = Timestamp(1_700_000_000_000);

/// Repeatable numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

fn entry(alert: u64, at: Timestamp, text: &str) -> HistoryEntry {
    HistoryEntry {
        at,
        kind: HistoryKind::Began,
        integration: "am".into(),
        fingerprint: format!("f{alert}").into(),
        firing: true,
        title: "the shop is slow".to_owned(),
        summary: text.to_owned(),
        labels: Labels::from([("service".to_owned(), "shop".to_owned())]),
        annotations: Labels::new(),
        link: None,
        starts_at: at,
        place: Place::Incident {
            id: IncidentId::from("i1"),
        },
    }
}

fn commit(store: &MemoryStore, write: RowWrites) -> bool {
    let mut batch = Batch::default();
    write.lay_out(&mut batch);
    store.commit(vec![batch]).unwrap().remove(0).is_ok()
}

fn pack_some(store: &MemoryStore, together: usize, bytes_max: u64) -> Option<u64> {
    let packing = pack(store, together, END, bytes_max).unwrap()?;
    assert!(commit(store, packing.write), "it is packed");
    Some(packing.removed)
}

fn between(store: &MemoryStore, from: Timestamp, until: Timestamp) -> Vec<HistoryEntry> {
    let reader = HistoryReader::between(store, None, from, until).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

const END: Timestamp = Timestamp(i64::MAX);

#[test]
fn what_was_added_is_read_in_order_whenever_it_was_packed() {
    for seed in 0..16 {
        let (store, mut random) = (MemoryStore::new(), Random(seed));
        let (mut at, mut added) = (BEGIN, Vec::new());
        for number in 0..300 {
            at = at.plus_ms(random.below(3) + u64::from(number % 7 == 0));
            let mut entry = entry(number, at, &"x".repeat(random.below(200) as usize));
            entry.starts_at = Timestamp(random.below(1 << 30) as i64);
            assert!(commit(&store, add(&entry).unwrap()));
            added.push(entry);
            if random.below(9) == 0 {
                pack_some(&store, 1 + random.below(60) as usize, u64::MAX);
            }
        }
        for _ in 0..20 {
            let from = BEGIN.plus_ms(random.below(400));
            let until = from.plus_ms(random.below(300));
            let mut expected = added.clone();
            expected.retain(|it| (from..until).contains(&it.at));
            let mut read = between(&store, from, until);
            assert!(read.is_sorted_by_key(|it| it.at), "seed {seed}");
            // Of one millisecond, alerts are in no particular order.
            read.sort_by_key(entry_key);
            expected.sort_by_key(entry_key);
            assert!(read == expected, "seed {seed}, {from} to {until}");
        }
    }
}

#[test]
fn nothing_is_lost_or_read_twice_when_it_is_packed_while_it_is_read() {
    for seed in 0..16 {
        let (store, mut random) = (MemoryStore::new(), Random(seed));
        let all: Vec<_> = (0..700)
            .map(|it| entry(it, BEGIN.plus_ms(it), ""))
            .collect();
        for entry in &all {
            assert!(commit(&store, add(entry).unwrap()));
        }
        pack_some(&store, 50, u64::MAX);
        let mut read = Vec::new();
        for entry in HistoryReader::between(&store, None, BEGIN, END).unwrap() {
            read.push(entry.unwrap());
            if random.below(40) == 0 {
                pack_some(&store, 1 + random.below(100) as usize, u64::MAX);
            }
        }
        assert!(read == all, "seed {seed}");
    }
}

#[test]
fn an_alert_is_read_from_its_newest_entry_page_by_page_even_if_the_clock_was_set_back() {
    // With blocks of a single entry there are more than one read unpacks.
    for (together, at_least) in [(1, 7), (64, 40), (1_000, 7)] {
        let (store, mut random) = (MemoryStore::new(), Random(1));
        let (mut now, mut expected) = (BEGIN, Vec::new());
        let mut last = [Timestamp(0); 10];
        for number in 0..600 {
            now = match number {
                300 => now.minus_ms(HOUR_MS),
                number => now.plus_ms(1 + random.below(60_000) * u64::from(number % 9 == 0)),
            };
            let alert = number as usize % last.len();
            last[alert] = now.max(last[alert].plus_ms(1));
            let entry = entry(number % 10, last[alert], "");
            if number % 10 == 3 {
                expected.push(entry.clone());
            }
            assert!(commit(&store, add(&entry).unwrap()));
            pack_some(&store, together, u64::MAX);
        }
        expected.sort_by_key(|it| std::cmp::Reverse(it.at));
        let of = HistoryOf::alert(&"am".into(), &"f3".into());
        let (mut read, mut before) = (Vec::new(), Some(END));
        while let Some(end) = before {
            let page = newest(&store, &of, end, at_least).unwrap();
            assert!(page.entries.len() < 2 * at_least);
            read.extend(page.entries);
            before = page.before;
        }
        let lengths = (read.len(), expected.len());
        assert!(read == expected, "{lengths:?} of blocks of {together}");
        let other = HistoryOf::alert(&"am".into(), &"f".into());
        let none = newest(&store, &other, BEGIN, 7).unwrap();
        assert_eq!((none.entries, none.before), (Vec::new(), None));
    }
}

#[test]
fn of_two_engines_that_pack_the_same_entries_one_is_refused() {
    let store = MemoryStore::new();
    for number in 0..8 {
        commit(&store, add(&entry(number, BEGIN, "")).unwrap());
    }
    let packings = [(); 2].map(|()| pack(&store, 8, END, u64::MAX).unwrap().unwrap());
    let committed = packings.map(|it| commit(&store, it.write));
    assert_eq!(committed, [true, false]);
    assert_eq!(between(&store, BEGIN, END).len(), 8);
    assert!(pack(&store, 1, END, u64::MAX).unwrap().is_none());
}

#[test]
fn entries_are_packed_once_enough_of_them_are_old() {
    let store = MemoryStore::new();
    for number in 0..4 {
        commit(
            &store,
            add(&entry(number, BEGIN.plus_ms(number), "")).unwrap(),
        );
    }
    let packs = |together, until| pack(&store, together, until, u64::MAX).unwrap().is_some();
    assert!(!packs(4, BEGIN.plus_ms(2)), "the newest is too young");
    assert!(packs(3, BEGIN.plus_ms(2)));
    assert!(packs(4, BEGIN.plus_ms(3)));
    assert!(!packs(5, END), "there are too few");
}

#[test]
fn the_oldest_entries_go_when_the_history_is_full() {
    let (store, mut removed) = (MemoryStore::new(), 0);
    for number in 0..400_u64 {
        let text = blake3::hash(&number.to_be_bytes()).to_hex().to_string();
        commit(
            &store,
            add(&entry(number, BEGIN.plus_ms(number), &text)).unwrap(),
        );
        removed += pack_some(&store, 20, 8_000).unwrap_or(0);
    }
    let extent = extent(&store).unwrap().value;
    assert!(
        removed > 100 && extent.bytes <= 8_000,
        "{removed} {extent:?}"
    );
    let left = between(&store, BEGIN, END);
    assert_eq!(
        (left.len() as u64, extent.entries),
        (400 - removed, 400 - removed)
    );
    let first = format!("f{removed}");
    assert_eq!(
        left.first().map(|it| it.fingerprint.as_str()),
        Some(first.as_str())
    );
}

#[test]
fn a_block_fits_into_a_row_whatever_its_entries_are() {
    let mut random = Random(7);
    for length in [0, 10, 1_000, 5_000] {
        let store = MemoryStore::new();
        for number in 0..64 {
            let text: String = (0..length)
                .map(|_| char::from(b'!' + random.below(90) as u8))
                .filter(|it| !matches!(it, '"' | '\\'))
                .collect();
            commit(
                &store,
                add(&entry(number, BEGIN.plus_ms(number), &text)).unwrap(),
            );
        }
        pack_some(&store, 64, u64::MAX).unwrap();
        let rows = store.rows(Table::History, BLOCK, None, 999).unwrap();
        let most = rows.iter().map(|it| it.1.value.to_string().len()).max();
        assert!(
            most.is_some_and(|it| it <= VALUE_BYTES_MAX),
            "{length}: {most:?}"
        );
        assert_eq!(between(&store, BEGIN, END).len(), 64);
    }
}

#[test]
fn an_entry_is_never_overwritten() {
    let store = MemoryStore::new();
    let one = entry(1, BEGIN, "one");
    assert!(commit(&store, add(&one).unwrap()));
    assert!(!commit(&store, add(&entry(1, BEGIN, "two")).unwrap()));
    assert_eq!(between(&store, BEGIN, END), [one]);
}
