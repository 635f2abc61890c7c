//! Changes of the system group.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder};

use crate::metadata::command::SystemChange;
use crate::metadata::field::{Field, enum_fields};

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
});
