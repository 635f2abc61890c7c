//! Nodes, the tokens and the authority that admit them, and which nodes hold a group.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::NodeId;
use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::record::{AuthorityRecord, GroupRecord, JoinTokenRecord, NodeRecord, NodeState};

struct_fields!(NodeRecord {
    node,
    drive,
    peer_address,
    web_address,
    s3_address,
    zone,
    weight,
    state,
    joined_ms,
    release,
});
record!(NodeRecord, "node record");

enum_fields!(NodeState { 0 => Active, 1 => Draining, 2 => Removed });

// Which node has a drive.
record!(NodeId, "node id");

struct_fields!(JoinTokenRecord { token, created_ms, expires_ms, zone, used_by });
record!(JoinTokenRecord, "join token record");

struct_fields!(AuthorityRecord { certificate, sealed_key });
record!(AuthorityRecord, "authority record");

struct_fields!(GroupRecord { group, voters, target, step });
record!(GroupRecord, "group record");
