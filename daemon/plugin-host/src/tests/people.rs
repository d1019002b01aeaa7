//! Guests that look people up.

use std::sync::atomic::Ordering;

use super::rig::{Rig, deliver};
use crate::CallResult;
use crate::guests::Guest;
use crate::wit::{Label, Outcome, Person};

const BY_CONTACT: &str = "(call $people_by_contact
    (i32.const 900) (i32.const 5) (i32.const 908) (i32.const 2) (i32.const 1536))";

const BY_ID: &str = "(call $people_by_id (i32.const 912) (i32.const 3) (i32.const 1536))";

/// `option<person>` is at 1536: the tag, and from 4 on id, name and contacts, each a pointer and a
/// length. Logs the kind of each contact and then the name, or nothing for `none`.
const LOG_PERSON: &str = "(if (i32.load8_u (i32.const 1536)) (then
    (global.set $at (i32.load (i32.const 1556)))
    (global.set $left (i32.load (i32.const 1560)))
    (block $end (loop $next
      (br_if $end (i32.eqz (global.get $left)))
      (call $log_write (i32.const 2) (i32.load (global.get $at))
        (i32.load (i32.add (global.get $at) (i32.const 4))) (i32.const 0) (i32.const 0))
      (global.set $at (i32.add (global.get $at) (i32.const 16)))
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (br $next)))
    (call $log_write (i32.const 2) (i32.load (i32.const 1548)) (i32.load (i32.const 1552))
      (i32.const 0) (i32.const 0))))";

/// A guest that makes the look-up `times` times and then logs whom it found.
fn guest(look_up: &str, times: u32) -> Guest {
    let mut guest = Guest::on_event(&format!(
        "(loop $again {look_up}
           (global.set $n (i32.add (global.get $n) (i32.const 1)))
           (br_if $again (i32.lt_u (global.get $n) (i32.const {times}))))
         {LOG_PERSON}"
    ));
    guest.more = "(global $n (mut i32) (i32.const 0)) (global $at (mut i32) (i32.const 0))
        (global $left (mut i32) (i32.const 0))"
        .into();
    guest.put(900, b"slack");
    guest.put(908, b"U1");
    guest.put(912, b"ada");
    guest
}

/// Ada has a contact in Slack and a mailbox; the plugin serves `contacts`.
async fn look_up(contacts: &str, guest: &Guest) -> (Rig, CallResult<Outcome>) {
    let mut rig = Rig::new();
    rig.manifest = rig
        .manifest
        .replace("events = [", &format!("contacts = {contacts}\nevents = ["));
    let label = |key: &str, value: &str| Label {
        key: key.into(),
        value: value.into(),
    };
    rig.services.people.lock().push(Person {
        id: "ada".into(),
        name: "Ada Lovelace".into(),
        contacts: vec![label("slack", "U1"), label("email", "ada@example.com")],
        extra: "{}".into(),
    });
    let result = deliver(&rig.load(guest).await).await;
    (rig, result)
}

fn logged(result: &CallResult<Outcome>) -> Vec<&str> {
    result.log.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
async fn a_person_comes_with_the_contacts_that_the_plugin_serves_and_no_others() {
    for key in [BY_CONTACT, BY_ID] {
        let (_, result) = look_up("[\"slack\"]", &guest(key, 1)).await;
        assert_eq!(logged(&result), ["slack", "Ada Lovelace"], "{key}");
    }
}

#[tokio::test]
async fn a_contact_kind_that_the_manifest_does_not_name_is_denied_with_the_line_to_add() {
    let (rig, result) = look_up("[\"email\"]", &guest(BY_CONTACT, 1)).await;
    assert_eq!(rig.services.look_ups.load(Ordering::Relaxed), 0);
    let [denied] = &result.denials[..] else {
        panic!("{:?}", result.denials);
    };
    let text = denied.to_string();
    assert!(text.contains("contacts = [\"email\", \"slack\"]"), "{text}");
}

#[tokio::test]
async fn a_plugin_that_serves_no_contacts_looks_nobody_up() {
    let (rig, result) = look_up("[]", &guest(BY_ID, 1)).await;
    assert_eq!(rig.services.look_ups.load(Ordering::Relaxed), 0);
    let [denied] = &result.denials[..] else {
        panic!("{:?}", result.denials);
    };
    assert!(
        denied.to_string().contains("contacts = [\"KIND\"]"),
        "{denied}"
    );
}

#[tokio::test]
async fn a_call_has_a_hundred_look_ups() {
    let (rig, result) = look_up("[\"slack\"]", &guest(BY_CONTACT, 101)).await;
    assert_eq!(rig.services.look_ups.load(Ordering::Relaxed), 100);
    assert_eq!(logged(&result), [""; 0]);
}
