//! Refusals of membership in words: what happened, and what an operator does about it.

use crate::metadata::outcome::Refusal;

pub fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::FounderKnown => {
            "the cluster has nodes on record, and this drive is none of theirs: join with a token instead".into()
        }
        Refusal::AuthorityExists => "the cluster has a certificate authority already".into(),
        Refusal::TokenExists => "there is a join token of this id already".into(),
        Refusal::NoSuchToken => {
            "the join token is not known: it was revoked, or is of another cluster; make a new one \
                                 with `onggi admin token create`"
                .into()
        }
        Refusal::TokenExpired => "the join token has expired; make a new one with `onggi admin token create`".into(),
        Refusal::TokenUsed { by } => format!(
            "the join token was used by node {}; each node needs one of its own (`onggi admin token create`)",
            by.0
        ),
        Refusal::DriveKnown { node } => format!(
            "the drive is on record as node {0}'s; to join as a new node, remove node {0} and start with an empty data \
             directory",
            node.0
        ),
        Refusal::NoSuchNode => "there is no such node; `onggi admin node list` shows them".into(),
        Refusal::NodeRemoved => "the node was removed; it can only join again as a new one, with an empty data \
                                 directory and a new token"
            .into(),
        Refusal::NodeHoldsGroups { groups } => {
            format!("{groups} groups are on the node or on their way to it; drain it and wait until it is empty")
        }
        Refusal::TooFewNodes { needed: 1 } => "no other active node would be left".into(),
        Refusal::TooFewNodes { needed } => format!(
            "active nodes would be left on fewer than {needed} hosts, and each group has {needed} copies, no two on one host; add a host first"
        ),
        Refusal::StaleGroup => "the group's record was changed in between".into(),
        Refusal::InvalidGroup => "a group's nodes must be members on different hosts, each named once".into(),
        Refusal::NoSuchGroup => "there is no such group; `onggi admin group list` shows them".into(),
        Refusal::SplitUnderWay { child } => {
            format!("a group is being split already (the new one is group {}); try again when it is done", child.0)
        }
        Refusal::InvalidBoundary => {
            "the user is not in the group, or is its first: the group would keep nothing, or give nothing".into()
        }
        Refusal::StalePartitionMap => "the groups were changed in between; try again".into(),
        other => format!("refused: {other:?}"),
    }
}
