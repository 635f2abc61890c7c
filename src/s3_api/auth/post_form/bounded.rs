//! A stream that keeps multer's memory bounded: multer takes whatever is ready into its buffer, and looks for the end of a
//! part's headers however long they are.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};

/// Amazon S3: "MaxPostPreDataLengthExceeded", 20 KB of fields; twice that with their part headers.
const BEFORE_FILE_BYTES_MAX: usize = 40 * 1024;
/// So that little of the file is counted as fields.
const PIECE_BYTES_MAX: usize = 4 * 1024;

/// How much may still come before the file begins.
#[derive(Clone)]
pub(super) struct Budget(Arc<BudgetState>);

struct BudgetState {
    left_bytes: AtomicUsize,
    lifted: AtomicBool,
}

impl Budget {
    pub(super) fn before_the_file() -> Self {
        let left_bytes = AtomicUsize::new(BEFORE_FILE_BYTES_MAX + PIECE_BYTES_MAX);
        Self(Arc::new(BudgetState { left_bytes, lifted: AtomicBool::new(false) }))
    }

    /// The file has begun.
    pub(super) fn lift(&self) {
        self.0.lifted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.left_bytes.load(Ordering::Relaxed) == 0
    }

    /// False: too much. Only the stream calls this, so there is no race between load and store.
    fn spend(&self, bytes: usize) -> bool {
        if self.0.lifted.load(Ordering::Relaxed) {
            return true;
        }
        let left = self.0.left_bytes.load(Ordering::Relaxed).saturating_sub(bytes);
        self.0.left_bytes.store(left, Ordering::Relaxed);
        left > 0
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum BoundedError {
    #[error("the fields before the file are too large")]
    TooLarge,
    #[error("read the request body")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub(super) struct BoundedStream<S> {
    inner: S,
    budget: Budget,
    pending: Bytes,
    rest_now: bool,
}

impl<S> BoundedStream<S> {
    pub(super) fn new(inner: S, budget: Budget) -> Self {
        Self { inner, budget, pending: Bytes::new(), rest_now: false }
    }
}

impl<S, E> Stream for BoundedStream<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Item = Result<Bytes, BoundedError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // After each piece multer must look at what it has before it gets more.
        if std::mem::take(&mut self.rest_now) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.pending.is_empty() {
            self.pending = match std::task::ready!(self.inner.poll_next_unpin(context)) {
                None => return Poll::Ready(None),
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => return Poll::Ready(Some(Err(BoundedError::Body(error.into())))),
            };
        }
        let in_file = self.budget.0.lifted.load(Ordering::Relaxed);
        let take = if in_file { self.pending.len() } else { self.pending.len().min(PIECE_BYTES_MAX) };
        let piece = self.pending.split_to(take);
        self.rest_now = true;
        if !self.budget.spend(piece.len()) {
            return Poll::Ready(Some(Err(BoundedError::TooLarge)));
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
