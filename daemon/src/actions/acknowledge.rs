//! Acknowledges what a page's button names: one incident, or all that its message brought.

use std::sync::Arc;

use tocsin_core::pager::PageAttempt;
use tocsin_core::{MessageId, PageId, TestId};
use tocsin_store::CommandKey;

use super::authorize::authorize;
use super::{Ack, Caller, NotDone, perform, press_test};
use crate::runtime::{Cause, Intake, MessageOutcome};

/// What a button names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Paged {
    /// The page of one incident.
    Page(PageId),
    /// Every page that a message brought.
    Message(MessageId),
    /// A test of the way to a person.
    Test(TestId),
}

impl Paged {
    /// What the ID of a message or of one of its items names; `None` when it is neither.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let message = MessageId::parse(id).map(Self::Message);
        let named = message.or_else(|| TestId::parse(id).map(Self::Test));
        let page = PageId::from(id);
        named.or_else(|| page.parts().is_some().then_some(Self::Page(page)))
    }
}

/// Acknowledges what a button names, in the name of the caller; `via` is the channel of the button.
/// Several incidents are acknowledged one after the other once this is durable. The reply is for
/// whoever pressed it.
///
/// # Errors
/// [`NotDone`] when the caller may not, or the engine refuses.
pub(crate) async fn acknowledge(
    intake: &Arc<Intake>,
    caller: Caller,
    paged: Paged,
    via: &str,
    key: Option<CommandKey>,
) -> Result<String, NotDone> {
    authorize(&caller)?;
    let unknown = || NotDone::Invalid("this page is not known, or too old".to_owned());
    let incident = match &paged {
        Paged::Test(test) => return press_test(intake, &caller, test).await,
        Paged::Page(page) => page.parts().ok_or_else(unknown)?.0,
        Paged::Message(message) => {
            let pages = intake.pages_of(message).map_err(NotDone::Engine)?;
            match pages.as_slice() {
                [] => return Err(unknown()),
                [PageAttempt { incident, .. }] => incident.clone(),
                pages => {
                    let (by, via) = (caller.by, via.to_owned());
                    let outcome = MessageOutcome::Acknowledged { by, via };
                    let told = intake.tell(message, &outcome).await;
                    told.map_err(NotDone::Engine)?;
                    return Ok(format!("{} incidents are being acknowledged", pages.len()));
                }
            }
        }
    };
    let cause = Cause {
        key,
        is_press: true,
        ..Cause::default()
    };
    let done = perform(intake, caller, incident, Ack {}.into(), via, cause).await?;
    Ok(done.reply)
}
