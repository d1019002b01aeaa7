//! Finds origins that a plugin cannot reach as configured, before anybody is paged through it.
//!
//! Only checks what needs no DNS: addresses, and names under `localhost`. Other names are checked
//! when they are resolved.

use super::outbound::{OutboundPolicy, OutboundRight};
use crate::rights::manifest::OriginAsk;
use crate::rights::{Denied, DeniedBy};
use std::net::{IpAddr, Ipv4Addr};
use url::{Host, Origin};

impl OutboundPolicy {
    /// Origins that the plugin cannot reach: those in its settings that no granted right covers,
    /// and those in a network that is closed to it.
    pub(crate) fn unreachable(&self) -> Vec<Denied> {
        let mut found = Vec::new();
        for right in &self.rights {
            let Some(origin) = &right.origin else {
                found.extend(
                    right
                        .unusable(&self.plugin)
                        .filter(|it| !found.contains(it)),
                );
                continue;
            };
            let what = format!("reach {}", named(right, origin));
            let grant = right.denied.clone().filter(|_| !self.is_granted(right));
            let address = self.closed_address(origin);
            // Not granting a right to a fixed origin is the operator's choice.
            let is_setting = matches!(right.ask.origin, OriginAsk::Setting(_));
            let is_wanted = is_setting || right.denied.is_none();
            for denied in grant.into_iter().chain(address).filter(|_| is_wanted) {
                let denied = Denied {
                    what: what.clone(),
                    ..denied
                };
                if !found.contains(&denied) {
                    found.push(denied);
                }
            }
        }
        found
    }

    /// Granted rights that need a secret which is not set, each with the secret. A right is left
    /// out if another one to its origin works, because the plugin can use that.
    pub(crate) fn without_secret(&self, is_set: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
        let granted = || self.rights.iter().filter(|it| it.denied.is_none());
        let works = |origin: &OriginAsk| {
            let mut same = granted().filter(|it| it.ask.origin == *origin);
            same.any(|it| it.missing(&is_set).is_none())
        };
        let stuck = granted().filter(|it| !works(&it.ask.origin));
        stuck
            .filter_map(|it| Some((it.ask.name.as_str(), it.missing(&is_set)?)))
            .collect()
    }

    /// Whether any right to the same origin is granted.
    fn is_granted(&self, right: &OutboundRight) -> bool {
        let is_same = |it: &&OutboundRight| it.ask.origin == right.ask.origin;
        let mut same = self.rights.iter().filter(is_same);
        same.any(|it| it.denied.is_none())
    }

    fn closed_address(&self, origin: &Origin) -> Option<Denied> {
        let Origin::Tuple(_, host, _) = origin else {
            return None;
        };
        let address = match host {
            Host::Ipv4(v4) => IpAddr::V4(*v4),
            Host::Ipv6(v6) => IpAddr::V6(*v6),
            Host::Domain(name) if is_localhost(name) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Host::Domain(_) => return None,
        };
        self.check_address(&host.to_string(), address).err()
    }
}

impl OutboundRight {
    /// That the setting with its origin is not a URL.
    fn unusable(&self, plugin: &str) -> Option<Denied> {
        let key = self.without_url.as_ref()?;
        Some(Denied {
            plugin: plugin.to_owned(),
            what: format!("reach its own `{key}`"),
            layer: DeniedBy::Host,
            remedy: format!(
                "it is not an http or https URL; under [plugins.{plugin}.settings] in tocsin.toml \
                 write {key} = \"https://…\""
            ),
        })
    }
}

