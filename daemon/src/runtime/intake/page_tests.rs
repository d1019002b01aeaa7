//! Tests of the way to a person.

use tocsin_core::trial::{TestOutcome, TestPage};
use tocsin_core::{Grade, PersonId, Plan, TestId, Timestamp};

use super::{Intake, done};
use crate::people::Roster;
use crate::runtime::engine::request::{Done, NewTests, Request, TestRequest, Write};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::page_test;

impl Intake {
    /// Begins tests of the way to a person; answers with those that were open and those that it
    /// began.
    ///
    /// # Errors
    /// [`EngineError`] when the person got too many, or it cannot be taken now.
    pub async fn begin_tests(&self, new: NewTests) -> Result<Done, EngineError> {
        let request = Request::Test(Box::new(TestRequest::Begin(new)));
        done(self.writer.offer(request).await?)
    }

    /// What the policies in force say for incidents that page at night.
    pub(crate) fn night_plans(&self, roster: &Roster, now: Timestamp) -> Vec<(Grade, Plan)> {
        self.assessor.night_plans(roster, now)
    }

    /// Notes what became of a test.
    ///
    /// # Errors
    /// [`EngineError`] when it is not known, or cannot be noted now.
    pub async fn note_test(&self, test: TestId, outcome: TestOutcome) -> Result<(), EngineError> {
        let note = TestRequest::Note {
            test,
            outcome,
            also: Write::default(),
        };
        self.writer.offer(Request::Test(Box::new(note))).await?;
        Ok(())
    }

    /// The tests of a person that are kept, the oldest first.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub fn tests_of(&self, person: &PersonId) -> Result<Vec<(TestId, TestPage)>, EngineError> {
        page_test::of_person(self.view.store(), person, self.clock.now())
    }

    /// A test; `None` if it is not known, or no longer.
    ///
    /// # Errors
    /// As [`tests_of`](Self::tests_of).
    pub fn test(&self, id: &TestId) -> Result<Option<TestPage>, EngineError> {
        page_test::test(self.view.store(), id)
    }
}
