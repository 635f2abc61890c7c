//! Announcement: what a member that starts says of itself. Owns: the bytes of `Method::ANNOUNCE`.

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::DriveId;
use crate::metadata::command::NodeAddresses;
use crate::metadata::field::{Field, record, struct_fields};

#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    pub drive: DriveId,
    pub addresses: NodeAddresses,
    pub release: String,
}

struct_fields!(Announcement { drive, addresses, release });
record!(Announcement, "announcement");

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn bytes_of_version_1() {
        let addresses = NodeAddresses { peer: "a:1".to_owned(), web: "b:2".to_owned(), s3: "c:3".to_owned() };
        let announcement = Announcement { drive: [7; 16], addresses, release: "1".to_owned() };
        let bytes = announcement.to_bytes();
        assert_eq!(Announcement::from_bytes(&bytes).expect("reads"), announcement);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        expect!["010707070707070707070707070707070703613a3103623a3203633a330131"].assert_eq(&hex);
    }
}
