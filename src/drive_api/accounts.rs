//! Accounts over HTTP: OAuth 2, the page's session, app passwords, sign-ins, the password (docs/accounts.md).
//! Owns: its routes and forms. Does not own: the rules (`services::account_service`).

mod answer;
mod app_passwords;
mod authorize;
mod browser;
mod console_session;
mod oauth_error;
mod password;
mod redirect;
mod request_body;
mod revoke;
mod router;
mod sessions;
mod token;

pub use router::{Accounts, operations};

/// Dropbox's SDKs ask for exactly 40 characters.
pub fn account_id(user: onggi_cluster::id::UserId) -> String {
    format!("onggi:{:034x}", user.0)
}
