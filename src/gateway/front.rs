//! Front: what every request passes on its way to an API, and its answer on the way back.
//! Owns: the order: id, admission, span, API, record of the end.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use tracing::Instrument;

use crate::gateway::access_log::RequestEnd;
use crate::gateway::activity::RequestGuard;
use crate::gateway::connection::{BoxError, ConnectionInfo, Service};
use crate::gateway::overload::Overload;
use crate::gateway::request_id::RequestId;
use crate::gateway::tracked_body::TrackedBody;
use crate::gateway::unread_body::{RequestBody, UnreadBody};
use crate::observability::metrics::Metrics;

/// An API behind a listener. Its answers carry their request id and, for the record, an `OperationName`.
pub trait Api: Clone + Send + Sync + 'static {
    const NAME: &'static str;
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;

    fn handle(
        &self,
        request: Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> impl Future<Output = Response<Self::Body>> + Send;

    /// 503: nothing was done, try again after a pause.
    fn slow_down(
        &self,
        request: &Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> Response<Self::Body>;
}

/// In a response's extensions: what the request turned out to be.
#[derive(Clone, Copy, Debug)]
pub struct OperationName(pub &'static str);

#[derive(Clone)]
pub struct Front<A> {
    api: A,
    overload: Overload,
    metrics: Arc<Metrics>,
}

impl<A: Api> Front<A> {
    pub fn new(api: A, requests_max: NonZeroUsize, metrics: Arc<Metrics>) -> Self {
        Self { api, overload: Overload::new(requests_max), metrics }
    }
}

impl<A: Api> Service for Front<A> {
    type Body = TrackedBody<A::Body, RequestEnd>;

    async fn call(
        &self,
        request: Request<Incoming>,
        connection: ConnectionInfo,
        guard: RequestGuard,
    ) -> Response<Self::Body> {
        let id = RequestId::random();
        let mut end = RequestEnd::begin(A::NAME, id, connection.peer, &request, self.metrics.clone(), guard);
        let (request, unread_body) = UnreadBody::of(request);
        let mut response = match self.overload.admit() {
            Some(_permit) => {
                let span = tracing::info_span!("request", request_id = %id, api = A::NAME);
                self.api.handle(request, id, connection).instrument(span).await
            }
            None => {
                let response = self.api.slow_down(&request, id, connection);
                drop(request);
                response
            }
        };
        unread_body.settle(&mut response).await;
        end.answered(response.status(), response.extensions().get::<OperationName>().copied());
        let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        response.map(|body| TrackedBody::new(body, length, end))
    }
}
