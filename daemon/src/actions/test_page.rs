//! Tests the way to a person: sends test pages through their contacts, and takes the press on their
//! buttons.

use std::sync::Arc;

use serde_json::Value;
use tocsin_core::limits::PROVEN_MS;
use tocsin_core::time::HOUR_MS;
use tocsin_core::trial::TestOutcome;
use tocsin_core::{Contact, PersonId, TestId};
use tocsin_store::CommandKey;

use super::authorize::authorize;
use super::{Caller, NotDone};
use crate::api::TestOrder;
use crate::people::{MAIL_CHANNEL, MAIL_CONTACT, ResponderLookup};
use crate::runtime::{Done, Intake, NewTests};

/// Begins a test of each contact that pages to a person may go to, or of those of one kind.
/// Answers with the tests, those that were open already among them, and whether an earlier request
/// with the same key began them.
///
/// # Errors
/// [`NotDone`] when the caller may not, or the person has no such contact or got too many tests.
pub(crate) async fn test_pages(
    intake: &Arc<Intake>,
    caller: &Caller,
    order: &TestOrder,
    key: Option<CommandKey>,
) -> Result<(Vec<TestId>, bool), NotDone> {
    authorize(caller)?;
    let person = PersonId::from(order.person.as_str());
    let contacts = contacts_of(intake.responders(), &person, order.channel.as_deref())?;
    let new = NewTests {
        person,
        contacts,
        by: caller.by.clone(),
        shift: None,
        key,
    };
    let done = intake.begin_tests(new).await?;
    let is_repeated = done.repeated.is_some();
    Ok((begun(done), is_repeated))
}

/// The person presses the button of a test. The reply is for them.
///
/// # Errors
/// [`NotDone`] when the caller is somebody else, or the test is not known.
pub(crate) async fn press_test(
    intake: &Arc<Intake>,
    caller: &Caller,
    test: &TestId,
) -> Result<String, NotDone> {
    let TestId { person, .. } = test;
    if caller.by.person() != Some(person) {
        return Err(NotDone::Invalid(format!(
            "this tests the way to {person}; only they can press it"
        )));
    }
    let pressed = intake.note_test(test.clone(), TestOutcome::Pressed);
    pressed.await?;
    let days = PROVEN_MS / (24 * HOUR_MS);
    Ok(format!(
        "the test page reached {person}; this contact counts as proven for {days} days"
    ))
}

fn contacts_of(
    lookup: &ResponderLookup,
    person: &PersonId,
    channel: Option<&str>,
) -> Result<Vec<Contact>, NotDone> {
    let all = lookup
        .contacts_tried(person)
        .ok_or_else(|| NotDone::Missing(lookup.rosters.now().no_person(person.as_str())))?;
    if all.is_empty() {
        return Err(NotDone::Invalid(format!(
            "{person} has no contacts; add them to [people.{person}] contacts"
        )));
    }
    let Some(channel) = channel else {
        return Ok(all);
    };
    let is_mail = |kind: &str| kind == MAIL_CHANNEL || kind == MAIL_CONTACT;
    let is_it = |kind: &str| kind == channel || is_mail(kind) && is_mail(channel);
    let kinds: Vec<_> = all.iter().map(|it| it.kind.clone()).collect();
    let of_kind: Vec<_> = all.into_iter().filter(|it| is_it(&it.kind)).collect();
    match of_kind.is_empty() {
        false => Ok(of_kind),
        true => Err(NotDone::Invalid(format!(
            "{person} has no contact of kind `{channel}`; they have {}",
            kinds.join(", ")
        ))),
    }
}

fn begun(done: Done) -> Vec<TestId> {
    let Some(earlier) = done.repeated else {
        return done.tests;
    };
    let ids = earlier.get("tests").and_then(Value::as_array);
    let ids = ids.into_iter().flatten().filter_map(Value::as_str);
    ids.filter_map(TestId::parse).collect()
}
