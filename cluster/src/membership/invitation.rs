//! Invitation: a token for one more node.

use std::time::Duration;

use super::{JoinToken, Membership};
use crate::error::Result;
use crate::id::TokenId;
use crate::metadata::command::SystemChange;

#[derive(Debug)]
pub struct Invitation {
    pub token: JoinToken,
    pub expires_ms: u64,
}

impl Membership {
    /// `zone`: where the node that joins with it will be, whatever the node says.
    pub async fn invite(&self, lifetime: Duration, zone: Option<String>) -> Result<Invitation> {
        let authority = self.authority().await?;
        let now_ms = self.now_ms();
        let expires_ms = now_ms.saturating_add(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX));
        let mut token = [0; 16];
        self.inner.environment.random.fill(&mut token);
        let token = TokenId(token);
        let credentials = authority.issue_join(token, now_ms, expires_ms)?;
        self.commit(SystemChange::CreateJoinToken { token, expires_ms, zone }).await?;
        Ok(Invitation { token: JoinToken { cluster: self.inner.cluster, token, credentials }, expires_ms })
    }
}
