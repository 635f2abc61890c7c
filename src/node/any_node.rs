//! Any node: an API of this process, answered by whichever of its nodes works.

use std::sync::Arc;

use http::{Request, Response};

use crate::gateway::connection::ConnectionInfo;
use crate::gateway::front::Api;
use crate::gateway::request_id::RequestId;
use crate::gateway::unread_body::RequestBody;
use crate::node::local_node::LocalNode;
use crate::node::roster::Roster;

#[derive(Clone)]
pub struct AnyNode<A> {
    roster: Roster,
    first: Arc<LocalNode>,
    api: fn(&LocalNode) -> &A,
}

impl<A> AnyNode<A> {
    pub fn new(roster: Roster, first: Arc<LocalNode>, api: fn(&LocalNode) -> &A) -> Self {
        Self { roster, first, api }
    }

    fn serving(&self) -> Arc<LocalNode> {
        self.roster.serving().unwrap_or_else(|| self.first.clone())
    }
}

impl<A: Api> Api for AnyNode<A> {
    const NAME: &'static str = A::NAME;
    type Body = A::Body;

    async fn handle(
        &self,
        request: Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> Response<Self::Body> {
        (self.api)(&self.serving()).handle(request, id, connection).await
    }

    fn slow_down(
        &self,
        request: &Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> Response<Self::Body> {
        (self.api)(&self.serving()).slow_down(request, id, connection)
    }
}
