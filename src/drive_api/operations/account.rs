//! `GET /account`: who is signed in, and how much room there is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::error::Result;
use crate::drive_api::operations::mass_delete::HeldDevice;
use crate::drive_api::request::By;
use crate::drive_api::router::DriveApi;

#[derive(Serialize, ToSchema)]
pub struct AccountJson {
    user: String,
    display_name: String,
    quota: QuotaJson,
    /// Of the drive, as S3 names it.
    bucket: String,
    /// Devices that may not delete anything until they are allowed to.
    held: Vec<HeldDevice>,
}

/// In bytes.
#[derive(Serialize, ToSchema)]
pub struct QuotaJson {
    /// `null`: none.
    limit: Option<u64>,
    /// All of it, other buckets included: what the limit is compared with.
    used: u64,
    live: u64,
    versions: u64,
    trash: u64,
}

/// Who is signed in, and how much room there is
#[utoipa::path(
    get, path = "/account", tag = "account",
    responses((status = 200, description = "The user.", body = AccountJson)),
)]
pub async fn account(State(api): State<DriveApi>, By(actor): By) -> Result<Json<AccountJson>> {
    let held = api.drive().held_devices(&actor).await?.into_iter().map(HeldDevice::from).collect();
    let usage = api.drive().usage(&actor).await?;
    let quota = QuotaJson {
        limit: actor.principal.quota_bytes,
        used: usage.total,
        live: usage.live,
        versions: usage.versions,
        trash: usage.trash,
    };
    let name = actor.principal.name;
    Ok(Json(AccountJson { user: name.clone(), display_name: name, quota, bucket: usage.bucket, held }))
}
