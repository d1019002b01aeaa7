//! Classifies IP addresses by network.
//!
//! Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates), and
//! the metadata addresses that Amazon, Google, Azure, Oracle and Alibaba document.

use crate::rights::Network;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressClass {
    /// On the internet.
    Public,
    /// In a network that the operator may allow.
    Inside(Network),
    /// Never allowed, for this reason.
    Never(&'static str),
}

/// Classifies an address. IPv6 addresses that embed an IPv4 address are classified by the latter.
pub(super) fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

const METADATA_V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];

const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn classify_v4(v4: Ipv4Addr) -> AddressClass {
    let [a, b, c, _] = v4.octets();
    if METADATA_V4.contains(&v4) {
        return AddressClass::Inside(Network::Metadata);
    }
    match (a, b, c) {
        (0, ..) => AddressClass::Never("unspecified"),
        (127, ..) => AddressClass::Inside(Network::Loopback),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => {
            AddressClass::Inside(Network::Private)
        }
        (169, 254, _) => AddressClass::Inside(Network::LinkLocal),
        (224..=239, ..) => AddressClass::Never("multicast"),
        (240..=255, ..) => AddressClass::Never("reserved"),
        (192, 0, 0) | (192, 0, 2) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => {
            AddressClass::Never("reserved")
        }
        _ => AddressClass::Public,
    }
}

fn classify_v6(v6: Ipv6Addr) -> AddressClass {
    if METADATA_V6.contains(&v6) {
        return AddressClass::Inside(Network::Metadata);
    }
    if v6.is_loopback() {
        return AddressClass::Inside(Network::Loopback);
    }
    if v6.is_unspecified() {
        return AddressClass::Never("unspecified");
    }
    if let Some(v4) = embedded(v6) {
        return classify_v4(v4);
    }
    let [first, second, ..] = v6.segments();
    match first {
        0xff00..=0xffff => AddressClass::Never("multicast"),
        0xfe80..=0xfebf => AddressClass::Inside(Network::LinkLocal),
        // Site-local, deprecated, still routed inside some networks.
        0xfec0..=0xfeff | 0xfc00..=0xfdff => AddressClass::Inside(Network::Private),
        // Teredo and the rest of 2001::/23, documentation, local NAT64: never a server.
        0x2001 if second < 0x0200 || second == 0x0db8 => AddressClass::Never("reserved"),
        0x0064 if second == 0xff9b => AddressClass::Never("reserved"),
        0x2000..=0x3fff => AddressClass::Public,
        _ => AddressClass::Never("reserved"),
    }
}

/// The IPv4 address inside a mapped, compatible, NAT64 or 6to4 address.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff | 0) | (0, 0, 0, 0, 0xffff, 0) | (0x64, 0xff9b, 0, 0, 0, 0) => {
            Some(join(g, h))
        }
        (0x2002, ..) => Some(join(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_internal_address_is_recognized() {
        use AddressClass::{Inside, Never, Public};
        let cases = [
            ("1.1.1.1", Public),
            ("127.0.0.1", Inside(Network::Loopback)),
            ("127.9.9.9", Inside(Network::Loopback)),
            ("::1", Inside(Network::Loopback)),
            ("::ffff:127.0.0.1", Inside(Network::Loopback)),
            ("::127.0.0.1", Inside(Network::Loopback)),
            ("::ffff:0:127.0.0.1", Inside(Network::Loopback)),
            ("64:ff9b::10.0.0.1", Inside(Network::Private)),
            ("64:ff9b:1::1", Never("reserved")),
            ("2002:7f00:1::", Inside(Network::Loopback)),
            ("2001:0:53aa:64c:0:fbff:3f57:fe9d", Never("reserved")),
            ("10.1.2.3", Inside(Network::Private)),
            ("172.16.0.1", Inside(Network::Private)),
            ("172.32.0.1", Public),
            ("192.168.1.1", Inside(Network::Private)),
            ("100.64.0.1", Inside(Network::Private)),
            ("100.128.0.1", Public),
            ("fd12::1", Inside(Network::Private)),
            ("fec0::1", Inside(Network::Private)),
            ("169.254.1.1", Inside(Network::LinkLocal)),
            ("fe80::1", Inside(Network::LinkLocal)),
            ("169.254.169.254", Inside(Network::Metadata)),
            ("::ffff:169.254.169.254", Inside(Network::Metadata)),
            ("fd00:ec2::254", Inside(Network::Metadata)),
            ("100.100.100.200", Inside(Network::Metadata)),
            ("0.0.0.0", Never("unspecified")),
            ("::", Never("unspecified")),
            ("224.0.0.1", Never("multicast")),
            ("ff02::1", Never("multicast")),
            ("255.255.255.255", Never("reserved")),
            ("198.18.0.1", Never("reserved")),
            ("2001:db8::1", Never("reserved")),
            ("2606:4700::1111", Public),
        ];
        for (text, want) in cases {
            assert_eq!(classify(text.parse().unwrap()), want, "{text}");
        }
    }
}
