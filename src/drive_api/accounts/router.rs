//! Router of accounts. Every route but those that sign in is behind `Known`.

use std::sync::Arc;

use axum::Router;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::drive_api::accounts::{app_passwords, authorize, console_session, password, revoke, sessions, token};
use crate::drive_api::description;
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
        Router::from(description::routed(operations())).with_state(self)
    }
}

/// What is here is served, and described.
pub fn operations() -> Vec<UtoipaMethodRouter<Accounts>> {
    vec![
        routes!(token::token),
        routes!(revoke::revoke),
        routes!(authorize::show, authorize::submit),
        routes!(console_session::show, console_session::open, console_session::close),
        routes!(app_passwords::list, app_passwords::create),
        routes!(app_passwords::revoke),
        routes!(sessions::list),
        routes!(sessions::end),
        routes!(password::change),
    ]
}
