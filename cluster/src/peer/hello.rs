//! Hello: the first frame each way. Who speaks, in which protocol.
//! Owns: its record, and what one side asks of the other before anything else is said.
//!
//! The certificate proves which node speaks. The hello adds on which drive it lives: a node that was set up anew on an empty
//! drive, under its old certificate, would vote and acknowledge without what it once knew.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use super::Class;
use crate::error::ErrorKind;
use crate::id::{ClusterId, DriveId, NodeId};

/// The protocols that this release speaks.
const PROTOCOL_MIN: u16 = 1;
const PROTOCOL_MAX: u16 = 1;

/// The kind of a refusal that is final: the node was removed, and that is for ever. Every other one may pass.
pub const REMOVED: ErrorKind = ErrorKind::NotFound;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub protocol_min: u16,
    pub protocol_max: u16,
    pub cluster: ClusterId,
    /// 0 for an invited node, which has no number yet.
    pub node: NodeId,
    pub drive: DriveId,
    /// Of the connection, as the caller wants it.
    pub class: Class,
    pub release: String,
}

impl Hello {
    pub fn new(cluster: ClusterId, node: NodeId, drive: DriveId, class: Class, release: &str) -> Self {
        let (protocol_min, protocol_max) = (PROTOCOL_MIN, PROTOCOL_MAX);
        Self { protocol_min, protocol_max, cluster, node, drive, class, release: release.to_owned() }
    }

    /// Whether the speaker may be talked to, as far as protocol and cluster go.
    pub fn check(&self, cluster: &ClusterId) -> std::result::Result<(), String> {
        if self.protocol_min > PROTOCOL_MAX || self.protocol_max < PROTOCOL_MIN {
            return Err(format!(
                "release {} speaks protocols {} to {}, this one speaks {PROTOCOL_MIN} to {PROTOCOL_MAX}",
                self.release, self.protocol_min, self.protocol_max
            ));
        }
        if self.cluster != *cluster {
            return Err("it is a node of another cluster".to_owned());
        }
        Ok(())
    }
}

const CLASS_CONTROL: u8 = 0;
const CLASS_BULK: u8 = 1;

impl Record for Hello {
    const NAME: &'static str = "hello";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u16(self.protocol_min).u16(self.protocol_max).raw(&self.cluster).varint(self.node.0).raw(&self.drive);
        encoder.u8(match self.class {
            Class::Control => CLASS_CONTROL,
            Class::Bulk => CLASS_BULK,
        });
        encoder.str(&self.release);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self {
            protocol_min: decoder.u16()?,
            protocol_max: decoder.u16()?,
            cluster: decoder.array()?,
            node: NodeId(decoder.varint()?),
            drive: decoder.array()?,
            class: match decoder.u8()? {
                CLASS_CONTROL => Class::Control,
                CLASS_BULK => Class::Bulk,
                other => return Err(Error::corrupt(format!("class {other} is not known"))),
            },
            release: decoder.str()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_version_1() {
        let hello = Hello::new([0xAA; 16], NodeId(7), [0xBB; 16], Class::Bulk, "0.1");
        let expected = [&[1, 0, 1, 0, 1][..], &[0xAA; 16], &[7], &[0xBB; 16], &[1, 3], b"0.1"].concat();
        assert_eq!(hello.to_bytes(), expected);
        assert_eq!(Hello::from_bytes(&expected).expect("decodes"), hello);
    }

    #[test]
    fn another_cluster_and_another_protocol_are_refused() {
        let hello = Hello::new([1; 16], NodeId(7), [2; 16], Class::Control, "0.1");
        assert_eq!(hello.check(&[1; 16]), Ok(()));
        assert!(hello.check(&[9; 16]).is_err_and(|why| why.contains("another cluster")));
        let newer = Hello { protocol_min: 2, protocol_max: 3, ..hello.clone() };
        assert!(newer.check(&[1; 16]).is_err_and(|why| why.contains("protocols 2 to 3")));
        assert_eq!(Hello { protocol_max: 3, ..hello }.check(&[1; 16]), Ok(()), "the ranges meet");
    }
}
