//! Members: asks one after the other until one answers for the cluster.

use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use onggi_cluster::{Error, ErrorKind};
use tokio::time::sleep;

use crate::config::setting::HostPort;

pub struct Patience {
    pub rounds_max: u32,
    pub pause: Duration,
}

impl Default for Patience {
    /// An election takes a second or two, and a member may just be starting.
    fn default() -> Self {
        Self { rounds_max: 10, pause: Duration::from_secs(1) }
    }
}

/// What the cluster refuses is refused: another member would say the same.
pub async fn ask(
    members: &[HostPort],
    request: &Bytes,
    patience: &Patience,
    call: impl AsyncFn(&HostPort, Bytes) -> Result<Bytes, Error>,
) -> Result<Bytes> {
    let mut failures = Vec::new();
    for round in 0..patience.rounds_max {
        if round > 0 {
            sleep(patience.pause).await;
        }
        failures.clear();
        for member in members {
            match call(member, request.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) if is_final(error.kind()) => bail!("{} refuses: {error}", member.0),
                Err(error) => failures.push(format!("{}: {error}", member.0)),
            }
        }
        tracing::warn!(failures = failures.join("; "), "no member answers");
    }
    bail!("no member answers: {}", failures.join("; "))
}

/// Everything else may pass. An unknown outcome is asked for again: the same token with the same drive is the same node.
fn is_final(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::Corrupt)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Asks `a` and `b`; gives what came of it, and who was asked.
    async fn run(answer: impl Fn(&str, usize) -> Result<Bytes, ErrorKind>) -> (Result<Bytes, String>, String) {
        let members = ["a:1", "b:1"].map(|text| HostPort(text.to_string()));
        let asked = RefCell::new(String::new());
        let call = async |member: &HostPort, _: Bytes| {
            asked.borrow_mut().push_str(&member.0[..1]);
            let calls = asked.borrow().len();
            answer(&member.0, calls).map_err(|kind| Error::new(kind, format!("{kind:?}")))
        };
        let patience = Patience { pause: Duration::ZERO, ..Patience::default() };
        let result = ask(&members, &Bytes::new(), &patience, call).await.map_err(|error| error.to_string());
        (result, asked.into_inner())
    }

    #[tokio::test]
    async fn the_first_that_answers_counts() {
        let (result, asked) =
            run(|_, calls| if calls < 4 { Err(ErrorKind::Unavailable) } else { Ok(Bytes::new()) }).await;
        assert_eq!((result.is_ok(), asked.as_str()), (true, "abab"));
    }

    #[tokio::test]
    async fn a_refusal_is_not_asked_for_again() {
        let (result, asked) = run(|_, _| Err(ErrorKind::Conflict)).await;
        assert_eq!((result.unwrap_err().as_str(), asked.as_str()), ("a:1 refuses: Conflict", "a"));
    }

    #[tokio::test]
    async fn who_cannot_be_reached_is_named() {
        let (result, asked) = run(|_, _| Err(ErrorKind::Unavailable)).await;
        assert_eq!(result.unwrap_err(), "no member answers: a:1: Unavailable; b:1: Unavailable");
        assert_eq!(asked.len(), 20);
    }
}
