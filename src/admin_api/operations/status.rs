//! `GET /status`

use axum::Json;
use axum::extract::State;

use crate::admin_api::AdminApi;
use crate::admin_api::message::Status;

pub async fn status(State(api): State<AdminApi>) -> Json<Status> {
    Json(api.system.status())
}
