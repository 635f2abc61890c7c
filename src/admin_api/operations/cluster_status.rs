//! `GET /cluster`

use axum::Json;
use axum::extract::State;

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;
use crate::admin_api::message::ClusterStatus;
use crate::admin_api::operations::layout;

pub async fn cluster_status(State(api): State<AdminApi>) -> Result<Json<ClusterStatus>> {
    let layout = api.services.cluster.layout().await?;
    let progress = api.progress().await?;
    Ok(Json(layout::status(&layout, &progress, |node| api.system.is_up(node))))
}
