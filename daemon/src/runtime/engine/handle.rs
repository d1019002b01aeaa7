//! The engine as those who ask it need it.

use std::sync::Arc;

use crate::metrics::Metrics;
use crate::runtime::clock::Clock;
use crate::runtime::engine::writer::Writer;
use crate::runtime::state::view::View;

/// What every room of the runtime works with.
#[derive(Clone)]
pub struct EngineHandle {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Incidents and alerts, as they are durable.
    pub view: Arc<View>,
    /// The way to the one writer.
    pub writer: Writer,
    pub metrics: Arc<Metrics>,
}
