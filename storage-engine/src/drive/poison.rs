//! Poison: the mark that a write or sync of a drive failed, shared by every store on it.
//! Invariant: once set it stays until the process ends. After a failed fsync the kernel may have dropped the dirty
//! pages and report success the next time, so that only a restart, which reads what is there, knows what is durable.

use std::sync::{Arc, OnceLock};

use crate::error::{Error, ErrorKind, Result};

#[derive(Clone, Default)]
pub struct Poison {
    cause: Arc<OnceLock<Error>>,
}

impl Poison {
    /// To be asked before every write, and again before a write is acknowledged.
    pub fn check(&self) -> Result<()> {
        match self.cause.get() {
            None => Ok(()),
            Some(cause) => Err(Error::new(ErrorKind::DriveFailed, "drive failed earlier").with_source(cause.clone())),
        }
    }

    /// Marks the drive and gives the error back, to be returned. The first cause is kept and logged.
    pub fn set(&self, cause: Error) -> Error {
        if self.cause.set(cause.clone()).is_ok() {
            tracing::error!(error = %cause, "drive failed: no more writes until restart");
        }
        cause
    }

    pub fn cause(&self) -> Option<&Error> {
        self.cause.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_stays_and_every_clone_sees_it() {
        let poison = Poison::default();
        let other = poison.clone();
        assert!(other.check().is_ok());
        poison.set(Error::new(ErrorKind::DriveFailed, "sync log"));
        poison.set(Error::new(ErrorKind::DriveFailed, "sync extent"));
        let error = other.check().expect_err("poisoned");
        assert_eq!((error.kind, error.to_string()), (ErrorKind::DriveFailed, "drive failed earlier: sync log".into()));
    }
}
