//! System: what the admin API and the health pages ask of the node itself. The composition root answers.

use futures::future::BoxFuture;
use onggi_cluster::Result;
use onggi_cluster::id::NodeId;
use onggi_cluster::placement::{Progress, Surveyor};

use crate::admin_api::message::{Scrub, Status};

pub trait System: Send + Sync + 'static {
    /// Why the node takes no requests, one sentence each; empty if it does.
    fn problems(&self) -> Vec<String>;
    /// Drives that are not at work, while the node takes requests through others; one sentence each.
    fn failures(&self) -> Vec<String>;
    fn status(&self) -> Status;
    fn scrub(&self) -> Scrub;
    /// Begins a scrub soon; one that is running goes on.
    fn start_scrub(&self);
    /// Whether this node hears from another; of itself, yes.
    fn is_up(&self, node: NodeId) -> bool;
    /// Of the groups: how much they hold, and their splits. `None` while no drive serves.
    fn surveyor(&self) -> Option<Surveyor>;
    /// This node's own number.
    fn node(&self) -> NodeId;
    /// What is to be copied until every group is where it shall be.
    fn progress(&self) -> BoxFuture<'_, Result<Progress>>;
}
