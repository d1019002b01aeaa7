//! Tests of the way to a person: each is a row that is written with its delivery, and changes with
//! what becomes known of it.

use std::collections::BTreeSet;

use tocsin_core::command::Refusal;
use tocsin_core::limits::TEST_WAIT_MS;
use tocsin_core::trial::{TestOutcome, TestPage, tests_to_begin};
use tocsin_core::{Contact, PersonId, TestId, Timestamp};
use tocsin_plugin_host::EventKind;
use tocsin_store::{Class, CommandResult, NewDelivery};

use crate::runtime::delivery::{Delivery, MAIL_CHANNEL, row_of};
use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::{COMMAND_KEY_TTL_MS, Planned};
use crate::runtime::engine::request::{NewTests, TestRequest};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::state::tables::page_test::{self, TESTS_KEPT_MAX};
use crate::runtime::state::tables::proof::prove;
use crate::runtime::state::tables::shift_told;
use crate::runtime::state::view::IncidentState;

impl Engine {
    pub(super) fn plan_test(
        &mut self,
        request: &TestRequest,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        match request {
            TestRequest::Begin(new) => self.begin_tests(new, now),
            TestRequest::Note {
                test,
                outcome,
                also,
            } => {
                let mut planned = Planned::default();
                match self.note_test(test, outcome, now, &mut planned) {
                    // Whatever caused it is settled all the same.
                    Err(error @ EngineError::Refused(_)) => planned.refusal = Some(error),
                    noted => noted?,
                }
                Self::lay_out_write(also, &mut planned.batch);
                Ok(planned)
            }
        }
    }

    fn begin_tests(&mut self, new: &NewTests, now: Timestamp) -> Result<Planned, EngineError> {
        let store = self.store.as_ref();
        let NewTests {
            person,
            contacts,
            by,
            shift,
            key,
        } = new;
        let mut planned = Planned::default();
        if let Some(repeated) = self.repeated(key.as_ref())? {
            planned.done.repeated = Some(repeated);
            return Ok(planned);
        }
        if let Some(shift) = shift {
            if shift_told::is_told(store, shift, person)? {
                return Ok(planned);
            }
            shift_told::tell(shift, person, now)?.lay_out(&mut planned.batch);
        }
        // Of two engines that begin tests at the same time, one looks again.
        let mark = Mark::PAGE_TESTS.revision(store)?;
        let kept = page_test::of_person(store, person, now)?;
        // A reminder has no button, so a test of the same contact begins beside it.
        let tests = kept.iter().filter(|it| it.1.shift.is_none());
        let all_tests: Vec<TestPage> = tests.clone().map(|it| it.1.clone()).collect();
        let begun = match shift {
            Some(_) => Ok(contacts.clone()),
            None => tests_to_begin(person, &all_tests, contacts, now),
        };
        let begun = begun.map_err(|it| Refusal::Invalid(it.to_string()))?;
        let is_asked = |it: &&(TestId, TestPage)| contacts.contains(&it.1.contact);
        let open = tests.filter(|it| it.1.is_open(now)).filter(is_asked);
        let mut all: BTreeSet<TestId> = open.map(|it| it.0.clone()).collect();
        let last = kept.last().map_or(0, |it| it.0.number);
        let first = u64::try_from(now.0).unwrap_or(0).max(last + 1);
        for (number, contact) in (first..).zip(begun) {
            let id = TestId {
                person: person.clone(),
                number,
            };
            let test = TestPage {
                shift: shift.clone(),
                ..TestPage::new(contact, by.clone(), now)
            };
            self.send_test(&id, test, now, &mut planned)?;
            all.insert(id);
        }
        if !planned.is_nothing() {
            let surplus = (kept.len() + all.len()).saturating_sub(TESTS_KEPT_MAX);
            let oldest = kept.iter().filter(|it| !all.contains(&it.0)).take(surplus);
            for (id, _) in oldest {
                page_test::remove(id).lay_out(&mut planned.batch);
            }
            Mark::PAGE_TESTS.leave(mark)?.lay_out(&mut planned.batch);
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            planned.batch.command = key.as_ref().map(|key| CommandResult {
                key: key.clone(),
                result: serde_json::json!({ "tests": names }),
                expires_at: now.plus_ms(COMMAND_KEY_TTL_MS),
            });
        }
        planned.done.tests = all.into_iter().collect();
        Ok(planned)
    }

