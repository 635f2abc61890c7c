//! Survey message: what a node is asked about a group that it holds, and answers (docs/peer-network.md, `GROUP_SURVEY`).

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use super::load::{GroupLoad, Middle};
use crate::id::{GroupId, NodeId};
use crate::metadata::field::{Field, record, struct_fields};

#[derive(Clone, Debug, PartialEq)]
pub struct SurveyRequest {
    pub group: GroupId,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// As far as the node that answers knows.
    pub leader: Option<NodeId>,
    pub load: GroupLoad,
}

struct_fields!(SurveyRequest { group });
record!(SurveyRequest, "survey request");

struct_fields!(Middle { boundary, below });
struct_fields!(GroupLoad { owners, totals, middle });
struct_fields!(Survey { leader, load });
record!(Survey, "survey");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OwnerKey;
    use crate::metadata::record::Counters;

    /// Two releases in one cluster must understand each other.
    #[test]
    fn bytes_of_version_1() {
        assert_eq!(SurveyRequest { group: GroupId(3) }.to_bytes().as_ref(), [1, 3]);
        let totals = Counters { objects: 1, versions: 2, delete_markers: 3, uploads: 4, bytes: 300 };
        let middle = Some(Middle { boundary: OwnerKey(7), below: 5 });
        let survey = Survey { leader: Some(NodeId(2)), load: GroupLoad { owners: 6, totals, middle } };
        let bytes = [1, 1, 2, 6, 1, 2, 3, 4, 0xAC, 2, 1, 0, 0, 0, 0, 0, 0, 0, 7, 5];
        assert_eq!(survey.to_bytes().as_ref(), bytes);
        assert_eq!(Survey::from_bytes(&bytes).unwrap(), survey);
    }
}
