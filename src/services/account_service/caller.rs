//! Caller: who asks, once proven, and with what.

use onggi_cluster::id::GrantId;

use crate::services::Principal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub principal: Principal,
    /// As history shows it beside the user: the name of the app password, or of the device that signed in.
    pub device: String,
    pub grant: GrantId,
    pub proof: ProofKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofKind {
    AccessToken,
    AppPassword,
    Console,
}

impl Caller {
    /// What an app password may not do: whoever finds one in a program's settings must not be able to stay for ever.
    pub fn may_manage_account(&self) -> bool {
        self.proof != ProofKind::AppPassword
    }
}
