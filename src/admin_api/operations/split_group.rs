//! `POST /groups/{id}/split`: begins it; `GET /groups` shows when it is done.

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use onggi_cluster::id::GroupId;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{GroupSplit, SplitGroup};
use crate::admin_api::operations::list_groups::surveyor;
use crate::admin_api::operations::wire;
use crate::services::Error;

pub async fn split_group(State(api): State<AdminApi>, Path(id): Path<String>, body: Bytes) -> Result<Json<GroupSplit>> {
    let id: u32 = id.parse().map_err(|_| AdminError::invalid("a group is named by its number".into()))?;
    let SplitGroup { at } = wire::parse(&body)?;
    let at = match at {
        Some(name) => Some(api.services.identity.user_by_name(&name).await?.id.owner_key()),
        None => None,
    };
    let begun = surveyor(&api)?.begin_split(GroupId(id), at).await.map_err(Error::from)?;
    let child = begun.map_err(Error::Refused)?;
    Ok(Json(GroupSplit { id, new_group: child.0 }))
}
