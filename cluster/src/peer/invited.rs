//! Invited: the one call of a node that is no member yet.

use std::time::Duration;

use bytes::Bytes;

use super::authority::PeerCredentials;
use super::dial::{Dial, Dialed};
use super::frame::{FRAME_BYTES_MAX, Frame, Outgoing};
use super::hello::Hello;
use super::limits::PeerLimits;
use super::{Class, Method, Payload, tls};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, DriveId};

/// What an invited node knows: its token, and where some member is.
pub struct InvitedCall<'a> {
    pub address: &'a str,
    pub cluster: ClusterId,
    pub credentials: &'a PeerCredentials,
    pub drive: DriveId,
    pub release: &'a str,
}

impl InvitedCall<'_> {
    /// Any member of the cluster answers, and nobody else is told anything. The kinds of the error are those of `Transport::call`.
    pub async fn join(self, payload: Payload, limit: Duration) -> Result<Bytes> {
        let limits = PeerLimits::default();
        let dial = Dial {
            address: self.address,
            config: tls::client_of_invited(self.credentials, self.cluster)?,
            // Not looked at: an invited node takes any member.
            server_name: tls::server_name(tls::ANY_NODE, self.cluster)?,
            hello: Hello::new(self.cluster, tls::ANY_NODE, self.drive, Class::Control, self.release),
            connect: limits.connect,
            handshake: limits.handshake,
            stall: limits.stall,
        };
        let dialed = dial.dial().await?;
        let answered = tokio::time::timeout(limit, ask(dialed, payload)).await;
        answered.unwrap_or_else(|_| Err(unknown(&format!("no answer within {limit:?}"))))
    }
}

async fn ask(dialed: Dialed, payload: Payload) -> Result<Bytes> {
    let Dialed { mut reader, mut writer, .. } = dialed;
    let sent = writer.send(&Outgoing::request(1, Method::JOIN, payload)).await;
    sent.map_err(|error| unknown(&error.to_string()))?;
    match reader.next(FRAME_BYTES_MAX).await {
        Ok(Some(Frame::Response { payload, .. })) => Ok(payload),
        Ok(Some(Frame::Failure { kind, text, .. })) => Err(Error::new(kind, text)),
        Ok(_) => Err(unknown("the connection ended")),
        Err(error) => Err(unknown(&error.to_string())),
    }
}

fn unknown(why: &str) -> Error {
    Error::new(ErrorKind::OutcomeUnknown, format!("join: {why}"))
}
