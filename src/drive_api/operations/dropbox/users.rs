//! `users/…`: who is signed in, and how much room there is.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::argument::{Argument, By};
use super::route_error::{Result, RouteError, tag};
use crate::drive_api::accounts::account_id;
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;

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
    let mut account = basic(&actor);
    let id = actor.principal.user.0.to_string();
    account["locale"] = json!("en");
    account["referral_link"] = json!("");
    account["is_paired"] = json!(false);
    account["account_type"] = tag("basic");
    account["root_info"] = json!({ ".tag": "user", "root_namespace_id": id, "home_namespace_id": id });
    Json(account)
}

#[derive(Deserialize)]
pub struct AccountArgument {
    account_id: String,
}

/// Of oneself: nothing leads to another one's account, and whether there is one is not said.
pub async fn get_account(By(actor): By, Argument(asked): Argument<AccountArgument>) -> Result<Json<Value>> {
    if asked.account_id != account_id(actor.principal.user) {
        return Err(RouteError::Tagged(tag("no_account")));
    }
    let mut account = basic(&actor);
    account["is_teammate"] = json!(true);
    Ok(Json(account))
}

/// What a full account and one that others see have in common.
fn basic(actor: &Actor) -> Value {
    let name = &actor.principal.name;
    json!({
        "account_id": account_id(actor.principal.user),
        "name": {
            "given_name": name, "surname": "", "familiar_name": name, "display_name": name,
            "abbreviated_name": name.chars().take(2).collect::<String>(),
        },
        "email": if name.contains('@') { name.clone() } else { format!("{name}@localhost") },
        "email_verified": true,
        "disabled": false,
    })
}

pub async fn get_space_usage(State(api): State<DriveApi>, By(actor): By) -> Result<Json<Value>> {
    let used = api.drive().usage(&actor).await?.total;
    let allocated = actor.principal.quota_bytes.unwrap_or(UNLIMITED_BYTES);
    Ok(Json(json!({ "used": used, "allocation": { ".tag": "individual", "allocated": allocated } })))
}
