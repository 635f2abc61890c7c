//! Peer name: who the bearer of a certificate is, as its one DNS name says.
//! `node-<number>.<cluster id>.onggi` is a member, `join-<token id>.<cluster id>.onggi` an invited node.

use std::fmt;

use crate::id::{ClusterId, NodeId, TokenId};
use crate::peer::Caller;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerName {
    pub bearer: Caller,
    pub cluster: ClusterId,
}

impl PeerName {
    /// `None`: not a name that an authority of ours gives.
    pub fn parse(name: &str) -> Option<Self> {
        let (bearer, cluster) = name.strip_suffix(".onggi")?.split_once('.')?;
        let cluster = TokenId::parse(cluster)?.0;
        let bearer = match bearer.split_once('-')? {
            ("node", number) => Caller::Node(NodeId(canonical(number)?)),
            ("join", token) => Caller::Join(TokenId::parse(token)?),
            _ => return None,
        };
        Some(Self { bearer, cluster })
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bearer {
            Caller::Node(node) => write!(f, "node-{}", node.0)?,
            Caller::Join(token) => write!(f, "join-{token}")?,
        }
        write!(f, ".{}.onggi", hex::encode(self.cluster))
    }
}

/// Only the one form that we write: two names must not be the same node.
fn canonical(number: &str) -> Option<u64> {
    number.parse().ok().filter(|parsed: &u64| parsed.to_string() == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_name_comes_back() {
        let cluster = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef_u128.to_be_bytes();
        for (bearer, text) in [
            (Caller::Node(NodeId(u64::MAX)), format!("node-18446744073709551615.{CLUSTER}.onggi")),
            (Caller::Join(TokenId(cluster)), format!("join-{CLUSTER}.{CLUSTER}.onggi")),
        ] {
            let name = PeerName { bearer, cluster };
            assert_eq!(name.to_string(), text);
            assert_eq!(PeerName::parse(&text), Some(name));
        }
    }

    #[test]
    fn anything_else_is_nobody() {
        for bad in [
            String::new(),
            "onggi".to_owned(),
            format!("node-1.{CLUSTER}"),
            format!("node-01.{CLUSTER}.onggi"),
            format!("node-+1.{CLUSTER}.onggi"),
            format!("node-.{CLUSTER}.onggi"),
            format!("node-1.x.{CLUSTER}.onggi"),
            format!("node-1.{CLUSTER}.onggi.example"),
            format!("node-18446744073709551616.{CLUSTER}.onggi"),
            format!("join-1.{CLUSTER}.onggi"),
            format!("Node-1.{CLUSTER}.onggi"),
            format!("node-1.{}.onggi", CLUSTER.to_uppercase()),
        ] {
            assert_eq!(PeerName::parse(&bad), None, "{bad}");
        }
    }
}
