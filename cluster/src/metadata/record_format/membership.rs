//! Nodes, the tokens and the authority that admit them, and which nodes hold a group.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::{HostId, NodeId};
use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::record::{AuthorityRecord, GroupRecord, JoinTokenRecord, NodeRecord, NodeState, SplitRecord};

/// The form of version 1, in which messages hold it, too: without the host, which then is the node's own.
impl Field for NodeRecord {
    fn write(&self, encoder: &mut Encoder) {
        let Self {
            node,
            host: _,
            drive,
            peer_address,
            web_address,
            s3_address,
            zone,
            weight,
            state,
            joined_ms,
            release,
        } = self;
        node.write(encoder);
        drive.write(encoder);
        peer_address.write(encoder);
        web_address.write(encoder);
        s3_address.write(encoder);
        zone.write(encoder);
        weight.write(encoder);
        state.write(encoder);
        joined_ms.write(encoder);
        release.write(encoder);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        let node = Field::read(decoder)?;
        Ok(Self {
            node,
            host: HostId::begun_by(node),
            drive: Field::read(decoder)?,
            peer_address: Field::read(decoder)?,
            web_address: Field::read(decoder)?,
            s3_address: Field::read(decoder)?,
            zone: Field::read(decoder)?,
            weight: Field::read(decoder)?,
            state: Field::read(decoder)?,
            joined_ms: Field::read(decoder)?,
            release: Field::read(decoder)?,
        })
    }
}

/// Version 2 names the host behind the fields of version 1.
impl Record for NodeRecord {
    const NAME: &'static str = "node record";
    const VERSION: u8 = 2;

    fn encode_fields(&self, encoder: &mut Encoder) {
        Field::write(self, encoder);
        self.host.write(encoder);
    }

    fn decode_fields(version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let record: Self = Field::read(decoder)?;
        match version {
            1 => Ok(record),
            _ => Ok(Self { host: Field::read(decoder)?, ..record }),
        }
    }
}

enum_fields!(NodeState { 0 => Active, 1 => Draining, 2 => Removed });

// Which node has a drive.
record!(NodeId, "node id");

struct_fields!(JoinTokenRecord { token, created_ms, expires_ms, zone, used_by });
record!(JoinTokenRecord, "join token record");

struct_fields!(AuthorityRecord { certificate, sealed_key });
record!(AuthorityRecord, "authority record");

struct_fields!(GroupRecord { group, voters, target, step });
record!(GroupRecord, "group record");

struct_fields!(SplitRecord { child, parent, range, boundary, begun_ms, floor });
record!(SplitRecord, "split record");

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first release wrote it.
    const VERSION_1: &str = "01ac0277777777777777777777777777777777126e6f6465332e6578616d706c653a39303032126e6f6465332e6578616d706c653a39303031\
                             0e5b666430303a3a335d3a393030300772c3a4636b2033640080d8c1a28c3405302e312e30";

    #[test]
    fn a_node_of_version_1_is_a_host_of_its_own() {
        let bytes: Vec<u8> = (0..VERSION_1.len() / 2)
            .map(|at| u8::from_str_radix(&VERSION_1[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let record = NodeRecord::from_bytes(&bytes).unwrap();
        assert_eq!((record.node, record.host, record.zone.as_str()), (NodeId(300), HostId(300), "räck 3"));
        assert_eq!((record.drive, record.release.as_str()), ([0x77; 16], "0.1.0"));
        let written = record.to_bytes();
        assert_eq!((written[0], NodeRecord::from_bytes(&written).unwrap()), (2, record));
    }
}
