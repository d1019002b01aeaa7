//! The parts of a running daemon that its health is read from.

use std::sync::Arc;

use tocsin_plugin_host::PluginHost;
use tocsin_store::Store;

use super::{Heartbeat, RelayProbe};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::runtime::intake::assess::Assessor;
use crate::runtime::{Clock, Due, Leases, View, Writer};

/// A running daemon, as far as its health is judged.
pub struct Subject {
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub view: Arc<View>,
    pub leases: Arc<Leases>,
    pub writer: Writer,
    /// Policies and their failures; people and which of their contacts are served.
    pub assessor: Arc<Assessor>,
    pub metrics: Arc<Metrics>,
    pub host: Arc<PluginHost>,
    /// Plugins that could not be loaded, each with why.
    pub plugin_faults: Arc<[(String, String)]>,
    pub due: Arc<Due>,
    /// `None` when none is configured.
    pub heartbeat: Option<Heartbeat>,
    /// `None` when the host has no mail relay.
    pub relay: Option<RelayProbe>,
}
