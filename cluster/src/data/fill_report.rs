//! Fill report: how much a node has, and lacks, of each of its groups, for those who watch groups move.
//! Owns: the bytes of `Method::GROUP_STATUS`, and asking for it.
//! Does not own: whether a replica may vote, which is another question (`backfills`).

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::error as engine;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use super::counters::Counters;
use super::passes::Passes;
use crate::error::Result;
use crate::id::{GroupId, NodeId};
use crate::peer::{Caller, Handler, Method, Payload, Peers};

const CALL_LIMIT: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FillReport {
    /// What came from other nodes lately.
    pub bytes_per_second: u64,
    pub groups: Vec<GroupFill>,
}

/// As the last walk over the group's records has seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupFill {
    pub group: GroupId,
    /// Of all blobs that its records name.
    pub named_bytes: u64,
    /// Of those that are not here yet.
    pub missing_bytes: u64,
}

impl FillReport {
    pub(super) fn of(passes: &Passes, counters: &Counters) -> Self {
        Self { bytes_per_second: counters.repaired_bytes_per_second(), groups: passes.fills() }
    }

    pub fn of_group(&self, group: GroupId) -> Option<&GroupFill> {
        self.groups.iter().find(|fill| fill.group == group)
    }
}

/// What `node` reports of itself.
pub async fn ask(peers: &Peers, node: NodeId) -> Result<FillReport> {
    let answer = peers.call(node, Method::GROUP_STATUS, Payload::new(), CALL_LIMIT).await?;
    Ok(FillReport::from_bytes(&answer)?)
}

pub(super) fn handler(report: impl Fn() -> FillReport + Send + Sync + 'static) -> impl Handler {
    move |_from: Caller, _request: Bytes| -> BoxFuture<'static, Result<Payload>> {
        Box::pin(std::future::ready(Ok(vec![report().to_bytes()])))
    }
}

impl Record for FillReport {
    const NAME: &'static str = "fill report";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u64(self.bytes_per_second);
        encoder.list(&self.groups, |encoder, fill| {
            encoder.u32(fill.group.0).u64(fill.named_bytes).u64(fill.missing_bytes);
        });
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> engine::Result<Self> {
        let bytes_per_second = decoder.u64()?;
        let groups = decoder.list(|decoder| {
            Ok(GroupFill { group: GroupId(decoder.u32()?), named_bytes: decoder.u64()?, missing_bytes: decoder.u64()? })
        })?;
        Ok(Self { bytes_per_second, groups })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn bytes_of_version_1() {
        let groups = vec![GroupFill { group: GroupId(3), named_bytes: 9, missing_bytes: 5 }];
        let report = FillReport { bytes_per_second: 258, groups };
        let bytes = report.to_bytes();
        assert_eq!(FillReport::from_bytes(&bytes).expect("reads"), report);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        expect!["010000000000000102010000000300000000000000090000000000000005"].assert_eq(&hex);
    }
}
