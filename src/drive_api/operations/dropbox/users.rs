//! `users/…`: who is signed in, and how much room there is.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By};
use super::route_error::Result;
use crate::drive_api::router::DriveApi;

/// What a drive without a quota says it has: the SDKs want a number.
const UNLIMITED_BYTES: u64 = 1 << 50;

#[derive(Deserialize)]
pub struct Echo {
    #[serde(default)]
    query: String,
}

pub async fn check_user(By(_): By, Argument(asked): Argument<Echo>) -> Json<Value> {
    Json(json!({ "result": asked.query }))
}

pub async fn get_current_account(By(actor): By) -> Json<Value> {
    let (user, name) = (actor.principal.user.0, &actor.principal.name);
    Json(json!({
        "account_id": format!("dbid:{user:035}"),
        "name": {
            "given_name": name, "surname": "", "familiar_name": name, "display_name": name,
            "abbreviated_name": name.chars().take(2).collect::<String>(),
        },
        "email": if name.contains('@') { name.clone() } else { format!("{name}@localhost") },
        "email_verified": true,
        "disabled": false,
        "locale": "en",
        "referral_link": "",
        "is_paired": false,
        "account_type": { ".tag": "basic" },
        "root_info": { ".tag": "user", "root_namespace_id": user.to_string(), "home_namespace_id": user.to_string() },
    }))
}

pub async fn get_space_usage(State(api): State<DriveApi>, By(actor): By) -> Result<Json<Value>> {
    let used = api.drive().usage(&actor).await?.total;
    let allocated = actor.principal.quota_bytes.unwrap_or(UNLIMITED_BYTES);
    Ok(Json(json!({ "used": used, "allocation": { ".tag": "individual", "allocated": allocated } })))
}
