//! The parts of a daemon that health checks read.

use std::sync::Arc;

use tocsin_plugin_host::PluginHost;
use tocsin_store::Store;

use super::{Foresight, Heartbeat, RelayProbe};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::runtime::intake::assess::Assessor;
use crate::runtime::{Calendars, Clock, Due, Leases, View, Writer};

/// The parts of a daemon that health checks read.
pub struct Subject {
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    pub store: Arc<dyn Store>,
    pub view: Arc<View>,
    pub leases: Arc<Leases>,
    pub writer: Writer,
    /// Policies and their failures; people and their served contacts.
    pub assessor: Arc<Assessor>,
    /// Which calendars could not be read.
    pub calendars: Arc<Calendars>,
    /// Looks ahead at who is on call.
    pub foresight: Foresight,
    pub metrics: Arc<Metrics>,
    pub host: Arc<PluginHost>,
    /// Plugins that could not be loaded, each with the reason.
    pub plugin_faults: Arc<[(String, String)]>,
    pub due: Arc<Due>,
    /// If configured.
    pub heartbeat: Option<Heartbeat>,
    /// If a mail relay is configured.
    pub relay: Option<RelayProbe>,
}
