//! Outcome: what a client knows of a request after its reply, or after there was none.

use std::fmt::Debug;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

/// A node that is paused or cut off is given up after this.
const REPLY_MAX: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub enum Outcome<T> {
    Done(T),
    /// 412
    Refused,
    /// 404
    Absent,
    /// It surely did not happen: the history says nothing of it.
    DidNotHappen,
    /// Whole or not at all, now or later.
    Unknown,
}

impl<T> Outcome<T> {
    pub fn map<U>(self, done: impl FnOnce(T) -> Outcome<U>) -> Outcome<U> {
        match self {
            Self::Done(reply) => done(reply),
            Self::Refused => Outcome::Refused,
            Self::Absent => Outcome::Absent,
            Self::DidNotHappen => Outcome::DidNotHappen,
            Self::Unknown => Outcome::Unknown,
        }
    }
}

/// Waits for the reply. What no fault explains is a panic.
pub async fn settle<T, E: Debug>(
    what: &str,
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Outcome<T> {
    let Ok(result) = tokio::time::timeout(REPLY_MAX, request).await else { return Outcome::Unknown };
    let error = match result {
        Ok(done) => return Outcome::Done(done),
        Err(error) => error,
    };
    match error.raw_response().map(|reply| reply.status().as_u16()) {
        Some(412) => Outcome::Refused,
        Some(404) => Outcome::Absent,
        Some(503 | 507) => Outcome::DidNotHappen,
        // The keep-alive of a long request sends its 200 before the outcome is known.
        Some(200 | 500) | None => Outcome::Unknown,
        Some(status) => panic!("{what}: {status} {error:?}"),
    }
}
