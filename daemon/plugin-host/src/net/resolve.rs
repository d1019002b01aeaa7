//! A resolver that returns only addresses that the policy allows.

use super::outbound::OutboundPolicy;
use crate::rights::Denied;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;

/// Most addresses of one name.
const ADDRESSES_MAX: usize = 64;

/// Resolves with the system and checks every address. One forbidden address rejects the name: a
/// host with both public and internal addresses is an attack or a mistake.
pub(super) struct Guarded {
    policy: Arc<OutboundPolicy>,
}

/// Why a name was not resolved.
#[derive(Debug, thiserror::Error)]
pub(super) enum AddressRefused {
    #[error("{0}")]
    Denied(Denied),
    #[error("{0}")]
    Unresolved(String),
}

impl Guarded {
    pub(super) fn new(policy: Arc<OutboundPolicy>) -> Self {
        Self { policy }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let unresolved = |error: std::io::Error| {
                AddressRefused::Unresolved(format!("{host} has no address: {error}"))
            };
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0))
                .await
                .map_err(unresolved)?
                .take(ADDRESSES_MAX)
                .collect();
            for address in &found {
                policy
                    .check_address(&host, address.ip())
                    .map_err(AddressRefused::Denied)?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
