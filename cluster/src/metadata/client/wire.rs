//! Wire: what nodes say to each other about metadata. Each message is a versioned record (docs/peer-network.md).

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::outcome::Outcome;

/// PROPOSE; the command's bytes follow.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposeRequest {
    pub group: GroupId,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "it lives for one answer")]
pub enum ProposeAnswer {
    Decided { outcome: Outcome },
    NotLeader { leader: Option<NodeId> },
}

/// READ_INDEX.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadIndexRequest {
    pub group: GroupId,
}

/// A state with this entry contains everything acknowledged before the request.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadIndexAnswer {
    pub index: u64,
}

/// VIEW_OPEN.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenViewRequest {
    pub group: GroupId,
    /// Whom it is about; refused if the group does not decide about that owner. Not said by version 1.
    pub owner: Option<OwnerKey>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OpenViewAnswer {
    pub view: u64,
}

/// VIEW_GET.
#[derive(Clone, Debug, PartialEq)]
pub struct GetRequest {
    pub view: u64,
    pub key: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GetAnswer {
    pub value: Option<Vec<u8>>,
}

/// VIEW_SCAN: `from ≤ key < to`, from the far end if `reverse`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanRequest {
    pub view: u64,
    pub from: Vec<u8>,
    pub to: Vec<u8>,
    pub reverse: bool,
    pub pairs_max: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScanAnswer {
    pub pairs: Vec<Pair>,
    /// There is more behind the last pair.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// VIEW_CLOSE; the answer is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct CloseViewRequest {
    pub view: u64,
}

struct_fields!(ProposeRequest { group });
record!(ProposeRequest, "propose request");

enum_fields!(ProposeAnswer {
    0 => Decided { outcome },
    1 => NotLeader { leader },
});
record!(ProposeAnswer, "propose answer");

struct_fields!(ReadIndexRequest { group });
record!(ReadIndexRequest, "read index request");

struct_fields!(ReadIndexAnswer { index });
record!(ReadIndexAnswer, "read index answer");

impl Record for OpenViewRequest {
    const NAME: &'static str = "open view request";
    const VERSION: u8 = 2;

    fn encode_fields(&self, encoder: &mut Encoder) {
        self.group.write(encoder);
        self.owner.write(encoder);
    }

    fn decode_fields(version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let group = Field::read(decoder)?;
        let owner = if version == 1 { None } else { Field::read(decoder)? };
        Ok(Self { group, owner })
    }
}

struct_fields!(OpenViewAnswer { view });
record!(OpenViewAnswer, "open view answer");

struct_fields!(GetRequest { view, key });
record!(GetRequest, "get request");

struct_fields!(GetAnswer { value });
record!(GetAnswer, "get answer");

struct_fields!(ScanRequest { view, from, to, reverse, pairs_max });
record!(ScanRequest, "scan request");

struct_fields!(Pair { key, value });
struct_fields!(ScanAnswer { pairs, more });
record!(ScanAnswer, "scan answer");

struct_fields!(CloseViewRequest { view });
record!(CloseViewRequest, "close view request");

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use expect_test::expect;

    use super::*;

    fn bytes_of<R: Record + Debug + PartialEq>(message: R) -> String {
        let bytes = message.to_bytes();
        assert_eq!(R::from_bytes(&bytes).expect("reads"), message);
        format!("{} {}\n", R::NAME, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    /// Two releases in one cluster must understand each other.
    #[test]
    fn bytes_of_version_1() {
        let (group, view) = (GroupId(3), 7);
        let pair = Pair { key: b"k".to_vec(), value: b"v".to_vec() };
        let all = [
            bytes_of(ProposeRequest { group }),
            bytes_of(ProposeAnswer::Decided { outcome: Outcome::Done }),
            bytes_of(ProposeAnswer::NotLeader { leader: Some(NodeId(2)) }),
            bytes_of(ReadIndexRequest { group }),
            bytes_of(ReadIndexAnswer { index: 300 }),
            bytes_of(OpenViewRequest { group, owner: Some(OwnerKey(5)) }),
            bytes_of(OpenViewAnswer { view }),
            bytes_of(GetRequest { view, key: b"k".to_vec() }),
            bytes_of(GetAnswer { value: Some(b"v".to_vec()) }),
            bytes_of(ScanRequest { view, from: b"a".to_vec(), to: b"b".to_vec(), reverse: true, pairs_max: 16 }),
            bytes_of(ScanAnswer { pairs: vec![pair], more: true }),
            bytes_of(CloseViewRequest { view }),
        ];
        expect![[r#"
            propose request 0103
            propose answer 010000
            propose answer 01010102
            read index request 0103
            read index answer 01ac02
            open view request 0203010000000000000005
            open view answer 0107
            get request 0107016b
            get answer 01010176
            scan request 0107016101620110
            scan answer 0101016b017601
            close view request 0107
        "#]]
        .assert_eq(&all.concat());
        let of_version_1 = OpenViewRequest::from_bytes(&[1, 3]).expect("reads");
        assert_eq!(of_version_1, OpenViewRequest { group, owner: None });
    }
}
