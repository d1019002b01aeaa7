use super::*;

fn names() -> Vec<String> {
    [
        "", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "a\u{1}", "aa", "b", "ü",
    ]
    .map(String::from)
    .into()
}

#[test]
fn timers_sort_by_time_then_kind_then_id() {
    let mut keys = Vec::new();
    for due in [i64::MIN, -1, 0, 1, 255, 256, i64::MAX] {
        for kind in names() {
            for id in names() {
                keys.push(TimerKey {
                    due: Timestamp(due),
                    kind: kind.clone(),
                    id,
                });
            }
        }
    }
    assert!(keys.is_sorted());
    let bytes: Vec<_> = keys.iter().map(timer).collect();
    assert!(bytes.is_sorted());
    assert_eq!(
        bytes
            .iter()
            .map(|bytes| read_timer(bytes))
            .collect::<Option<Vec<_>>>(),
        Some(keys)
    );
}

#[test]
fn deliveries_sort_by_class_then_lane_then_seq() {
    let mut keys = Vec::new();
    for class in Class::ALL {
        for lane in names() {
            for seq in [0, 1, 256, u64::MAX] {
                keys.push(OutboxKey {
                    class,
                    lane: lane.clone(),
                    seq,
                });
            }
        }
    }
    let bytes: Vec<_> = keys.iter().map(outbox).collect();
    assert!(bytes.is_sorted());
    assert_eq!(
        bytes
            .iter()
            .map(|key| read_outbox(key))
            .collect::<Option<Vec<_>>>(),
        Some(keys)
    );
}

#[test]
fn a_stream_ends_before_the_next_one_begins() {
    let streams: Vec<_> = names().into_iter().map(StreamId).collect();
    for pair in streams.windows(2) {
        assert!(event(&pair[0], u64::MAX) < past_stream(&pair[0]));
        assert!(past_stream(&pair[0]) < event(&pair[1], 0), "{pair:?}");
    }
    for stream in streams {
        assert_eq!(read_event(&event(&stream, 7)), Some((stream, 7)));
    }
}

#[test]
fn damaged_keys_are_rejected() {
    for key in [
        &b""[..],
        b"s",
        b"sname",
        b"sname\0\x01",
        b"sname\0\x03\0\0\0\0\0\0\0\0",
        b"t1",
    ] {
        assert_eq!(read_event(key), None);
        assert_eq!(read_timer(key), None);
        assert_eq!(read_outbox(key), None);
    }
}
