//! Router of accounts. Every route but those that sign in is behind `Known`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::drive_api::accounts::{app_passwords, authorize, console_session, password, revoke, sessions, token};
use crate::services::account_service::AccountService;

/// Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(super) service: AccountService,
    pub(super) redirect_uris: Arc<[String]>,
}

impl Accounts {
    /// `redirect_uris`: where browsers may be sent with a code, besides loopback addresses.
    pub fn new(service: AccountService, redirect_uris: &[String]) -> Self {
        Self { service, redirect_uris: redirect_uris.into() }
    }

    pub fn router(self) -> Router {
        Router::new()
            .route("/oauth2/token", post(token::token))
            .route("/oauth2/revoke", post(revoke::revoke))
            .route("/oauth2/authorize", get(authorize::show).post(authorize::submit))
            .route(
                "/console/session",
                get(console_session::show).post(console_session::open).delete(console_session::close),
            )
            .route("/account/app_passwords", get(app_passwords::list).post(app_passwords::create))
            .route("/account/app_passwords/{id}", delete(app_passwords::revoke))
            .route("/account/sessions", get(sessions::list))
            .route("/account/sessions/{id}", delete(sessions::end))
            .route("/account/password", post(password::change))
            .with_state(self)
    }
}
