//! Decides whether an outgoing request is allowed. Pure: no DNS, no socket, no clock.
//!
//! Every request and every redirect goes through [`OutboundPolicy::check`], and every address that
//! a name resolves to goes through [`OutboundPolicy::check_address`]. A list of host names alone is
//! not enough: DNS can return the address of the cloud's metadata service, and a redirect can lead
//! into the operator's own network.

use super::address::{AddressClass, classify};
use super::inject::Credential;
use crate::rights::manifest::{HttpAsk, OriginAsk};
use crate::rights::{Denied, DeniedBy, Network, Rights, SecretSet, Settings, toml_list};
use reqwest::Method;
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::net::IpAddr;
use url::{Origin, Url};

/// The outbound rights and networks of a plugin.
#[derive(Debug, Default)]
pub(crate) struct OutboundPolicy {
    pub(super) plugin: String,
    pub(super) rights: Vec<OutboundRight>,
    networks: BTreeSet<Network>,
}

/// An outbound right with its origin and its grant.
#[derive(Debug, Clone)]
pub(super) struct OutboundRight {
    pub(super) ask: HttpAsk,
    pub(super) origin: Option<Origin>,
    /// The setting that should name its origin, and has something else than a URL.
    pub(super) without_url: Option<String>,
    pub(super) credential: Option<Credential>,
    pub(super) denied: Option<Denied>,
}

/// A request that was allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed<'p> {
    /// The right that allows it.
    right: &'p OutboundRight,
    /// Whether the request named the right.
    is_named: bool,
}

impl<'p> Allowed<'p> {
    /// The credential that the host must add; only when the request named the right.
    pub(crate) fn credential(self) -> Option<&'p Credential> {
        self.right.credential.as_ref().filter(|_| self.is_named)
    }
}

impl OutboundPolicy {
    pub(crate) fn new(rights: &Rights, settings: &Settings) -> Self {
        let resolve = |ask: &HttpAsk| {
            let (origin, without_url) = match &ask.origin {
                OriginAsk::Fixed(origin) => (Some(origin.clone()), None),
                OriginAsk::Setting(key) => {
                    let text = settings.get(key).and_then(toml::Value::as_str);
                    let text = text.filter(|it| !it.is_empty());
                    let url = text.and_then(|it| Url::parse(it).ok());
                    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
                    let is_wrong = text.is_some() && url.is_none();
                    (url.map(|it| it.origin()), is_wrong.then(|| key.clone()))
                }
            };
            OutboundRight {
                origin,
                without_url,
                credential: Credential::of(ask, settings),
                denied: rights.http(&ask.name).err(),
                ask: ask.clone(),
            }
        };
        Self {
            plugin: rights.plugin().to_owned(),
            rights: rights.manifest().http.iter().map(resolve).collect(),
            networks: rights.networks().clone(),
        }
    }

