//! Lock: taking a mutex whose other holders must not have panicked.

use std::sync::{Mutex, MutexGuard};

/// A thread that panicked under the lock may have left accounts half changed: going on would spread that.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(_) => panic!("a thread panicked while it changed the chunk store"),
    }
}
