//! Join message: what an invited node says of itself, and what makes it a member.
//! Owns: the bytes of `Method::JOIN`. They travel inside mutual TLS only: the answer holds the master key.

use std::fmt;

use bytes::Bytes;
use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::NodeId;
use crate::metadata::command::NewNode;
use crate::metadata::field::{Field, record, struct_fields};
use crate::metadata::record::NodeRecord;
use crate::metadata::secret_box::MasterKey;
use crate::peer::authority::PUBLIC_KEY_BYTES;

#[derive(Clone, Debug, PartialEq)]
pub struct JoinRequest {
    /// Of the key that the node will be known by. The private half never leaves it.
    pub public_key: [u8; PUBLIC_KEY_BYTES],
    pub node: NewNode,
}

#[derive(Clone, PartialEq)]
pub struct JoinResponse {
    pub node: NodeId,
    pub cluster_name: String,
    /// The node's own, DER.
    pub certificate: Bytes,
    pub master_key: MasterKey,
    /// Every node on record, the new one included: where to reach the others before the system group's records are here.
    pub nodes: Vec<NodeRecord>,
}

struct_fields!(JoinRequest { public_key, node });
record!(JoinRequest, "join request");

struct_fields!(JoinResponse { node, cluster_name, certificate, master_key, nodes });
record!(JoinResponse, "join response");

impl Field for MasterKey {
    fn write(&self, encoder: &mut Encoder) {
        self.0.write(encoder);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        Field::read(decoder).map(MasterKey)
    }
}

impl fmt::Debug for JoinResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinResponse").field("node", &self.node).finish_non_exhaustive()
    }
}
