//! Registration: keeps what the cluster has on record about this node true.
//! Owns: when it is tried. A start waits for one attempt only: a node must come up while the others are still down.

use std::time::Duration;

use anyhow::{Result, bail};
use onggi_cluster::membership::{Membership, NodeIdentity};
use onggi_cluster::metadata::command::NewNode;
use onggi_cluster::metadata::record::AuthorityRecord;
use onggi_cluster::{Error, ErrorKind};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::node::identity::Established;
use crate::node::renewal::Renewal;

/// How long a start waits for the first attempt.
const FIRST_ATTEMPT_MAX: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Somebody may have changed the record meanwhile.
const CHECK_INTERVAL: Duration = Duration::from_secs(60 * 60);

pub struct Registration {
    membership: Membership,
    identity: NodeIdentity,
    founding: Option<AuthorityRecord>,
    node: NewNode,
    renewal: Renewal,
}

impl Registration {
    pub fn new(membership: Membership, established: Established, node: NewNode, renewal: Renewal) -> Self {
        let Established { identity, founding, .. } = established;
        Self { membership, node, identity, founding, renewal }
    }

    /// An error only if the cluster will not have this node: then it must not start.
    pub async fn first_attempt(&self) -> Result<()> {
        match timeout(FIRST_ATTEMPT_MAX, self.register()).await {
            Ok(Err(error)) if error.kind() == ErrorKind::Conflict => bail!("the cluster refuses this node: {error}"),
            Ok(Err(error)) => tracing::warn!(%error, "the node is not on record yet"),
            Err(_) => tracing::warn!("the node is not on record yet: the system group does not answer"),
            Ok(Ok(())) => {}
        }
        Ok(())
    }

    pub async fn run(self, stop: CancellationToken) {
        let mut pause = RETRY_PAUSE;
        while stop.run_until_cancelled(sleep(pause)).await.is_some() {
            pause = match stop.run_until_cancelled(self.register()).await {
                None => return,
                Some(Ok(())) => {
                    self.renewal.renew_if_due().await;
                    CHECK_INTERVAL
                }
                Some(Err(error)) => {
                    log(&error);
                    RETRY_PAUSE
                }
            };
        }
    }

    async fn register(&self) -> Result<(), Error> {
        if let Some(authority) = &self.founding {
            self.membership.found(self.node.clone(), authority).await?;
        }
        let NewNode { drive, addresses, release, .. } = &self.node;
        self.membership.report(self.identity.node, *drive, addresses.clone(), release).await
    }
}

fn log(error: &Error) {
    match error.kind() {
        ErrorKind::Conflict => tracing::error!(%error, "the cluster refuses this node"),
        _ => tracing::warn!(%error, "the node is not on record yet"),
    }
}
