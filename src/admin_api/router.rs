//! Router of the admin API: which operation a request is. Every route is behind `require_admin`; there is no other way in.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, delete, get, patch, post};
use onggi_cluster::placement::Progress;

use crate::admin_api::auth::{SIGNING_SERVICE, require_admin};
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::operations::{
    cluster_status, create_key, create_token, create_user, delete_key, delete_user, list_buckets, list_groups,
    list_keys, list_nodes, list_tokens, list_users, revoke_token, scrub_status, split_group, start_scrub, status,
    update_key, update_node, update_user,
};
use crate::admin_api::system::System;
use crate::s3_api::auth::{AuthOptions, Authenticator};
use crate::services::{Error, Services};

pub const PATH_PREFIX: &str = "/admin/v1";

/// Cheap to clone.
#[derive(Clone)]
pub struct AdminApi {
    pub(super) services: Services,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) system: Arc<dyn System>,
}

impl AdminApi {
    pub fn new(services: Services, system: Arc<dyn System>) -> Self {
        // Any region: an admin need not know which one the node's S3 API has. No SigV2: nothing here needs it.
        let options = AuthOptions { service: SIGNING_SERVICE, region: None, sigv2_presigned: false };
        Self { services, authenticator: Arc::new(Authenticator::new(options)), system }
    }

    /// What is to be copied until every group is where it shall be.
    pub(super) async fn progress(&self) -> Result<Progress> {
        Ok(self.system.progress().await.map_err(Error::from)?)
    }

    pub fn router(self) -> Router {
        // Whole paths, not `nest`: the signature covers the path as the client wrote it.
        let path = |rest: &str| format!("{PATH_PREFIX}{rest}");
        Router::new()
            .route(&path("/users"), get(list_users).post(create_user))
            .route(&path("/users/{name}"), delete(delete_user).patch(update_user))
            .route(&path("/users/{name}/keys"), get(list_keys).post(create_key))
            .route(&path("/keys/{access_key}"), delete(delete_key).patch(update_key))
            .route(&path("/buckets"), get(list_buckets))
            .route(&path("/tokens"), get(list_tokens).post(create_token))
            .route(&path("/tokens/{id}"), delete(revoke_token))
            .route(&path("/nodes"), get(list_nodes))
            .route(&path("/nodes/{id}"), patch(update_node))
            .route(&path("/groups"), get(list_groups))
            .route(&path("/groups/{id}/split"), post(split_group))
            .route(&path("/cluster"), get(cluster_status))
            .route(&path("/status"), get(status))
            .route(&path("/scrub"), post(start_scrub).get(scrub_status))
            .route(&path("/{*rest}"), any(async || AdminError::not_found("such admin operation")))
            .route_layer(from_fn_with_state(self.clone(), require_admin))
            .with_state(self)
    }
}
