//! `GET /nodes`

use axum::Json;
use axum::extract::State;

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;
use crate::admin_api::message::Nodes;
use crate::admin_api::operations::layout;

pub async fn list_nodes(State(api): State<AdminApi>) -> Result<Json<Nodes>> {
    let layout = api.services.cluster.layout().await?;
    let progress = api.progress().await?;
    Ok(Json(Nodes { nodes: layout::nodes(&layout, &progress, |node| api.system.is_up(node)) }))
}
