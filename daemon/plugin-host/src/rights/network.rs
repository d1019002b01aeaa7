//! Internal networks, by their names in the configuration.

use serde::{Deserialize, Serialize};

/// Networks that are closed to plugins unless the operator allows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// The daemon's own machine.
    Loopback,
    /// RFC 1918, unique local IPv6, and the carriers' shared address space (RFC 6598).
    Private,
    /// 169.254.0.0/16 and fe80::/10.
    LinkLocal,
    /// A cloud's metadata service, which issues credentials.
    Metadata,
}

impl Network {
    /// The name in `allow-networks`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Metadata => "metadata",
        }
    }
}
