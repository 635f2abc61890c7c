//! Condition: whether a write may go ahead, given the object that is there now.

use crate::metadata::command::WriteCondition;
use crate::metadata::outcome::Refusal;
use crate::metadata::record::ETag;

/// `current` is the ETag of the latest version; none if there is no version or the latest is a delete marker.
pub fn check(condition: &WriteCondition, current: Option<&ETag>) -> Result<(), Refusal> {
    match (condition, current) {
        (WriteCondition::None, _) => Ok(()),
        (WriteCondition::MustNotExist, None) => Ok(()),
        (WriteCondition::MustNotExist, Some(_)) => Err(Refusal::PreconditionFailed),
        (WriteCondition::MustExist | WriteCondition::MustMatch(_), None) => Err(Refusal::NoSuchKey),
        (WriteCondition::MustExist, Some(_)) => Ok(()),
        (WriteCondition::MustMatch(accepted), Some(current)) if accepted.contains(current) => Ok(()),
        (WriteCondition::MustMatch(_), Some(_)) => Err(Refusal::PreconditionFailed),
    }
}
