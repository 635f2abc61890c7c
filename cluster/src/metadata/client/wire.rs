//! Wire: what nodes say to each other about metadata. Each message is a versioned record (docs/peer-network.md).

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::{GroupId, NodeId};
use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::outcome::Outcome;

/// PROPOSE; the command's bytes follow.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposeRequest {
    pub group: GroupId,
}

#[derive(Clone, Debug, PartialEq)]
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

struct_fields!(OpenViewRequest { group });
record!(OpenViewRequest, "open view request");

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
