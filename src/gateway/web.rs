//! The web listener's pages: health, metrics, the admin API below its prefix, accounts, the drive and its description.
//! Invariant: what needs no signature says nothing of users, buckets or secrets.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response as WebResponse};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::json;

use crate::admin_api::system::System;
use crate::admin_api::{AdminApi, PATH_PREFIX};
use crate::console;
use crate::drive_api::accounts::Accounts;
use crate::drive_api::auth::PeerAddress;
use crate::drive_api::{DriveApi, description};
use crate::gateway::connection::ConnectionInfo;
use crate::gateway::front::{Api, OperationName};
use crate::gateway::request_id::RequestId;
use crate::gateway::unread_body::RequestBody;
use crate::observability::metrics::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The type that Prometheus asks for (OpenMetrics 1.0).
const METRICS_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Cheap to clone.
#[derive(Clone)]
pub struct Web {
    routes: TowerToHyperService<Router>,
}

#[derive(Clone)]
struct Pages {
    system: Arc<dyn System>,
    metrics: Arc<Metrics>,
}

impl Web {
    pub fn new(
        admin: AdminApi,
        accounts: Accounts,
        drive: DriveApi,
        system: Arc<dyn System>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let pages = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics_page))
            .with_state(Pages { system, metrics });
        let apis = admin.router().merge(accounts.router()).merge(drive.router());
        let apis = apis.merge(description::router()).merge(console::router());
        Self { routes: TowerToHyperService::new(pages.merge(apis)) }
    }
}

/// The process answers.
async fn healthz() -> WebResponse {
    Json(json!({ "status": "ok" })).into_response()
}

/// The node takes requests, or why it does not.
async fn readyz(State(pages): State<Pages>) -> WebResponse {
    let problems = pages.system.problems();
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let failures = pages.system.failures();
    (status, Json(json!({ "ready": problems.is_empty(), "problems": problems, "failures": failures }))).into_response()
}

async fn metrics_page(State(pages): State<Pages>) -> WebResponse {
    ([(CONTENT_TYPE, METRICS_TYPE)], pages.metrics.text()).into_response()
}

impl Api for Web {
    const NAME: &'static str = "web";
    type Body = Body;

    async fn handle(
        &self,
        mut request: Request<RequestBody>,
        id: RequestId,
        connection: ConnectionInfo,
    ) -> Response<Body> {
        request.extensions_mut().insert(PeerAddress(connection.peer));
        let name = operation_name(request.uri().path());
        let mut response = match self.routes.call(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        response.extensions_mut().insert(name);
        stamped(response, id)
    }

    fn slow_down(&self, _: &Request<RequestBody>, id: RequestId, _: ConnectionInfo) -> Response<Body> {
        let body =
            Json(json!({ "error": { "code": "Overloaded", "message": "too many requests: try again in a second" } }));
        stamped((StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], body).into_response(), id)
    }
}

fn stamped(mut response: Response<Body>, id: RequestId) -> Response<Body> {
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A closed set: paths of clients never become labels.
fn operation_name(path: &str) -> OperationName {
    OperationName(match path {
        "/healthz" => "healthz",
        "/readyz" => "readyz",
        "/metrics" => "metrics",
        _ if path.starts_with(PATH_PREFIX) => "admin",
        _ if path.starts_with("/oauth2/") => "oauth2",
        _ if path.starts_with("/account") || path == "/console/session" => "account",
        _ if path.starts_with("/files/") => "files",
        _ if path.starts_with("/links/") => "links",
        _ if path.starts_with("/s/") || path.starts_with("/t/") => "share",
        _ if path == "/docs" || path.starts_with("/docs/") => "docs",
        _ if path.starts_with("/2/") => "dropbox",
        _ if path.starts_with("/drive/v3/") || path.starts_with("/upload/drive/v3/") => "google",
        _ if console::owns(path) => "console",
        _ => "unknown",
    })
}
