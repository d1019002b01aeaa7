//! The feed: all changes in order, without silent gaps.

use tocsin_core::Timestamp;

use super::{Subject, append, claim, command, commit, delivery, queue, row, settle, stream, timer};
use crate::{
    Batch, Changed, Class, FEED_CHANGES_KEPT, FEED_CHANGES_MAX, Feed, Guard, Position, RowChange,
    Store, Table,
};

/// The changes after a position that is still kept.
pub(super) fn changes(store: &dyn Store, after: Position, limit: usize) -> Vec<Changed> {
    match store.feed(after, limit).unwrap() {
        Feed::Changes(changes) => changes,
        Feed::Expired { newest } => panic!("{after:?} is not kept; the newest is {newest:?}"),
    }
}

fn newest(store: &dyn Store) -> Position {
    store.feed_position().unwrap()
}

fn rows(names: &[&str]) -> Batch {
    Batch {
        rows: names.iter().map(|name| row(Table::Key, name, 1)).collect(),
        ..Batch::default()
    }
}

fn removed(table: Table, key: String) -> RowChange {
    RowChange {
        table,
        key,
        value: None,
        expires_at: None,
    }
}

fn named(changed: &Changed) -> Vec<(Table, &str)> {
    let rows = changed.rows.iter();
    rows.map(|(table, key)| (*table, key.as_str())).collect()
}

pub fn the_feed_says_what_a_commit_changed(subject: Box<dyn Subject>) {
    let store = subject.store();
    assert_eq!(newest(store), Position(0));
    assert_eq!(changes(store, Position(0), 9), []);
    let refused = Batch {
        guards: vec![Guard {
            table: Table::Meta,
            key: "absent".to_owned(),
            revision: 1,
        }],
        ..rows(&["refused"])
    };
    let removes = Batch {
        rows: vec![
            removed(Table::Key, "b".to_owned()),
            row(Table::Alert, "b", 1),
        ],
        appends: vec![append("s", 2, 1), append("t", 0, 1), append("none", 0, 0)],
        ..Batch::default()
    };
    let first = Batch {
        appends: vec![append("s", 0, 2)],
        ..rows(&["b", "a"])
    };
    let group = vec![first, refused, removes];
    store.commit(group).unwrap();
    let changed = changes(store, Position(0), 9).remove(0);
    assert_eq!(changed.streams, [(stream("s"), 3), (stream("t"), 1)]);
    assert_eq!(
        named(&changed),
        [(Table::Alert, "b"), (Table::Key, "a"), (Table::Key, "b")]
    );
    assert!(changed.position > Position(0));
    assert_eq!(newest(store), changed.position);
    assert_eq!(changes(store, changed.position, 9), []);
}

pub fn what_changes_no_stream_or_row_has_no_position(subject: Box<dyn Subject>) {
    let store = subject.store();
    commit(store, rows(&["a"])).unwrap();
    let before = newest(store);
    queue(store, vec![delivery(Class::Page, "anna", 1, 0)]);
    let claims = claim(store, Class::Page, 0);
    commit(store, settle(&claims[0], None)).unwrap();
    let batch = Batch {
        timers_set: vec![timer(5, "kind", "id")],
        command: Some(command("c", "", 9)),
        ..Batch::default()
    };
    commit(store, batch).unwrap();
    assert_eq!(store.expire(Timestamp(9), 9).unwrap(), 1);
    assert_eq!(newest(store), before);
    assert_eq!(changes(store, before, 9), []);
}

pub fn what_is_forgotten_is_in_the_feed(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut batch = rows(&["a", "b", "c"]);
    batch.rows[0].expires_at = Some(Timestamp(5));
    batch.rows[1].expires_at = Some(Timestamp(6));
    commit(store, batch).unwrap();
    let before = newest(store);
    assert_eq!(store.expire(Timestamp(5), 9).unwrap(), 1);
    let changed = changes(store, before, 9);
    assert_eq!(named(&changed[0]), [(Table::Key, "a")]);
    assert_eq!(changed.len(), 1);
    assert_eq!(store.expire(Timestamp(5), 9).unwrap(), 0);
    assert_eq!(newest(store), changed[0].position);
}

