//! The handle to a running engine.

use std::sync::Arc;

use crate::metrics::Metrics;
use crate::runtime::clock::Clock;
use crate::runtime::engine::writer::Writer;
use crate::runtime::state::view::View;

/// What the runtime's modules need to use the engine.
#[derive(Clone)]
pub struct EngineHandle {
    pub clock: Arc<dyn Clock>,
    /// The durable state of incidents and alerts.
    pub view: Arc<View>,
    /// Sends requests to the single writer thread.
    pub writer: Writer,
    pub metrics: Arc<Metrics>,
}
