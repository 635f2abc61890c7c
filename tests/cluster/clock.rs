//! Clock: one process's own idea of the time of day, by `libfaketime` (Debian package), loaded in front of the C library. Timers and
//! everything else that runs on the monotonic clock are not touched, as when an operator or NTP sets a real clock.

use std::path::PathBuf;
use std::process::Command;

pub struct Clock {
    library: PathBuf,
    /// What the library reads: by how much the clock is off.
    offset: PathBuf,
}

impl Clock {
    /// `None`, and it says so: the library is not installed.
    pub fn new(offset: PathBuf) -> Option<Self> {
        let libraries = std::fs::read_dir("/usr/lib").ok()?.flatten();
        let library =
            libraries.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
        if library.is_none() {
            println!("NOT TESTED: clocks that are off (needs libfaketime, which `.ci/setup test` installs)");
        }
        let clock = Self { library: library?, offset };
        clock.set(0);
        Some(clock)
    }

    /// By so many seconds, within a second.
    pub fn set(&self, seconds: i32) {
        // Never half written: the process reads it at any time.
        let new = self.offset.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(new, &self.offset).unwrap();
    }

    /// What the library leaves in shared memory of a process that was killed, or that became another program.
    pub fn forget(process: u32) {
        for name in ["faketime_shm", "sem.faketime_sem"] {
            let _ = std::fs::remove_file(format!("/dev/shm/{name}_{process}"));
        }
    }

    pub fn rule(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", &self.offset);
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("FAKETIME_CACHE_DURATION", "1");
        // Files keep the time of the real file system.
        command.env("NO_FAKE_STAT", "1");
    }
}
