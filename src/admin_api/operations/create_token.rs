//! `POST /tokens`

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use onggi_cluster::membership::check_zone;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{CreateToken, CreatedToken};
use crate::admin_api::operations::wire;

const LIFETIME_DEFAULT: Duration = Duration::from_secs(60 * 60);
/// Whoever finds a token may join with it: it should not lie about for long.
const LIFETIME_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub async fn create_token(State(api): State<AdminApi>, body: Bytes) -> Result<Json<CreatedToken>> {
    let CreateToken { lifetime_seconds, zone } = wire::parse(&body)?;
    let lifetime = lifetime_seconds.map_or(LIFETIME_DEFAULT, Duration::from_secs);
    if lifetime.is_zero() || lifetime > LIFETIME_MAX {
        return Err(AdminError::invalid("a join token lives for at least a second and at most 7 days".into()));
    }
    if let Some(zone) = &zone {
        check_zone(zone).map_err(AdminError::invalid)?;
    }
    let service = &api.services.cluster;
    let join = service.node(api.system.node()).await?.peer_address;
    let invitation = service.invite(lifetime, zone.clone()).await?;
    Ok(Json(CreatedToken {
        id: invitation.token.token.to_string(),
        token: invitation.token.to_text(),
        expires_ms: invitation.expires_ms,
        zone,
        join,
    }))
}
