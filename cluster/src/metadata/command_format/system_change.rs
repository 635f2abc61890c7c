//! Changes of the system group.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::command::SystemChange;
use crate::metadata::field::{Field, enum_fields};
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
});

impl Field for PartitionMap {
    fn write(&self, encoder: &mut Encoder) {
        self.encode(encoder);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        <Self as Record>::decode(decoder)
    }
}
