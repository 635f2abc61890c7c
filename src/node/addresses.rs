//! Addresses: how other nodes and clients reach this one, as it goes on record.

use std::net::SocketAddr;

use onggi_cluster::metadata::command::NodeAddresses;

use crate::config::cluster::ClusterConfig;

/// What the listeners are bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub peer: SocketAddr,
    pub web: SocketAddr,
    pub s3: SocketAddr,
}

impl Bound {
    /// A listener on all addresses goes on record with the host by which peers reach the node.
    pub fn on_record(&self, config: &ClusterConfig) -> NodeAddresses {
        let advertised = config.peer_advertise.as_ref();
        let peer = advertised.map_or_else(|| self.peer.to_string(), |address| address.0.clone());
        let host = advertised.map_or_else(|| host_of(self.peer), |address| address.host().to_string());
        let reached = |bound: SocketAddr| match bound.ip().is_unspecified() {
            true => format!("{host}:{}", bound.port()),
            false => bound.to_string(),
        };
        NodeAddresses { peer, web: reached(self.web), s3: reached(self.s3) }
    }
}

fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting::HostPort;

    #[test]
    fn what_listens_everywhere_is_reached_as_peers_do() {
        let bound = |ip: &str| Bound {
            peer: format!("{ip}:9002").parse().unwrap(),
            web: format!("{ip}:9001").parse().unwrap(),
            s3: "0.0.0.0:9000".parse().unwrap(),
        };
        let on_record = |ip: &str, advertise: Option<&str>| {
            let peer_advertise = advertise.map(|text| HostPort(text.to_string()));
            let NodeAddresses { peer, web, s3 } =
                bound(ip).on_record(&ClusterConfig { peer_advertise, ..ClusterConfig::default() });
            format!("{peer} {web} {s3}")
        };
        assert_eq!(on_record("10.0.0.1", None), "10.0.0.1:9002 10.0.0.1:9001 10.0.0.1:9000");
        assert_eq!(on_record("[fd00::1]", None), "[fd00::1]:9002 [fd00::1]:9001 [fd00::1]:9000");
        assert_eq!(on_record("0.0.0.0", Some("n1.example:19002")), "n1.example:19002 n1.example:9001 n1.example:9000");
        assert_eq!(on_record("10.0.0.1", Some("n1:9002")), "n1:9002 10.0.0.1:9001 n1:9000");
    }
}
