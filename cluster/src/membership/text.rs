//! Texts that nodes and operators give: addresses and zones, within bounds and safe in a table and in a log line.

use crate::metadata::command::NodeAddresses;

pub const ZONE_CHARS_MAX: usize = 64;
/// A DNS name of 253 bytes, brackets or none, and a port.
pub const HOST_PORT_BYTES_MAX: usize = 261;
const RELEASE_CHARS_MAX: usize = 64;

/// What is wrong with it, as the end of a sentence.
pub fn check_zone(zone: &str) -> Result<(), String> {
    let well_formed = |c: char| c.is_alphanumeric() || "-_./:".contains(c);
    if zone.chars().count() <= ZONE_CHARS_MAX && zone.chars().all(well_formed) {
        return Ok(());
    }
    Err(format!("a zone has at most {ZONE_CHARS_MAX} letters, digits or - _ . / :"))
}

/// `host:port`, where the host is a name, an IPv4 address or an IPv6 address in brackets.
pub fn check_host_port(text: &str) -> Result<(), String> {
    let wrong = || Err("an address is written HOST:PORT, like `node2.example:9002` or `[fd00::2]:9002`".to_string());
    if text.len() > HOST_PORT_BYTES_MAX {
        return wrong();
    }
    let Some((host, port)) = text.rsplit_once(':') else { return wrong() };
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match in_brackets {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    if is_host && port.parse::<u16>().is_ok_and(|port| port > 0) { Ok(()) } else { wrong() }
}

pub(super) fn check_addresses(addresses: &NodeAddresses) -> Result<(), String> {
    [&addresses.peer, &addresses.web, &addresses.s3].into_iter().try_for_each(|address| check_host_port(address))
}

pub(super) fn check_release(release: &str) -> Result<(), String> {
    let well_formed = |c: char| c.is_ascii_graphic();
    if release.chars().count() <= RELEASE_CHARS_MAX && release.chars().all(well_formed) {
        return Ok(());
    }
    Err(format!("a release has at most {RELEASE_CHARS_MAX} printable characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a:1", "node-2.example:9002", "10.0.0.1:65535", "[fd00::2]:9002", "my_host:1"] {
            assert!(check_host_port(good).is_ok(), "{good}");
        }
        let long = format!("{}:1", "a".repeat(HOST_PORT_BYTES_MAX));
        for bad in ["", "a", ":1", "a:", "a:0", "a:65536", "fd00::2:9002", "[a]:1", "a b:1", "a:1\n", "h/x:1", &long] {
            assert!(check_host_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn zones() {
        for good in ["", "rack-3", "eu/paris:2", "서울"] {
            assert!(check_zone(good).is_ok(), "{good}");
        }
        for bad in ["a b", "a\n", &"x".repeat(65)] {
            assert!(check_zone(bad).is_err(), "{bad}");
        }
    }
}
