//! Outcome: what a client knows of a request after its reply, or after there was none.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

const REPLY_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub enum Outcome<T> {
    Done(T),
    /// It did not happen.
    Refused(u16),
    /// Whole or not at all.
    Unknown,
}

/// What is done to the node, told before it is done.
#[derive(Clone, Default)]
pub struct Harm(Arc<Harmed>);

#[derive(Default)]
struct Harmed {
    has_begun: AtomicBool,
    has_no_power: AtomicBool,
}

impl Harm {
    /// From then on requests may fail.
    pub fn begins(&self) {
        self.0.has_begun.store(true, Ordering::SeqCst);
    }

    /// From then on no reply counts: a machine without power sends none. This one goes on, and a sync that is under way when ext4 is shut down is
    /// answered as a success by the kernel, though nothing of it is kept (docs/testing.md).
    pub fn takes_power(&self) {
        self.0.has_no_power.store(true, Ordering::SeqCst);
    }

    /// Waits for the reply. Nothing but a refusal that the caller expects (412, 404) may come from a node that was not harmed.
    pub async fn settle<T: Debug, E: ProvideErrorMetadata + Debug>(
        &self,
        what: &str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Outcome<T> {
        let Ok(result) = tokio::time::timeout(REPLY_MAX, request).await else {
            assert!(self.has_begun(), "{what}: no reply within {REPLY_MAX:?}");
            return Outcome::Unknown;
        };
        if self.0.has_no_power.load(Ordering::SeqCst) {
            return Outcome::Unknown;
        }
        let error = match result {
            Ok(done) => return Outcome::Done(done),
            Err(error) => error,
        };
        let status = error.as_service_error().and(error.raw_response()).map(|reply| reply.status().as_u16());
        let outcome = match status {
            Some(status @ (404 | 412)) => return Outcome::Refused(status),
            Some(status @ (503 | 507)) => Outcome::Refused(status),
            // The keep-alive of a long request sends its 200 before the outcome is known.
            Some(200 | 500) | None => Outcome::Unknown,
            Some(status) => panic!("{what}: {status} {error:?}"),
        };
        assert!(self.has_begun(), "{what} failed at a healthy node: {error:?}");
        outcome
    }

    pub fn has_begun(&self) -> bool {
        self.0.has_begun.load(Ordering::SeqCst)
    }
}
