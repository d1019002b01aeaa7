use proptest::prelude::*;

use super::*;

/// Two events in the first layout; never changed.
const GOLDEN: &str = "0100000002ab562a53b232d451ca0392b55cd5089e512d1700";

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn a_chunk_of_the_first_layout_stays_readable() {
    let events = unpack(&bytes(GOLDEN)).unwrap();
    assert_eq!(events, [br#"{"v":1,"n":1}"#, br#"{"v":1,"n":2}"#]);
}

#[test]
fn a_damaged_chunk_is_an_error() {
    let whole = pack(&vec![br#"{"v":1}"#.to_vec(); 9]).remove(0).value;
    let mut miscounted = whole.clone();
    miscounted[4] += 1;
    for damaged in [
        &whole[..3],
        &whole[..whole.len() - 2],
        &miscounted,
        &[1, 0, 0, 0, 9],
    ] {
        assert!(unpack(damaged).is_err(), "{damaged:?}");
    }
}

#[test]
fn events_of_an_incident_are_packed_to_a_tenth_of_their_size() {
    let event = |n: u64| format!(r#"{{"v":1,"at":{n},"by":{{"kind":"tocsin"}},"type":"tallied"}}"#);
    let events: Vec<_> = (0..500).map(|n| event(n).into_bytes()).collect();
    let packed = pack(&events);
    let size: usize = packed.iter().map(|it| it.value.len()).sum();
    let before: usize = events.iter().map(Vec::len).sum();
    assert!(
        packed.len() == 1 && size * 10 < before,
        "{size} of {before}"
    );
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked_and_every_value_fits(
        texts in prop::collection::vec("[a-z\"\\\\\n]{0,3000}", 0..40),
        noise in prop::collection::vec(any::<u64>(), 0..300),
    ) {
        let mut events: Vec<Vec<u8>> = texts
            .iter()
            .map(|text| serde_json::json!({"v": 1, "text": text}).to_string().into_bytes())
            .collect();
        events.push(serde_json::json!(noise).to_string().into_bytes());
        let packed = pack(&events);
        let mut again = Vec::new();
        for one in &packed {
            prop_assert!(one.value.len() <= VALUE_BYTES_MAX);
            let events = unpack(&one.value).unwrap();
            prop_assert_eq!(events.len() as u64, one.events);
            again.extend(events);
        }
        prop_assert_eq!(again, events);
    }
}
