//! Quota, checked early: so that a body that cannot fit is refused before its bytes are sent.
//! Does not own: the decision, which `apply` makes by the same rule at the moment of the commit.

use onggi_cluster::id::OwnerKey;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::view::MetadataView;

/// A body that is about to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming {
    /// Unknown for a body in chunks without a declared length: only `apply` can tell then.
    pub bytes: Option<u64>,
    /// Of the owner.
    pub quota_bytes: Option<u64>,
}

impl Incoming {
    /// A change that brings no bytes.
    pub const NOTHING: Self = Self { bytes: None, quota_bytes: None };

    /// `replaced_bytes` are not counted any more once this body is: of the version or part that it replaces.
    pub fn check_early(
        self,
        view: &dyn MetadataView,
        owner: OwnerKey,
        replaced_bytes: impl FnOnce() -> onggi_cluster::Result<u64>,
    ) -> onggi_cluster::Result<Result<(), Refusal>> {
        let (Some(bytes), Some(quota_bytes)) = (self.bytes, self.quota_bytes) else {
            return Ok(Ok(()));
        };
        let counted = query::owner_totals(view, owner)?.bytes;
        if counted.saturating_add(bytes) <= quota_bytes {
            return Ok(Ok(()));
        }
        let replaced = replaced_bytes()?;
        let grows = bytes > replaced;
        let is_over = counted.saturating_sub(replaced).saturating_add(bytes) > quota_bytes;
        Ok(if grows && is_over { Err(Refusal::QuotaExceeded) } else { Ok(()) })
    }
}
