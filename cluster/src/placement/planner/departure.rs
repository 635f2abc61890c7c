//! Departure: whether a node may go without any group being left with fewer replicas.

use std::fmt;

use super::seats::Seats;
use super::{GroupView, NodeState, NodeView};
use crate::id::NodeId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    UnknownNode,
    /// `left` hosts could take its replicas, and groups have `needed` each.
    TooFewHosts {
        left: usize,
        needed: usize,
    },
}

/// Asked before a node drains. A group that has several replicas keeps that many; the last node never goes.
pub fn check_departure(nodes: &[NodeView], groups: &[GroupView], leaving: NodeId) -> Result<(), Refusal> {
    if !nodes.iter().any(|view| view.node == leaving && view.state != NodeState::Removed) {
        return Err(Refusal::UnknownNode);
    }
    let others: Vec<NodeView> = nodes.iter().filter(|view| view.node != leaving).cloned().collect();
    let left = Seats::of(&others).hosts().len();
    let needed = groups.iter().map(|group| group.target.len()).max().unwrap_or(0).max(1);
    if left < needed {
        return Err(Refusal::TooFewHosts { left, needed });
    }
    Ok(())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownNode => f.write_str("there is no such node"),
            Self::TooFewHosts { left, needed } => write!(
                f,
                "{left} hosts would be left active and up, and groups have {needed} replicas: add one first, or bring one back"
            ),
        }
    }
}
