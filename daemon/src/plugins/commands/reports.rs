//! What a plugin learned elsewhere: changes, such as deployments, and alerts. The plugin counts as
//! their sender, as an integration does.

use tocsin_plugin_host::wit::CommandError;

use super::{Call, refused};
use crate::config::Mapping;
use crate::ingest::pagerduty::ChangeEvent;
use crate::ingest::{Received, generic};

impl Call<'_> {
    /// Records a change in the shape of `POST /v2/change/enqueue`.
    pub(super) async fn record_change(&self, change: &str) -> Result<(), CommandError> {
        let event = ChangeEvent::read_from_plugin(change.as_bytes());
        let event = event.map_err(|fault| CommandError::Invalid(fault.to_string()))?;
        let taken = self
            .access
            .intake
            .take_change(event.into_change(&self.received()));
        taken.await.map_err(refused)
    }

    /// Takes an alert in the shape of the generic source.
    pub(super) async fn send_signal(&self, signal: &str) -> Result<(), CommandError> {
        let parsed = generic::parse(signal.as_bytes(), &Mapping::default(), &self.received());
        let parsed = parsed.map_err(|fault| CommandError::Invalid(fault.to_string()))?;
        if let Some(rejected) = parsed.rejected.first() {
            let why = format!("{}: {}", rejected.pointer, rejected.message);
            return Err(CommandError::Invalid(why));
        }
        let taken = self.access.intake.take(parsed.signals);
        taken.await.map(drop).map_err(refused)
    }

    /// A retried call reports the same again: what has no ID of its own has the command's.
    fn received(&self) -> Received {
        Received::new(self.plugin, self.access.clock.now(), self.command_key().0)
    }
}
