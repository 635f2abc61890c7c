//! `POST /account/password`: the user's own, with the old one.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::drive_api::accounts::answer::{self, Known};
use crate::drive_api::accounts::{Accounts, request_body};
use crate::drive_api::auth::{PeerAddress, Result};
use crate::services::Secret;

#[derive(Deserialize, ToSchema)]
#[schema(as = ChangePassword)]
#[serde(deny_unknown_fields)]
struct Change {
    old: String,
    new: String,
}

/// Change the password
///
/// Every other sign-in is over; app passwords stay.
#[utoipa::path(
    post, path = "/account/password", tag = "account", operation_id = "change_password", request_body = Change,
    security(("token" = []), ("console" = [], "csrf" = [])),
    responses((status = 204, description = "It is changed.")),
)]
pub async fn change(
    State(accounts): State<Accounts>,
    Known(caller): Known,
    address: PeerAddress,
    request: Request,
) -> Result<Response> {
    let Change { old, new } = request_body::json(request).await?;
    accounts.service.change_password(&caller, Secret::new(old), Secret::new(new), address.ip()).await?;
    Ok(answer::done())
}
