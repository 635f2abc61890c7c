//! Decided: a change of membership, with a refusal told as an error.

use super::{Membership, reason};
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::Outcome;

impl Membership {
    /// A refusal is a `Conflict` that says what to do.
    pub(super) async fn commit(&self, change: SystemChange) -> Result<Outcome> {
        match self.inner.metadata.commit(Change::System(change)).await? {
            Outcome::Refused(refusal) => Err(Error::new(ErrorKind::Conflict, reason(&refusal))),
            outcome => Ok(outcome),
        }
    }
}
