//! The S3 API behind its listener.

use http::{Request, Response};

use crate::gateway::connection::ConnectionInfo;
use crate::gateway::front::{Api, OperationName};
use crate::gateway::request_id::RequestId;
use crate::gateway::unread_body::RequestBody;
use crate::s3_api::reply::ReplyBody;
use crate::s3_api::router::Operation;
use crate::s3_api::{RequestInfo, S3Api};

impl Api for S3Api {
    const NAME: &'static str = "s3";
    type Body = ReplyBody;

    async fn handle(
        &self,
        request: Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> Response<ReplyBody> {
        let mut reply = S3Api::handle(self, request, info(id, connection)).await;
        if let Some(operation) = reply.extensions().get::<Operation>().copied() {
            reply.extensions_mut().insert(OperationName(operation.name()));
        }
        reply
    }

    fn slow_down(
        &self,
        request: &Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> Response<ReplyBody> {
        S3Api::slow_down(self, request, &info(id, connection))
    }
}

fn info(id: RequestId, connection: ConnectionInfo) -> RequestInfo {
    RequestInfo { id: id.to_string().into(), tls: connection.tls }
}
