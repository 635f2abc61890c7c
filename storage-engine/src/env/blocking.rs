//! Blocking work: the way from async code to calls that wait for a drive or for another node.
//! Owns: that such work leaves the async threads; in a simulation, that it does not leave the one thread there is (`simulation`).

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::simulation;

/// Work that waits for a drive, on a thread made for it.
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    if simulation::is_on() {
        return tokio::spawn(async move { work() });
    }
    tokio::task::spawn_blocking(work)
}

/// As `spawn_blocking`, for work that may wait for something async too, with `wait_for`.
pub fn spawn_waiting<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    if simulation::is_on() {
        return tokio::spawn(simulation::in_turns(work));
    }
    tokio::task::spawn_blocking(work)
}

/// Waits, in work that `spawn_waiting` runs.
pub fn wait_for<T: Send + 'static>(runtime: &Handle, future: impl Future<Output = T> + Send + 'static) -> T {
    match simulation::caller() {
        Some(caller) => caller.wait_for(future),
        None => runtime.block_on(future),
    }
}
