//! Settings of the web listener: admin API, health and metrics.

use std::net::SocketAddr;

use crate::config::section::section;

section! {
    /// The admin API, `/healthz`, `/readyz` and `/metrics`. Always HTTPS.
    WebConfig in "web" {
        /// Where operators and monitoring connect.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9001)), flag "--web-listen";
    }
}
