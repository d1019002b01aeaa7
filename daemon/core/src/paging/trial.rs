//! Tests of the way to a person: a page about no incident through one contact, which shows that it
//! arrives there and that its button works.

use serde::{Deserialize, Serialize};

use crate::text::cut;
use crate::time::HOUR_MS;
use crate::{Actor, Contact, IncidentId, Timestamp, limits};

/// A test of one contact of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestPage {
    pub contact: Contact,
    /// Who asked for it.
    pub by: Actor,
    pub at: Timestamp,
    /// The shift that it is a reminder of, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftNotice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// Since when the channel knows that it was shown to the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed_at: Option<Timestamp>,
    /// Since when it is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The channel's last error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// What its person should know before a shift begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftNotice {
    pub rotation: String,
    /// When it begins.
    pub from: Timestamp,
    /// What speaks against it, each with the remedy; at most
    /// [`SHIFT_WARNINGS_MAX`](limits::SHIFT_WARNINGS_MAX).
    pub warnings: Vec<String>,
    /// The incidents that are open shortly before it begins, the worst first, at most
    /// [`SHIFT_INCIDENTS_MAX`](limits::SHIFT_INCIDENTS_MAX); `None`: the person is told long before
    /// what speaks against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Vec<IncidentId>>,
}

/// How far a test has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestState {
    /// Its channel has not accepted it yet.
    Queued,
    Accepted,
    /// The channel knows that it was shown to the person.
    Seen,
    /// The person pressed its button: the contact works.
    Pressed,
    /// Its channel did not accept it.
    Failed,
    /// Its channel accepted it, and nobody pressed its button in time. A reminder has none.
    Unanswered,
}

/// What became known of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    Accepted,
    Seen,
    Pressed,
    /// An attempt failed, and there will be another one.
    Retried(String),
    Failed(String),
}

/// Why a person gets no further test now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} got {max} test pages within an hour; wait a while", max = limits::TESTS_PER_HOUR_MAX)]
pub struct TooManyTests(pub crate::PersonId);

impl TestPage {
    #[must_use]
    pub fn new(contact: Contact, by: Actor, now: Timestamp) -> Self {
        Self {
            contact,
            by,
            at: now,
            shift: None,
            accepted_at: None,
            seen_at: None,
            pressed_at: None,
            failed_at: None,
            fault: None,
        }
    }

    /// Whether it may still be sent, and its button waits for a press.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let is_over = self.pressed_at.is_some() || self.failed_at.is_some();
        !is_over && now.since(self.at) < limits::TEST_WAIT_MS
    }

    #[must_use]
    pub fn state(&self, now: Timestamp) -> TestState {
        match self {
            it if it.pressed_at.is_some() => TestState::Pressed,
            it if it.failed_at.is_some() => TestState::Failed,
            it if it.seen_at.or(it.accepted_at).is_none() => match it.is_open(now) {
                true => TestState::Queued,
                false => TestState::Failed,
            },
            it if !it.is_open(now) && it.shift.is_none() => TestState::Unanswered,
            it if it.seen_at.is_some() => TestState::Seen,
            _ => TestState::Accepted,
        }
    }

    /// The test after something became known of it; `None` if that changes nothing. What arrives
    /// late or again undoes nothing.
    #[must_use]
    pub fn noted(&self, outcome: &TestOutcome, now: Timestamp) -> Option<Self> {
        let mut after = self.clone();
        let is_accepted = self.accepted_at.is_some() || self.pressed_at.is_some();
        match outcome {
            TestOutcome::Retried(_) | TestOutcome::Failed(_)
                if is_accepted || self.failed_at.is_some() =>
            {
                return None;
            }
            TestOutcome::Retried(why) => after.fault = Some(short(why)),
            TestOutcome::Failed(why) => {
                after.fault = Some(short(why));
                after.failed_at = Some(now);
            }
            TestOutcome::Accepted | TestOutcome::Seen | TestOutcome::Pressed => {
                after.accepted_at = after.accepted_at.or(Some(now));
                (after.failed_at, after.fault) = (None, None);
            }
        }
        match outcome {
            TestOutcome::Seen => after.seen_at = after.seen_at.or(Some(now)),
            TestOutcome::Pressed => after.pressed_at = after.pressed_at.or(Some(now)),
            _ => {}
        }
        (after != *self).then_some(after)
    }
}

