//! Settings of the web listener: accounts, admin API, health and metrics.

use std::net::SocketAddr;

use crate::config::section::section;

section! {
    /// Accounts and sign-in, the admin API, `/healthz`, `/readyz` and `/metrics`. Always HTTPS.
    WebConfig in "web" {
        /// Where people, operators and monitoring connect.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9001)), flag "--web-listen";
        /// Where browsers may be sent with an authorization code, exactly; loopback addresses always are allowed.
        redirect_uris: Vec<String> = Vec::new();
    }
}