pub fn the_feed_is_read_in_pages(subject: Box<dyn Subject>) {
    let store = subject.store();
    let names: Vec<_> = (0..10).map(|n| n.to_string()).collect();
    for name in &names {
        commit(store, rows(&[name])).unwrap();
    }
    let all = changes(store, Position(0), 99);
    assert!(all.is_sorted_by(|one, next| one.position < next.position));
    assert_eq!(newest(store), all[9].position);
    let mut read: Vec<Changed> = Vec::new();
    loop {
        let after = read.last().map_or(Position(0), |it| it.position);
        let page = changes(store, after, 3);
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 3);
        read.extend(page);
    }
    assert_eq!(read, all);
    let read: Vec<_> = read.iter().flat_map(named).collect();
    let written: Vec<_> = names.iter().map(|it| (Table::Key, it.as_str())).collect();
    assert_eq!(read, written);
    assert_eq!(changes(store, Position(0), 0), []);
}

pub fn an_answer_of_the_feed_has_a_size(subject: Box<dyn Subject>) {
    let store = subject.store();
    let part = FEED_CHANGES_MAX / 3;
    for commits in 0..4 {
        let key = |n| format!("{commits}-{n}");
        let rows = (0..part).map(|n| removed(Table::Key, key(n))).collect();
        let batch = Batch {
            rows,
            ..Batch::default()
        };
        commit(store, batch).unwrap();
    }
    let first = changes(store, Position(0), 99);
    assert_eq!(first.len(), 3);
    assert_eq!(changes(store, first[2].position, 99).len(), 1);
}

pub fn a_reader_too_far_behind_is_told(subject: Box<dyn Subject>) {
    let store = subject.store();
    commit(store, rows(&["first"])).unwrap();
    let behind = newest(store);
    let part = 4_096;
    for commits in 0..=FEED_CHANGES_KEPT / part {
        let key = |n| format!("{commits}-{n}");
        let rows = (0..part).map(|n| removed(Table::Key, key(n))).collect();
        let batch = Batch {
            rows,
            ..Batch::default()
        };
        commit(store, batch).unwrap();
    }
    let newest = newest(store);
    assert_eq!(store.feed(behind, 1).unwrap(), Feed::Expired { newest });
    assert_eq!(changes(store, newest, 9), []);
    commit(store, rows(&["last"])).unwrap();
    assert_eq!(
        named(&changes(store, newest, 9)[0]),
        [(Table::Key, "last")],
        "it continues from there"
    );
}

pub fn a_position_is_never_used_again(mut subject: Box<dyn Subject>) {
    let mut last = Position(0);
    for n in 0..4 {
        commit(subject.store(), rows(&[&n.to_string()])).unwrap();
        let newest = newest(subject.store());
        assert!(newest > last, "{newest:?} after {last:?}");
        last = newest;
        if n > 1 {
            subject = subject.reopened();
            assert_eq!(self::newest(subject.store()), last);
        }
    }
}

pub fn the_feed_hides_nothing_over_a_restart(subject: Box<dyn Subject>) {
    commit(subject.store(), rows(&["a"])).unwrap();
    let one = newest(subject.store());
    commit(subject.store(), rows(&["b"])).unwrap();
    let two = newest(subject.store());
    let subject = subject.reopened();
    let store = subject.store();
    assert_eq!(
        changes(store, two, 9),
        [],
        "a reader at the end missed nothing"
    );
    commit(store, rows(&["c"])).unwrap();
    assert_eq!(named(&changes(store, two, 9)[0]), [(Table::Key, "c")]);
    let newest = newest(store);
    match store.feed(one, 9).unwrap() {
        Feed::Expired { newest: told } => assert_eq!(told, newest),
        Feed::Changes(changes) => {
            let read: Vec<_> = changes.iter().flat_map(named).collect();
            assert_eq!(read, [(Table::Key, "b"), (Table::Key, "c")]);
        }
    }
    let Position(last) = newest;
    let expired = store.feed(Position(last + 1), 9).unwrap();
    assert_eq!(
        expired,
        Feed::Expired { newest },
        "it is from another store"
    );
}