/// Which contacts of a person get a test now: those of which none is open. `kept`: the person's
/// tests of the last hour, at least.
///
/// # Errors
/// [`TooManyTests`] when they got as many within an hour as they may.
pub fn tests_to_begin(
    person: &crate::PersonId,
    kept: &[TestPage],
    contacts: &[Contact],
    now: Timestamp,
) -> Result<Vec<Contact>, TooManyTests> {
    let is_tested = |contact: &Contact| {
        let mut open = kept.iter().filter(|it| it.is_open(now));
        open.any(|it| it.contact == *contact)
    };
    let mut begun: Vec<Contact> = Vec::new();
    for contact in contacts {
        if !is_tested(contact) && !begun.contains(contact) {
            begun.push(contact.clone());
        }
    }
    let lately = kept.iter().filter(|it| now.since(it.at) < HOUR_MS);
    match begun.is_empty() || lately.count() + begun.len() <= limits::TESTS_PER_HOUR_MAX {
        true => Ok(begun),
        false => Err(TooManyTests(person.clone())),
    }
}

fn short(why: &str) -> String {
    cut(why.to_owned(), limits::REASON_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::time::MINUTE_MS;

    const T0: Timestamp = Timestamp(1_000_000_000);

    fn contact(kind: &str) -> Contact {
        Contact {
            kind: kind.to_owned(),
            address: "ada".to_owned(),
        }
    }

    fn test(kind: &str) -> TestPage {
        TestPage::new(contact(kind), Actor::Tocsin, T0)
    }

    fn after(ms: u64) -> Timestamp {
        T0.plus_ms(ms)
    }

    #[test]
    fn a_test_goes_from_queued_over_accepted_and_seen_to_pressed() {
        let mut it = test("ntfy");
        assert_eq!(it.state(T0), TestState::Queued);
        for (outcome, state) in [
            (TestOutcome::Retried("busy".to_owned()), TestState::Queued),
            (TestOutcome::Accepted, TestState::Accepted),
            (TestOutcome::Seen, TestState::Seen),
            (TestOutcome::Pressed, TestState::Pressed),
        ] {
            it = it.noted(&outcome, after(1)).unwrap();
            assert_eq!(
                (it.state(after(1)), it.noted(&outcome, after(2))),
                (state, None)
            );
        }
        assert_eq!((it.fault.as_deref(), it.is_open(after(2))), (None, false));
    }

    #[test]
    fn what_arrives_late_or_again_undoes_nothing() {
        let failed = TestOutcome::Failed("no such topic".to_owned());
        let pressed = test("ntfy").noted(&TestOutcome::Pressed, T0).unwrap();
        assert_eq!(pressed.noted(&failed, after(1)), None);
        assert_eq!(
            pressed.accepted_at,
            Some(T0),
            "a press implies that it was accepted"
        );
        let it = test("ntfy").noted(&failed, T0).unwrap();
        assert_eq!(it.state(T0), TestState::Failed);
        assert_eq!(it.fault.as_deref(), Some("no such topic"));
        let it = it.noted(&TestOutcome::Pressed, after(1)).unwrap();
        assert_eq!(
            it.state(after(1)),
            TestState::Pressed,
            "it arrived all the same"
        );
    }

    #[test]
    fn a_test_that_nobody_presses_is_over_after_ten_minutes_and_a_late_press_counts() {
        let it = test("ntfy").noted(&TestOutcome::Accepted, T0).unwrap();
        assert_eq!(it.state(after(10 * MINUTE_MS - 1)), TestState::Accepted);
        assert_eq!(it.state(after(10 * MINUTE_MS)), TestState::Unanswered);
        let unsent = test("ntfy");
        assert_eq!(unsent.state(after(10 * MINUTE_MS)), TestState::Failed);
        let it = it.noted(&TestOutcome::Pressed, after(HOUR_MS)).unwrap();
        assert_eq!(it.state(after(HOUR_MS)), TestState::Pressed);
    }

    #[test]
    fn a_contact_has_one_open_test_and_a_person_a_limited_number_within_an_hour() {
        let ada = "ada".into();
        let both = [contact("ntfy"), contact("slack"), contact("ntfy")];
        let begun = tests_to_begin(&ada, &[test("slack")], &both, T0).unwrap();
        assert_eq!(begun, [contact("ntfy")]);
        let failed = TestOutcome::Failed("no".to_owned());
        let over = test("slack").noted(&failed, T0).unwrap();
        let many = vec![over; limits::TESTS_PER_HOUR_MAX];
        let refused = tests_to_begin(&ada, &many, &both, T0);
        assert_eq!(refused, Err(TooManyTests(ada.clone())));
        assert!(tests_to_begin(&ada, &many, &both, after(HOUR_MS)).is_ok());
    }
}
