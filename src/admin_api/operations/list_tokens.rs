//! `GET /tokens`

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use onggi_cluster::metadata::record::JoinTokenRecord;

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;
use crate::admin_api::message::{Token, Tokens};

pub async fn list_tokens(State(api): State<AdminApi>) -> Result<Json<Tokens>> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let records = api.services.cluster.join_tokens().await?;
    Ok(Json(Tokens { tokens: records.into_iter().map(|record| token(record, now_ms)).collect() }))
}

fn token(record: JoinTokenRecord, now_ms: u64) -> Token {
    let state = match record.used_by {
        Some(_) => "used",
        None if record.expires_ms <= now_ms => "expired",
        None => "unused",
    };
    Token {
        id: record.token.to_string(),
        state: state.to_string(),
        created_ms: record.created_ms,
        expires_ms: record.expires_ms,
        zone: record.zone,
        used_by: record.used_by.map(|node| node.0),
    }
}
