//! `GET /scrub`

use axum::Json;
use axum::extract::State;

use crate::admin_api::AdminApi;
use crate::admin_api::message::Scrub;

pub async fn scrub_status(State(api): State<AdminApi>) -> Json<Scrub> {
    Json(api.system.scrub())
}
