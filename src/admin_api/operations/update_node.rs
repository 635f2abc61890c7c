//! `PATCH /nodes/{id}`

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use onggi_cluster::id::NodeId;
use onggi_cluster::membership::check_zone;
use onggi_cluster::metadata::command::NodeUpdate;
use onggi_cluster::metadata::record::NodeState;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{Node, UpdateNode};
use crate::admin_api::operations::{layout, wire};

const WEIGHT_MAX: u32 = 10_000;

pub async fn update_node(State(api): State<AdminApi>, Path(id): Path<String>, body: Bytes) -> Result<Json<Node>> {
    let id: u64 = id.parse().map_err(|_| AdminError::invalid("a node is named by its number".into()))?;
    let UpdateNode { zone, weight, state, whole_host } = wire::parse(&body)?;
    if let Some(zone) = &zone {
        check_zone(zone).map_err(AdminError::invalid)?;
    }
    if weight.is_some_and(|weight| weight > WEIGHT_MAX) {
        return Err(AdminError::invalid(format!("a weight is between 0 and {WEIGHT_MAX}; 100 is normal")));
    }
    let state = state.as_deref().map(parse_state).transpose()?;
    let node = NodeId(id);
    let service = &api.services.cluster;
    let (here, host) = (api.system.node(), service.node(node).await?.host);
    let removes_itself = node == here || (whole_host && service.node(here).await?.host == host);
    if state == Some(NodeState::Removed) && removes_itself {
        return Err(AdminError::invalid("a node does not remove itself: ask another one (--endpoint)".into()));
    }
    let update = NodeUpdate { zone, weight, state, ..NodeUpdate::default() };
    match whole_host {
        true => service.update_host(host, update).await?,
        false => service.update_node(node, update).await?,
    }
    let progress = api.progress().await?;
    let nodes = layout::nodes(&service.layout().await?, &progress, |node| api.system.is_up(node));
    nodes.into_iter().find(|shown| shown.id == id).map(Json).ok_or_else(|| AdminError::not_found("such node"))
}

fn parse_state(text: &str) -> Result<NodeState> {
    match text {
        "active" => Ok(NodeState::Active),
        "draining" => Ok(NodeState::Draining),
        "removed" => Ok(NodeState::Removed),
        _ => Err(AdminError::invalid("a node is `active`, `draining` or `removed`".into())),
    }
}
