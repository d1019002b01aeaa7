//! The WebSockets that the host keeps open for a plugin.

use super::raw::RawSocket;
use super::{SecretAsk, Setting, SettingKind};
use crate::rights::limits::WEBHOOK_WALL_MS;

/// Default limit of a frame, in bytes.
const FRAME_BYTES: usize = 256 << 10;
/// Largest frame that a socket may ask for, in bytes.
const FRAME_BYTES_MAX: usize = 1 << 20;
/// Longest time that a socket may ask for to answer a frame, in milliseconds.
const BUDGET_MS_MAX: u64 = 10_000;
/// Most pointers to a frame's id.
const IDS_MAX: usize = 8;

/// An outgoing WebSocket.
#[derive(Debug, Clone)]
pub struct SocketAsk {
    /// The route of the calls that it causes.
    pub name: String,
    /// Where it may lead.
    pub origins: Vec<SocketOrigin>,
    /// The secret without which it is not opened.
    pub secret: Option<String>,
    /// JSON pointers to the sender's id of a frame, which a repetition has too; the first one that
    /// is there counts.
    pub ids: Vec<String>,
    /// Time to answer a frame, in milliseconds.
    pub budget_ms: u64,
    /// Largest frame, in bytes.
    pub frame_bytes_max: usize,
}

/// Where a socket may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketOrigin {
    /// A server with TLS.
    Host(String),
    /// Any server with TLS whose name ends in a dot and this.
    Under(String),
    /// The server of the URL in this setting, with TLS if that has it.
    Setting(String),
}

impl SocketAsk {
    /// Reads a `[[socket]]` whose name was checked; what is wrong goes to `fault`.
    pub(super) fn read(
        raw: RawSocket,
        config: &[Setting],
        secrets: &[SecretAsk],
        mut fault: impl FnMut(String),
    ) -> Self {
        let origins = raw.origins.iter();
        let origins: Vec<_> = origins
            .filter_map(|it| match SocketOrigin::of(it, config) {
                Ok(origin) => Some(origin),
                Err(why) => {
                    fault(why);
                    None
                }
            })
            .collect();
        if raw.origins.is_empty() {
            fault("`origins` must name a server, such as \"wss://*.example.com\"".to_owned());
        }
        if let Some(name) = &raw.secret
            && !secrets.iter().any(|it| it.name == *name)
        {
            fault(format!("`{name}` is not a [[secret]] of this manifest"));
        }
        if raw.ids.len() > IDS_MAX || raw.ids.iter().any(|it| !it.starts_with('/')) {
            fault(format!(
                "`ids` has at most {IDS_MAX} JSON pointers, such as \"/envelope_id\""
            ));
        }
        let budget_ms = raw.budget_ms.unwrap_or(WEBHOOK_WALL_MS);
        if budget_ms > BUDGET_MS_MAX {
            fault(format!("`budget-ms` is at most {BUDGET_MS_MAX}"));
        }
        let frame_bytes_max = raw.max_frame_bytes.unwrap_or(FRAME_BYTES);
        if frame_bytes_max > FRAME_BYTES_MAX {
            fault(format!("`max-frame-bytes` is at most {FRAME_BYTES_MAX}"));
        }
        Self {
            name: raw.name.into_inner(),
            origins,
            secret: raw.secret,
            ids: raw.ids,
            budget_ms,
            frame_bytes_max,
        }
    }
}

impl SocketOrigin {
    fn of(text: &str, config: &[Setting]) -> Result<Self, String> {
        if let Some(key) = text.strip_prefix("config:") {
            let is_text = |it: &Setting| it.key == key && it.kind == SettingKind::String;
            return match config.iter().any(is_text) {
                true => Ok(Self::Setting(key.to_owned())),
                false => Err(format!("`{key}` is not a [[config]] of kind string")),
            };
        }
        let wrong = || {
            format!(
                "`{text}` is not the origin of a socket; write \"wss://example.com\", \
                 \"wss://*.example.com\" or \"config:KEY\""
            )
        };
        let host = text.strip_prefix("wss://").ok_or_else(wrong)?;
        let (name, is_under) = match host.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (host, false),
        };
        let is_part = |part: &str| {
            let valid = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
            !part.is_empty() && part.chars().all(valid)
        };
        // A pattern for all of a top-level domain would be one for anybody.
        match name.contains('.') && name.split('.').all(is_part) {
            true if is_under => Ok(Self::Under(name.to_owned())),
            true => Ok(Self::Host(name.to_owned())),
            false => Err(wrong()),
        }
    }
}
