//! Join service: answers an invited node, on any member.
//! Invariant: the master key goes to a caller only after the system group has admitted it under the token that its
//! certificate names.

use bytes::Bytes;
use futures::future::BoxFuture;
use onggi_storage_engine::format::Record;

use super::text::{check_addresses, check_release};
use super::{JoinRequest, JoinResponse, Membership, check_zone};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{NodeId, TokenId};
use crate::metadata::client::Route;
use crate::metadata::command::{NewNode, SystemChange};
use crate::metadata::outcome::Outcome;
use crate::metadata::query;
use crate::peer::authority::{Authority, PUBLIC_KEY_BYTES};
use crate::peer::{Caller, Handler, Payload};

/// A hundred times the normal share.
const WEIGHT_MAX: u32 = 10_000;

/// Handler of `Method::JOIN`.
#[derive(Clone)]
pub struct JoinService {
    membership: Membership,
}

impl JoinService {
    pub fn new(membership: Membership) -> Self {
        Self { membership }
    }
}

impl Handler for JoinService {
    fn handle(&self, from: Caller, payload: Bytes) -> BoxFuture<'static, Result<Payload>> {
        let membership = self.membership.clone();
        Box::pin(async move {
            let Caller::Join(token) = from else {
                return Err(Error::new(ErrorKind::Conflict, "a member does not join again"));
            };
            let answered = membership.admit(token, JoinRequest::from_bytes(&payload)?).await;
            match &answered {
                Ok(response) => tracing::info!(node = response.node.0, %token, "a node joined"),
                Err(error) => tracing::warn!(%error, %token, "a node was not admitted"),
            }
            answered.map(|response| vec![response.to_bytes()])
        })
    }
}

impl Membership {
    /// The same token with the same drive again is the same node, with a new certificate.
    pub async fn admit(&self, token: TokenId, request: JoinRequest) -> Result<JoinResponse> {
        check(&request.node).map_err(|problem| Error::new(ErrorKind::Conflict, problem))?;
        let authority = self.authority().await?;
        let JoinRequest { public_key, node } = request;
        self.welcome(SystemChange::AdmitNode { token, node }, &public_key, &authority).await
    }

    /// One more drive of this process, beside a node that is a member. The same drive again is the same node.
    pub async fn admit_drive(&self, beside: NodeId, request: JoinRequest) -> Result<JoinResponse> {
        check(&request.node).map_err(|problem| Error::new(ErrorKind::Conflict, problem))?;
        let authority = self.authority().await?;
        let JoinRequest { public_key, node } = request;
        self.welcome(SystemChange::AdmitDrive { beside, node }, &public_key, &authority).await
    }

    async fn welcome(
        &self,
        admission: SystemChange,
        public_key: &[u8; PUBLIC_KEY_BYTES],
        authority: &Authority,
    ) -> Result<JoinResponse> {
        let node = match self.commit(admission).await? {
            Outcome::NodeAdmitted { node } => node,
            other => return Err(Error::new(ErrorKind::Internal, format!("admit a node: {other:?}"))),
        };
        let certificate = authority.issue_node(node, public_key, self.now_ms())?;
        let read = self.inner.metadata.read(Route::System, |view| Ok((query::cluster(view)?, query::nodes(view)?)));
        let (cluster, nodes) = read.await?;
        let cluster_name = cluster.map(|cluster| cluster.name).unwrap_or_default();
        Ok(JoinResponse { node, cluster_name, certificate, master_key: self.inner.master_key.clone(), nodes })
    }
}

fn check(node: &NewNode) -> std::result::Result<(), String> {
    check_addresses(&node.addresses)?;
    check_zone(&node.zone)?;
    check_release(&node.release)?;
    if node.weight > WEIGHT_MAX {
        return Err(format!("a weight is at most {WEIGHT_MAX}"));
    }
    Ok(())
}
