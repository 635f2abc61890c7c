//! Changes of the system group.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::command::{NewNode, NodeAddresses, NodeUpdate, SystemChange};
use crate::metadata::field::{Field, enum_fields, struct_fields};
use crate::placement::PartitionMap;

enum_fields!(SystemChange {
    1 => InitializeCluster { cluster_name, root_key },
    2 => CreateUser { name, admin, quota_bytes },
    3 => UpdateUser { user, enabled, quota_bytes },
    4 => DeleteUser { user },
    5 => CreateAccessKey { key },
    6 => UpdateAccessKey { access_key, enabled },
    7 => DeleteAccessKey { access_key },
    8 => ReserveBucketName { name, owner, location },
    9 => ConfirmBucketName { name, reservation },
    10 => ReleaseBucketName { name, reservation },
    11 => SetPartitionMap { map },
    12 => RegisterFounder { founder },
    13 => SetAuthority { authority },
    14 => CreateJoinToken { token, expires_ms, zone },
    15 => RevokeJoinToken { token },
    16 => AdmitNode { token, node },
    17 => UpdateNode { node, update },
    18 => SetGroup { record, expected_step },
    19 => BeginSplit { parent, boundary, epoch },
    20 => FinishSplit { child, voters, floor },
    24 => AdmitDrive { beside, node },
    25 => UpdateHost { host, update },
    26 => SetPassword(password),
});

struct_fields!(NewNode { drive, addresses, zone, weight, release });

struct_fields!(NodeAddresses { peer, web, s3 });

struct_fields!(NodeUpdate { zone, weight, state, addresses, release });

impl Field for PartitionMap {
    fn write(&self, encoder: &mut Encoder) {
        self.encode(encoder);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        <Self as Record>::decode(decoder)
    }
}
