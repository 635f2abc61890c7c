//! Retry: a request to a drive that may go well the next time.

use std::time::Duration;

use anyhow::Result;
use http::StatusCode;

use super::client::{NoAnswer, Refused};

/// A file may hold still for a server that restarts.
const ATTEMPTS_MAX: u32 = 6;

/// What `attempt` gives, tried again after growing pauses while another try may help.
pub async fn retried<T>(mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let mut failures = 0;
    loop {
        match attempt().await {
            Err(error) if is_passing(&error) && failures < ATTEMPTS_MAX => {
                failures += 1;
                tokio::time::sleep(Duration::from_secs(1 << failures)).await;
            }
            done => return done,
        }
    }
}

/// Another try may help: nobody answered, or the server asks for one.
pub fn is_passing(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Refused>() {
        // What has no room now needs somebody who makes some.
        Some(refused) if refused.status == StatusCode::INSUFFICIENT_STORAGE || refused.code == "full" => false,
        Some(refused) => refused.status.is_server_error() || refused.status == StatusCode::TOO_MANY_REQUESTS,
        None => error.is::<NoAnswer>(),
    }
}
