//! Tests of the way to a person.

use serde::{Deserialize, Serialize};
use tocsin_core::trial::{TestPage, TestState};
use tocsin_core::{TestId, Timestamp};
use utoipa::{IntoParams, ToSchema};

use crate::disclosure::shortened;
use crate::time::format_time;

/// Whose contacts to test.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestOrder {
    /// The person's ID in the configuration.
    pub(crate) person: String,
    /// Only contacts of this kind, such as `ntfy`; left out, every contact of their ladders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
}

/// Whose tests to show.
#[derive(Debug, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestQuery {
    /// The person's ID in the configuration.
    pub(crate) person: String,
}

/// Tests of the way to a person, the oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TestList {
    pub(crate) tests: Vec<TestLine>,
    /// Whether an earlier request with the same key began them.
    pub(crate) repeated: bool,
}

/// A test of one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TestLine {
    pub(crate) id: String,
    pub(crate) person: String,
    /// The contact's kind; `mail` for the daemon's own relay.
    pub(crate) channel: String,
    /// Shortened, as numbers are private and whoever knows an ntfy topic can read it.
    pub(crate) address: String,
    /// Who asked for it.
    pub(crate) by: String,
    pub(crate) at: String,
    pub(crate) state: TestStateLine,
    pub(crate) accepted_at: Option<String>,
    /// Since when the channel knows that it was shown to the person; few channels do.
    pub(crate) seen_at: Option<String>,
    pub(crate) pressed_at: Option<String>,
    /// The channel's last error.
    pub(crate) fault: Option<String>,
    /// What to do next; null when nothing needs to be done.
    pub(crate) remedy: Option<String>,
}

/// How far a test has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TestStateLine {
    /// Its channel has not accepted it yet.
    Queued,
    Accepted,
    /// The channel knows that it was shown to the person.
    Seen,
    /// The person pressed its button: the contact counts as proven for 90 days.
    Pressed,
    /// Its channel did not accept it within ten minutes.
    Failed,
    /// Nobody has pressed its button within ten minutes.
    Unanswered,
}

impl TestLine {
    pub(crate) fn of(id: &TestId, test: &TestPage, now: Timestamp) -> Self {
        let time = |at: Option<Timestamp>| at.map(format_time);
        let state = test.state(now);
        let (address, fault) = (&test.contact.address, test.fault.as_ref());
        Self {
            id: id.to_string(),
            person: id.person.to_string(),
            channel: test.contact.kind.clone(),
            address: shortened(address),
            by: test.by.to_string(),
            at: format_time(test.at),
            state: state.into(),
            accepted_at: time(test.accepted_at),
            seen_at: time(test.seen_at),
            pressed_at: time(test.pressed_at),
            fault: fault.map(|it| it.replace(address, &shortened(address))),
            remedy: remedy(id, state)
                .filter(|_| test.shift.is_none() || state == TestState::Failed),
        }
    }
}

impl TestStateLine {
    /// Whether nothing more is expected.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Pressed | Self::Failed | Self::Unanswered)
    }
}

impl From<TestState> for TestStateLine {
    fn from(state: TestState) -> Self {
        match state {
            TestState::Queued => Self::Queued,
            TestState::Accepted => Self::Accepted,
            TestState::Seen => Self::Seen,
            TestState::Pressed => Self::Pressed,
            TestState::Failed => Self::Failed,
            TestState::Unanswered => Self::Unanswered,
        }
    }
}

fn remedy(id: &TestId, state: TestState) -> Option<String> {
    let person = &id.person;
    Some(match state {
        TestState::Queued | TestState::Pressed => return None,
        TestState::Accepted | TestState::Seen => {
            "press the button of the test page on the device".to_owned()
        }
        TestState::Failed => format!(
            "correct the contact in [people.{person}] or the plugin that serves it; `tocsin \
             doctor` says what is wrong with plugins and the mail relay"
        ),
        TestState::Unanswered => format!(
            "the channel took it: check that the address in [people.{person}] is theirs and that \
             the device may show it, and test it again"
        ),
    })
}
