//! The names by which this server may be called, and the sites that are its own. Nothing here reads a request: it is
//! text in, and yes or no out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::config::Settings;

/// Whether a request may call this server by this `Host`, in lower case.
pub fn allows(settings: &Settings, host: &str) -> bool {
    let name = without_port(host);
    if names(settings, name) {
        return true;
    }
    settings.public_url.is_none() && (is_literal(name) || name == "localhost")
}

/// An address as it stands in a URL: links are made of it.
pub fn is_literal(name: &str) -> bool {
    match name.strip_prefix('[') {
        Some(six) => six.strip_suffix(']').is_some_and(|six| six.parse::<Ipv6Addr>().is_ok()),
        None => name.parse::<Ipv4Addr>().is_ok(),
    }
}

/// Whether the settings name this host.
fn names(settings: &Settings, name: &str) -> bool {
    let public = settings.origin().is_some_and(|origin| without_port(&origin.host) == name);
    public || settings.allowed_hosts.iter().any(|allowed| without_port(&allowed.to_ascii_lowercase()) == name)
}

/// Whether an `Origin` (or the start of a `Referer`) is this host, or an allowed one. `null` never is.
pub fn is_own_origin(settings: &Settings, origin: &str, host: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let theirs = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
    matches!(scheme, "http" | "https") && !theirs.is_empty() && (theirs == host || names_origin(settings, &theirs))
}

/// Whether the settings name this host with this port, if any: another port is another site.
fn names_origin(settings: &Settings, host: &str) -> bool {
    let public = settings.origin().is_some_and(|origin| origin.host == host);
    public || settings.allowed_hosts.iter().any(|allowed| allowed.to_ascii_lowercase() == host)
}

pub fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(at) if !host[at..].contains(']') && host[at + 1..].bytes().all(|b| b.is_ascii_digit()) => &host[..at],
        _ => host,
    }
}

/// Where a request comes from: the peer, or what trusted proxies say of theirs in `X-Forwarded-For`. The last word is
/// the nearest proxy's; the first address that is no trusted proxy is believed, and nothing before it.
pub fn client_address<'a>(peer: Option<IpAddr>, forwarded: impl Iterator<Item = &'a str>, proxies: &[IpNet]) -> IpAddr {
    let mut address = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let hops: Vec<_> = forwarded.flat_map(|v| v.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        if !proxies.iter().any(|net| net.contains(&address.to_canonical())) {
            break;
        }
        match hop.parse() {
            Ok(next) => address = next,
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_the_form_of_one() {
        let settings = Settings::default();
        for good in ["localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000"] {
            assert!(allows(&settings, good), "{good}");
        }
        for bad in ["[[::1]]", "[127.0.0.1]", "127.0.0.1]", "::ffff:1.2.3.4", "::1", "127.0.0.1:x", "[::1", "", ":80"] {
            assert!(!allows(&settings, bad), "{bad}");
        }
    }

    #[test]
    fn a_client_names_no_address_of_its_own() {
        let proxies = ["127.0.0.1/32", "10.0.0.0/8"].map(|net| net.parse().unwrap());
        let of = |peer: &str, values: &[&str]| {
            client_address(Some(peer.parse().unwrap()), values.iter().copied(), &proxies).to_string()
        };
        assert_eq!(of("127.0.0.1", &["198.51.100.7, 203.0.113.1"]), "203.0.113.1");
        assert_eq!(of("127.0.0.1", &["198.51.100.7", "203.0.113.1, 10.0.0.2"]), "203.0.113.1");
        assert_eq!(of("192.0.2.1", &["203.0.113.1"]), "192.0.2.1");
        assert_eq!(of("::ffff:10.0.0.1", &["nonsense"]), "::ffff:10.0.0.1");
    }
}
