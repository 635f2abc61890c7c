//! Mass delete: a device that threw away most of a drive is held, until the owner allows it or takes its deletions back.

use axum::Json;
use axum::extract::State;
use onggi_cluster::metadata::record::tree::DeviceDeletes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::answer_json::Done;
use crate::drive_api::error::Result;
use crate::drive_api::request::{ByOwner, Document};
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;

/// What it deletes is refused (409 `mass_delete_held`).
#[derive(Serialize, ToSchema)]
pub struct HeldDevice {
    device: String,
    #[schema(format = DateTime)]
    since: String,
    /// That it deleted within a minute, the one that was refused included.
    deletes: u64,
    /// With what was below.
    entries: u64,
    /// That the drive had before.
    of_entries: u64,
}

impl From<DeviceDeletes> for HeldDevice {
    fn from(deletes: DeviceDeletes) -> Self {
        Self {
            device: deletes.device,
            since: text_form::time(deletes.held_ms.unwrap_or(deletes.since_ms)),
            deletes: deletes.deletes,
            entries: deletes.entries,
            of_entries: deletes.of_entries,
        }
    }
}

#[derive(Deserialize, ToSchema)]
pub struct OfDevice {
    device: String,
}

/// Let a held device go on deleting
///
/// For an hour nothing that it deletes is counted. App passwords may not say so: a program could release itself.
#[utoipa::path(
    post, path = "/files/mass_delete/allow", tag = "trash", request_body = OfDevice,
    responses((status = 200, description = "It may go on.", body = Done)),
)]
pub async fn allow(
    State(api): State<DriveApi>,
    ByOwner(actor): ByOwner,
    Document(asked): Document<OfDevice>,
) -> Result<Json<Done>> {
    api.drive().allow_deletes(&actor, asked.device).await?;
    Ok(Json(Done {}))
}

#[derive(Serialize, ToSchema)]
pub struct Undone {
    /// That came out of the trash with this call.
    entries: u64,
    /// There is more to do: ask again.
    has_more: bool,
}

/// Take back what a held device deleted
///
/// All that it deleted since its minute began comes out of the trash; then it is held no more. App passwords may not.
#[utoipa::path(
    post, path = "/files/mass_delete/undo", tag = "trash", request_body = OfDevice,
    responses((status = 200, description = "What came back.", body = Undone)),
)]
pub async fn undo(
    State(api): State<DriveApi>,
    ByOwner(actor): ByOwner,
    Document(asked): Document<OfDevice>,
) -> Result<Json<Undone>> {
    let done = api.drive().undo_deletes(&actor, asked.device).await?;
    Ok(Json(Undone { entries: done.entries, has_more: done.has_more }))
}
