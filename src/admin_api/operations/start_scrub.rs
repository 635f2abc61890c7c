//! `POST /scrub`

use axum::Json;
use axum::extract::State;

use crate::admin_api::AdminApi;
use crate::admin_api::message::Scrub;

pub async fn start_scrub(State(api): State<AdminApi>) -> Json<Scrub> {
    api.system.start_scrub();
    Json(api.system.scrub())
}