/// RFC 6761, 6.3.
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// Without path, query, user name and password, which may contain a secret.
fn named(right: &OutboundRight, origin: &Origin) -> String {
    let origin = origin.ascii_serialization();
    match &right.ask.origin {
        OriginAsk::Setting(key) => format!("its own `{key}` at {origin}"),
        OriginAsk::Fixed(_) => origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::manifest::Manifest;
    use crate::rights::{GlobalPolicy, PluginGrant, Rights, Settings};
    use std::sync::Arc;

    const MANIFEST: &str = r#"
schema = 1
id = "p"
version = "0.1.0"
name = "P"
[[config]]
key = "base-url"
kind = "string"
[[http]]
name = "read"
origin = "config:base-url"
paths = ["*"]
methods = ["GET"]
[[http]]
name = "write"
origin = "config:base-url"
paths = ["*"]
methods = ["POST"]
[[http]]
name = "status"
origin = "http://10.0.0.1"
paths = ["*"]
methods = ["GET"]
"#;

    fn unreachable(base_url: &str, grant: &str) -> Vec<String> {
        let grant: PluginGrant = toml::from_str(&format!("path = \"x\"\n{grant}")).unwrap();
        let manifest = Arc::new(Manifest::parse(MANIFEST).unwrap());
        let settings = Settings::from([("base-url".to_owned(), base_url.into())]);
        let rights = Rights::new("p", manifest, &grant, GlobalPolicy::default());
        let found = OutboundPolicy::new(&rights, &settings).unreachable();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_setting_in_a_closed_network_is_reported_once_with_the_line_that_opens_it() {
        let cases = [
            ("http://127.0.0.1:8080/api", "loopback"),
            ("http://user:word@127.0.0.1/", "loopback"),
            ("http://[::1]:8080", "loopback"),
            ("http://localhost:8080", "loopback"),
            ("http://chat.localhost./", "loopback"),
            ("https://192.168.1.5", "private"),
            ("https://[fd12::1]", "private"),
            ("http://169.254.169.254", "metadata"),
        ];
        for (base_url, network) in cases {
            let found = unreachable(base_url, "grant = { http = [\"read\", \"write\"] }");
            assert_eq!(found.len(), 1, "{base_url}: {found:?}");
            assert!(
                found[0].contains("reach its own `base-url` at"),
                "{found:?}"
            );
            assert!(!found[0].contains("word"), "{found:?}");
            let line = format!("allow-networks = [\"{network}\"]");
            assert!(found[0].contains(&line), "{base_url}: {found:?}");
            let opened = format!("grant = {{ http = [\"read\"] }}\n{line}");
            assert_eq!(unreachable(base_url, &opened), [""; 0], "{base_url}");
        }
    }

    #[test]
    fn a_setting_that_is_not_a_url_is_reported_once() {
        for base_url in [
            "ntfy.example.com",
            "ntfy.example.com:8080",
            "ftp://ntfy.example",
            "https://",
        ] {
            let found = unreachable(base_url, "grant = { http = [\"*\"] }");
            let about_url = found
                .iter()
                .filter(|it| it.contains("reach its own `base-url`"));
            let [why] = &about_url.collect::<Vec<_>>()[..] else {
                panic!("{base_url}: {found:?}")
            };
            assert!(why.contains("it is not an http or https URL"), "{why}");
        }
    }

    #[test]
    fn a_setting_that_no_granted_right_covers_is_reported_with_the_grant() {
        let url = "https://chat.example/api";
        let [read, write] = &unreachable(url, "grant = { events = [\"*\"] }")[..] else {
            panic!()
        };
        assert!(
            read.contains("http = [\"read\"], events = [\"*\"]"),
            "{read}"
        );
        assert!(write.contains("http = [\"write\"]"), "{write}");
        assert_eq!(unreachable(url, "grant = { http = [\"write\"] }"), [""; 0]);
        let both = unreachable("http://localhost", "");
        assert_eq!(both.len(), 3, "{both:?}");
    }

    #[test]
    fn a_fixed_origin_is_reported_only_if_it_is_granted() {
        let found = unreachable("https://chat.example", "grant = { http = [\"*\"] }");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("reach http://10.0.0.1: "), "{found:?}");
        assert!(found[0].contains("allow-networks = [\"private\"]"));
    }
}