    /// Writes a test with its delivery, or why nothing can deliver it.
    fn send_test(
        &self,
        id: &TestId,
        test: TestPage,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let kind = &test.contact.kind;
        let plugin = self.subscribed.for_contact(kind, EventKind::Page);
        let plugin = plugin.map(|it| &it.plugin);
        if plugin.is_none() && kind != MAIL_CHANNEL {
            let why = format!("nothing delivers to contacts of kind `{kind}`");
            let failed = test.noted(&TestOutcome::Failed(why), now);
            let failed = failed.unwrap_or(test);
            page_test::put(id, &failed, 0)?.lay_out(&mut planned.batch);
            return Ok(());
        }
        let delivery = Delivery::Test {
            plugin: plugin.cloned(),
            test: id.clone(),
        };
        let row = test_row(id, &test.contact, "test", &delivery, now);
        planned.batch.outbox.push(row);
        if test.shift.is_none() {
            let end = now.plus_ms(TEST_WAIT_MS);
            // Its own lane: what waits until the end holds up no other test.
            planned
                .batch
                .outbox
                .extend(self.settled_row(id, &test.contact, "test/end", end));
        }
        page_test::put(id, &test, 0)?.lay_out(&mut planned.batch);
        Ok(())
    }

    /// A person pressed the button of a page, which proves the contact that brought it.
    pub(super) fn prove_contact(
        &self,
        state: &IncidentState,
        person: &PersonId,
        via: &str,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        if let Some(contact) = state.incident.paging.answered_at(person, via) {
            prove(self.store.as_ref(), person, contact, now)?.lay_out(&mut planned.batch);
        }
        Ok(())
    }

    fn note_test(
        &self,
        id: &TestId,
        outcome: &TestOutcome,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let store = self.store.as_ref();
        let unknown = || Refusal::Invalid("this test page is not known, or too old".to_owned());
        let row = page_test::row(store, id)?.ok_or_else(unknown)?;
        let Some(after) = row.value.noted(outcome, now) else {
            return Ok(());
        };
        page_test::put(id, &after, row.revision)?.lay_out(&mut planned.batch);
        if let (TestOutcome::Failed(_), Some(shift)) = (outcome, &after.shift) {
            shift_told::forget(shift, &id.person).lay_out(&mut planned.batch);
        }
        if *outcome == TestOutcome::Pressed {
            let contact = &after.contact;
            prove(store, &id.person, contact, now)?.lay_out(&mut planned.batch);
            let row = self.settled_row(id, contact, "test", now);
            planned.batch.outbox.extend(row);
        }
        Ok(())
    }

    /// Takes away a test's button and its sound at this time, where the channel can do that: when
    /// it was pressed, or at its end.
    fn settled_row(
        &self,
        id: &TestId,
        contact: &Contact,
        lane: &str,
        at: Timestamp,
    ) -> Option<NewDelivery> {
        let subscriber = self
            .subscribed
            .for_contact(&contact.kind, EventKind::Settled)?;
        let settled = Delivery::TestSettled {
            plugin: subscriber.plugin.clone(),
            test: id.clone(),
        };
        Some(test_row(id, contact, lane, &settled, at))
    }
}

/// In a lane of its own, so that no page waits for a test.
fn test_row(
    id: &TestId,
    contact: &Contact,
    lane: &str,
    delivery: &Delivery,
    at: Timestamp,
) -> NewDelivery {
    let lane = format!("{}/{}/{lane}", id.person, contact.kind);
    row_of(Class::Prompt, lane, None, at, delivery)
}