    /// Checks a request. `auth` is the right whose credential the guest wants added; that right
    /// alone must then allow the request.
    ///
    /// # Errors
    /// The denial, with the TOML that would lift it.
    pub(crate) fn check(
        &self,
        url: &Url,
        method: &Method,
        auth: Option<&str>,
    ) -> Result<Allowed<'_>, Denied> {
        let what = format!("{method} {}", shown(url));
        if let Some(reason) = malformed(url) {
            return Err(self.denied(what, DeniedBy::Host, reason.to_owned()));
        }
        let named = |right: &&OutboundRight| auth.is_none_or(|name| right.ask.name == name);
        let mut refusal = None;
        for right in self.rights.iter().filter(named) {
            if !right.covers(url, method) {
                continue;
            }
            match &right.denied {
                None => {
                    return Ok(Allowed {
                        right,
                        is_named: auth.is_some(),
                    });
                }
                Some(denied) => {
                    refusal = Some(Denied {
                        what: what.clone(),
                        ..denied.clone()
                    })
                }
            }
        }
        Err(refusal.unwrap_or_else(|| self.unasked(what, url, method, auth)))
    }

    /// Checks the address of a connection.
    ///
    /// # Errors
    /// The denial, with the TOML that would lift it if any would.
    pub(crate) fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Denied> {
        let what = format!("connect to {host} at {address}");
        match classify(address) {
            AddressClass::Public => Ok(()),
            AddressClass::Inside(network) if self.networks.contains(&network) => Ok(()),
            AddressClass::Inside(network) => {
                let mut wanted = self.networks.clone();
                wanted.insert(network);
                let list = toml_list(wanted.iter().map(|one| one.as_str()));
                let remedy = format!(
                    "the address is in the {} network; under [plugins.{}] in tocsin.toml write: \
                     allow-networks = {list} (and make sure that [plugins-policy] deny-networks \
                     does not include it)",
                    network.as_str(),
                    self.plugin
                );
                Err(self.denied(what, DeniedBy::Grant, remedy))
            }
            AddressClass::Never(kind) => {
                let remedy = format!("{kind} addresses are never allowed");
                Err(self.denied(what, DeniedBy::Host, remedy))
            }
        }
    }

    /// Headers that any right injects; a guest must not set them itself.
    pub(crate) fn injected_headers(&self) -> impl Iterator<Item = &str> {
        self.rights
            .iter()
            .filter_map(|right| right.credential.as_ref())
            .filter_map(Credential::header)
    }

    /// Encoded credentials, which must be redacted like the secrets in them.
    pub(crate) fn encoded(&self, secrets: &SecretSet) -> Vec<(String, SecretString)> {
        let credentials = self.rights.iter().filter_map(|it| it.credential.as_ref());
        credentials.filter_map(|it| it.encoded(secrets)).collect()
    }

    fn unasked(&self, what: String, url: &Url, method: &Method, auth: Option<&str>) -> Denied {
        let origin = url.origin().ascii_serialization();
        let near: Vec<_> = self
            .rights
            .iter()
            .filter(|right| auth.is_none_or(|name| right.ask.name == name))
            .filter(|right| right.origin.as_ref() == Some(&url.origin()))
            .map(|right| right.ask.name.as_str())
            .collect();
        let remedy = match (auth, near.as_slice()) {
            (Some(name), _) if !self.rights.iter().any(|right| right.ask.name == name) => {
                format!("its manifest has no [[http]] with name = \"{name}\"")
            }
            (_, []) => format!(
                "its manifest does not ask for it; plugin.toml would need: [[http]] with \
                 origin = \"{origin}\", paths = [\"{}\"], methods = [\"{method}\"]",
                url.path()
            ),
            (_, near) => format!(
                "its manifest asks for the origin only with other paths or methods; plugin.toml \
                 would need \"{}\" in paths and \"{method}\" in methods of [[http]] `{}`",
                url.path(),
                near.join("`, `")
            ),
        };
        self.denied(what, DeniedBy::Manifest, remedy)
    }

    fn denied(&self, what: String, layer: DeniedBy, remedy: String) -> Denied {
        Denied {
            plugin: self.plugin.clone(),
            what,
            layer,
            remedy,
        }
    }
}

impl OutboundRight {
    /// A secret of its credential that is not set.
    pub(super) fn missing(&self, is_set: impl Fn(&str) -> bool) -> Option<&str> {
        self.credential.as_ref()?.missing(is_set)
    }

    fn covers(&self, url: &Url, method: &Method) -> bool {
        self.origin.as_ref() == Some(&url.origin())
            && self
                .ask
                .methods
                .iter()
                .any(|allowed| allowed == method.as_str())
            && self
                .ask
                .paths
                .iter()
                .any(|glob| glob_matches(glob, url.path()))
    }
}

/// A URL for messages: without its query, which may contain a secret.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn malformed(url: &Url) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Some("only http and https URLs with a host are allowed");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a URL must not contain a user name or password; use `auth`");
    }
    leaves_folder(url.path()).then_some("the path leaves its folder with an encoded `..`")
}

/// `/a%2f..%2fb` passes the URL parser as one segment, and some servers decode it, a few twice;
/// others treat `\` as `/`, or cut a segment at `;`.
pub(super) fn leaves_folder(path: &str) -> bool {
    let mut path = path.as_bytes().to_vec();
    for _ in 0..=DECODINGS_MAX {
        let mut segments = path.split(|byte| matches!(byte, b'/' | b'\\'));
        if path.contains(&0) || segments.any(|segment| before_semicolon(segment) == b"..") {
            return true;
        }
        path = percent_decoded(&path);
    }
    false
}

/// How often a server is assumed to decode a path.
const DECODINGS_MAX: usize = 3;

fn before_semicolon(segment: &[u8]) -> &[u8] {
    segment
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
}

fn percent_decoded(path: &[u8]) -> Vec<u8> {
    let digit = |at: usize| path.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(path.len());
    let mut at = 0;
    while at < path.len() {
        match (path[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// `*` matches any sequence of characters, including slashes.
fn glob_matches(glob: &str, path: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests;
