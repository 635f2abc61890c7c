//! Blocking: the way from async code to file operations.

use crate::env::spawn_blocking;

/// Runs work that may block on a thread made for it. A panic there goes on here. Dropping the future does not stop the work.
pub async fn on_blocking_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is shutting down cancels blocking work, and then nobody polls this.
            Err(_) => std::future::pending().await,
        },
    }
}
