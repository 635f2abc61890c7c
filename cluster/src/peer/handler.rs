//! Handler: what serves a method on this node.
//! Owns: finding the handler of a call, and the right of the caller to call it at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;

use super::{Caller, Method, Payload};
use crate::error::{Error, ErrorKind, Result};

/// Serves one method. `handle` is called in the order in which the requests of one connection came, each before the next one is
/// looked at: what must stay in order (appends to a log) is queued before the returned future is first polled. It must not block.
pub trait Handler: Send + Sync + 'static {
    fn handle(&self, from: Caller, payload: Bytes) -> BoxFuture<'static, Result<Payload>>;
}

/// A closure is a handler.
impl<F> Handler for F
where
    F: Fn(Caller, Bytes) -> BoxFuture<'static, Result<Payload>> + Send + Sync + 'static,
{
    fn handle(&self, from: Caller, payload: Bytes) -> BoxFuture<'static, Result<Payload>> {
        self(from, payload)
    }
}

/// Method → handler; built once.
#[derive(Clone, Default)]
pub struct Handlers {
    by_method: BTreeMap<Method, Arc<dyn Handler>>,
}

impl Handlers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Panics if the method has a handler: two parts of the program would claim it.
    pub fn with(mut self, method: Method, handler: impl Handler) -> Self {
        let taken = self.by_method.insert(method, Arc::new(handler));
        assert!(taken.is_none(), "{method:?} has two handlers");
        self
    }

    /// The handler's future, or why there is none.
    pub fn handle(&self, from: Caller, method: Method, payload: Bytes) -> BoxFuture<'static, Result<Payload>> {
        match self.admit(from, method) {
            Ok(handler) => handler.handle(from, payload),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn admit(&self, from: Caller, method: Method) -> Result<&Arc<dyn Handler>> {
        if matches!(from, Caller::Join(_)) && method != Method::JOIN {
            return Err(Error::new(ErrorKind::Conflict, format!("{method:?}: an invited node may only join")));
        }
        self.by_method
            .get(&method)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{method:?} is not served by this node")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{NodeId, TokenId};

    fn answer(text: &'static str) -> impl Handler {
        move |_from: Caller, _payload: Bytes| -> BoxFuture<'static, Result<Payload>> {
            Box::pin(async move { Ok(vec![Bytes::from_static(text.as_bytes())]) })
        }
    }

    #[tokio::test]
    async fn an_invited_node_may_call_join_and_nothing_else() {
        let handlers = Handlers::new().with(Method::JOIN, answer("welcome")).with(Method::PING, answer("pong"));
        let (member, invited) = (Caller::Node(NodeId(2)), Caller::Join(TokenId([7; 16])));
        for (from, method, expected) in [
            (member, Method::PING, Ok("pong")),
            (member, Method::JOIN, Ok("welcome")),
            (invited, Method::JOIN, Ok("welcome")),
            (invited, Method::PING, Err(ErrorKind::Conflict)),
            (invited, Method::RAFT_APPEND, Err(ErrorKind::Conflict)),
            (member, Method::RAFT_APPEND, Err(ErrorKind::NotFound)),
            (member, Method(9999), Err(ErrorKind::NotFound)),
        ] {
            let answer = handlers.handle(from, method, Bytes::new()).await;
            let answer = answer.map(|payload| payload.concat()).map_err(|error| error.kind());
            assert_eq!(answer, expected.map(|text| text.as_bytes().to_vec()), "{from:?} {method:?}");
        }
    }
}
