//! The outside world as traits: clock, dice, disk. Production uses the real ones; tests inject faults, or simulate it all.
//! Owns: the only raw clocks, random numbers, file operations and blocking threads of the engine.

mod blocking;
mod clock;
mod disk;
mod process_lock;
mod random;
mod real_disk;
pub mod simulated_disk;
pub mod simulation;

pub use blocking::{spawn_blocking, spawn_waiting, wait_for};
pub use clock::{Clock, SystemClock};
pub use disk::{Disk, DiskFile, OpenMode};
pub use process_lock::ProcessLock;
pub use random::{Random, SystemRandom};
pub use real_disk::RealDisk;

use std::sync::Arc;

/// What the engine may use of the outside world.
#[derive(Clone)]
pub struct Environment {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub disk: Arc<dyn Disk>,
}

impl Environment {
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), disk: Arc::new(RealDisk) }
    }
}
