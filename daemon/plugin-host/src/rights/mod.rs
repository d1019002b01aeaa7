//! The rights of plugins: manifests, grants, limits, and denials with their remedies.

mod denied;
mod effective;
mod grants;
mod headers;
mod limits;
pub mod manifest;
mod network;
mod schedule;
mod secrets;
mod settings;

pub use denied::{Denied, DeniedBy};
pub use effective::RightState;
pub use grants::{GlobalPolicy, Grants, PluginGrant, RightKind};
pub use limits::{LimitRequest, Limits};
pub use network::Network;
pub use schedule::{Schedule, ScheduleError};
pub use secrets::SecretSource;

pub(crate) use denied::toml_list;
pub(crate) use effective::Rights;
pub(crate) use headers::is_reserved_header;
#[cfg(test)]
pub(crate) use limits::MEMORY_BYTES;
pub(crate) use limits::TICK_MS;
pub(crate) use secrets::{SecretError, SecretSet};
pub(crate) use settings::{Settings, all_as_json, check_settings, to_json};
