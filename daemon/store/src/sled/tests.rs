use tempfile::TempDir;

use super::*;
use crate::conformance::Subject;

struct OnDisk {
    store: SledStore,
    folder: TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: SledStore::open(folder.path()).unwrap(),
            folder,
        }
    }
}

impl Subject for OnDisk {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopened(self: Box<Self>) -> Box<dyn Subject> {
        let Self { store, folder } = *self;
        drop(store);
        Box::new(Self {
            store: SledStore::open(folder.path()).unwrap(),
            folder,
        })
    }
}

crate::conformance_suite!(|| Box::new(OnDisk::new()));

fn damaged(damage: impl FnOnce(&sled::Db)) -> (TempDir, Result<SledStore, StoreError>) {
    let OnDisk { store, folder } = OnDisk::new();
    let batch = |n: u64| Batch {
        appends: vec![crate::Append {
            stream: StreamId("s".to_owned()),
            expected: n,
            events: vec![serde_json::json!({"v": 1, "n": n})],
        }],
        ..Batch::default()
    };
    store.commit((0..5).map(batch).collect()).unwrap();
    damage(&store.disk.db);
    store.disk.sync().unwrap();
    drop(store);
    let opened = SledStore::open(folder.path());
    (folder, opened)
}

#[test]
fn a_newer_format_is_named_with_both_versions() {
    let (_folder, opened) = damaged(|db| drop(db.insert(keys::FORMAT, &7_u32.to_be_bytes())));
    let error = opened.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::NewerFormat {
                found: 7,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_folder_with_something_else_is_rejected() {
    let (_folder, opened) = damaged(|db| drop(db.remove(keys::FORMAT)));
    assert!(matches!(opened, Err(StoreError::Corrupt { .. })));
}

#[test]
fn verify_reports_damaged_and_missing_events_and_continues() {
    let event = |version| keys::event(&StreamId("s".to_owned()), version);
    let (_folder, opened) = damaged(|db| {
        db.insert(event(2), "no json").unwrap();
        db.remove(event(4)).unwrap();
        db.insert(keys::row(Table::Key, "k"), "short").unwrap();
    });
    let Err(StoreError::Corrupt { what, .. }) = opened else {
        panic!("a short row was read")
    };
    assert!(what.contains("row"), "{what}");
    let (_folder, opened) = damaged(|db| {
        db.insert(event(2), "no json").unwrap();
        db.remove(event(4)).unwrap();
    });
    let report = crate::verify_events(&opened.unwrap(), |_| Ok(()));
    assert_eq!((report.events, report.fault_count), (3, 2), "{report:?}");
    assert!(
        report.faults[0].contains("event 2 of stream s"),
        "{report:?}"
    );
    assert!(
        report.faults[1].contains("stream s lacks events 4 to 4"),
        "{report:?}"
    );
}

fn packed() -> Batch {
    Batch {
        packs: vec![crate::Pack {
            stream: StreamId("s".to_owned()),
            expected: 5,
        }],
        ..Batch::default()
    }
}

#[test]
fn a_packed_stream_has_one_key() {
    let (_folder, opened) = damaged(|_| ());
    let store = opened.unwrap();
    store.commit(vec![packed()]).unwrap().remove(0).unwrap();
    let keys: Vec<_> = store.disk.db.scan_prefix([keys::STREAM]).keys().collect();
    assert_eq!(keys.len(), 1);
    assert!(store.is_packed(&StreamId("s".to_owned())).unwrap());
    let last = keys::event(&StreamId("s".to_owned()), 5);
    assert_eq!(keys[0].clone().unwrap(), last);
}

#[test]
fn packing_leaves_a_damaged_stream_for_verify_to_find() {
    let event = |version| keys::event(&StreamId("s".to_owned()), version);
    let (_folder, opened) = damaged(|db| drop(db.remove(event(4))));
    let store = opened.unwrap();
    store.commit(vec![packed()]).unwrap().remove(0).unwrap();
    let report = crate::verify_events(&store, |_| Ok(()));
    assert_eq!((report.events, report.fault_count), (4, 1), "{report:?}");
}

#[test]
fn verify_reports_a_damaged_chunk_and_continues() {
    let event = |version| keys::event(&StreamId("s".to_owned()), version);
    let (_folder, opened) = damaged(|_| ());
    let store = opened.unwrap();
    store.commit(vec![packed()]).unwrap().remove(0).unwrap();
    let chunk = store.disk.db.get(event(5)).unwrap().unwrap();
    store
        .disk
        .db
        .insert(event(5), &chunk[..chunk.len() - 3])
        .unwrap();
    let report = crate::verify_events(&store, |_| Ok(()));
    assert!(!report.is_sound());
    assert!(
        report.faults[0].contains("event 5 of stream s"),
        "{report:?}"
    );
}

fn page() -> Batch {
    Batch {
        outbox: vec![crate::NewDelivery {
            class: Class::Page,
            lane: "anna".to_owned(),
            coalesce: None,
            not_before: Timestamp(0),
            created_at: Timestamp(0),
            body: Value::Null,
        }],
        ..Batch::default()
    }
}

#[test]
fn a_store_of_an_earlier_format_is_upgraded_by_the_first_write() {
    for earlier in [1_u32, 2] {
        let seq = 40;
        let (folder, opened) = damaged(|db| {
            let key = OutboxKey {
                class: Class::Page,
                lane: "ada".to_owned(),
                seq,
            };
            let delivery = value::Delivery {
                begun: false,
                not_before: Timestamp(0),
                created_at: Timestamp(0),
                attempts: 0,
                coalesce: None,
                body: b"null".to_vec(),
            };
            db.insert(keys::outbox(&key), delivery.write()).unwrap();
            let (revision, fence) = (7_u64.to_be_bytes(), 9_u64.to_be_bytes());
            db.insert(keys::COUNTERS, [revision, fence].concat())
                .unwrap();
            db.insert(keys::FORMAT, &earlier.to_be_bytes()).unwrap();
        });
        let store = opened.unwrap();
        let format = |store: &SledStore| store.disk.get(keys::FORMAT).unwrap().unwrap().to_vec();
        let unchanged = format(&store);
        assert_eq!(unchanged, earlier.to_be_bytes(), "opening changes nothing");
        let expired = store.feed(Position(0), 9).unwrap();
        assert!(matches!(expired, Feed::Expired { .. }), "{expired:?}");
        let mut committed = store.commit(vec![page(), packed()]).unwrap();
        let queued = committed.remove(0).unwrap().queued;
        assert!(queued[0].seq > seq, "{queued:?}");
        assert_eq!(format(&store), open::FORMAT.to_be_bytes());
        let claims = store.claim(Class::Page, Timestamp(0), 9, 1).unwrap();
        assert!(
            claims.iter().all(|claim| claim.token.fence > 9),
            "{claims:?}"
        );
        drop((store, folder));
    }
}

#[test]
fn the_largest_values_stay_in_the_log() {
    let OnDisk { store, folder } = OnDisk::new();
    let value = serde_json::json!("x".repeat(crate::VALUE_BYTES_MAX - 2));
    let write = |n: u64| Batch {
        rows: vec![crate::RowChange {
            table: Table::Alert,
            key: format!("{:0>1$}", n * 7_919 % 1_000, crate::KEY_BYTES_MAX),
            value: Some(value.clone().into()),
            expires_at: None,
        }],
        ..Batch::default()
    };
    store.commit((0..1_000).map(write).collect()).unwrap();
    let blobs = std::fs::read_dir(folder.path().join("blobs"))
        .unwrap()
        .count();
    assert_eq!(blobs, 0, "sled writes these files without sync");
}

#[test]
fn a_row_shows_the_durable_value_while_the_next_one_is_being_written() {
    let OnDisk {
        store,
        folder: _folder,
    } = OnDisk::new();
    let shown = || {
        let row = store.row(Table::Alert, "a").unwrap();
        row.map(|row| row.value)
    };
    let write = |value: &str| {
        let head = super::value::RowHead {
            revision: 9,
            expires_at: None,
        };
        let bytes = super::value::write_row(&head, value.as_bytes());
        let key = keys::row(Table::Alert, "a");
        let writes = [(key, Some(bytes.into()))];
        let found = super::disk::Found::new();
        store.disk.write(writes.into(), found).unwrap();
    };
    write("1");
    assert_eq!(shown(), None);
    write("2");
    assert_eq!(shown(), None, "two writes of one group");
    store.disk.sync().unwrap();
    assert_eq!(shown(), Some(2.into()));
    write("3");
    assert_eq!(shown(), Some(2.into()));
}

#[test]
fn free_space_is_measured() {
    let OnDisk {
        store,
        folder: _folder,
    } = OnDisk::new();
    assert!(store.free_bytes().unwrap() > 0);
}
