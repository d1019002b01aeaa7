//! `[server]`: where the daemon listens, and its public URL for links in mails and chats.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Largest value of `body-bytes-max`, in bytes: 64 MiB.
pub const BODY_BYTES_CEILING: usize = 64 * 1024 * 1024;
/// Smallest value of `body-bytes-max`, in bytes: fits one alert of maximum size.
pub const BODY_BYTES_FLOOR: usize = 64 * 1024;
/// Largest value of `grace-s`.
pub const GRACE_S_MAX: u64 = 600;

/// The `[server]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port to listen on. Default `127.0.0.1:9377`: this machine only.
    pub listen: SocketAddr,
    /// The URL at which browsers and webhooks reach the daemon, such as
    /// `https://tocsin.example.com`, without a path. Acknowledge links begin with it. Required
    /// unless `listen` is a loopback address; the default is then `http://` and that address.
    pub public_url: Option<String>,
    /// Largest request body, uncompressed, in bytes: 65536 to 67108864. Default 8388608 (8 MiB).
    pub body_bytes_max: usize,
    /// How long a shutdown waits for running requests and deliveries, in seconds: at most 600.
    /// Default 20.
    pub grace_s: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9377)),
            public_url: None,
            body_bytes_max: 8 * 1024 * 1024,
            grace_s: 20,
        }
    }
}

impl ServerConfig {
    /// The public URL without a trailing slash; `http://` and `listen` when none is set.
    #[must_use]
    pub fn base_url(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }

    /// Whether links lead only to this machine itself.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let url = url::Url::parse(&self.base_url());
        url.is_ok_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        })
    }
}
