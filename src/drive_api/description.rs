//! Description: the API as an OpenAPI document, made from the very tables that its routers are made from (docs/drive-openapi.json).
//! Owns: what holds for every operation: how errors look, who may ask. Does not own: what one operation takes and answers: that
//! stands at its handler.

mod file_bytes;
mod page;
mod schema;

use std::sync::LazyLock;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

pub use file_bytes::FileBytes;

use crate::drive_api::answer_json::ErrorJson;
use crate::drive_api::auth::{COOKIE_NAME, CSRF_HEADER};
use crate::drive_api::html::Page;
use crate::drive_api::operations::share;
use crate::drive_api::{accounts, router};

const ERROR: &str = "Error";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Onggi drive API", description = include_str!("description/introduction.md")),
    components(schemas(ErrorJson)),
    security(("token" = []), ("app_password" = []), ("console" = [], "csrf" = [])),
    tags(
        (name = "sign-in", description = "Tokens for programs."),
        (name = "account", description = "Who is signed in, from where, and with which app passwords."),
        (name = "uploads", description = "Files on their way in: at once, in pieces that go on after a break, or in parts to S3."),
        (name = "entries", description = "Files and folders."),
        (name = "listing", description = "Folders, and what changes in them."),
        (name = "revisions", description = "Everything that a file has been."),
        (name = "trash", description = "What was deleted, until it is purged."),
        (name = "links", description = "Links that let people in who have no account, for who makes them."),
        (name = "shared", description = "What somebody may do who came by such a link."),
        (name = "console", description = "The session of the web page: programs have tokens."),
    ),
)]
struct Onggi;

/// Of a table of operations.
pub fn routed<S: Clone + Send + Sync + 'static>(operations: Vec<UtoipaMethodRouter<S>>) -> OpenApiRouter<S> {
    operations.into_iter().fold(OpenApiRouter::default(), OpenApiRouter::routes)
}

pub fn document() -> OpenApi {
    let mut document = <Onggi as utoipa::OpenApi>::openapi();
    document.merge(routed(router::operations()).into_openapi());
    document.merge(routed(accounts::operations()).into_openapi());
    let components = document.components.get_or_insert_default();
    components.security_schemes.extend(security_schemes().map(|(name, scheme)| (name.to_owned(), scheme.into())));
    let error = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorJson"))).build();
    let error = ResponseBuilder::new().description("It was not done.").content("application/json", error).build();
    components.responses.insert(ERROR.to_owned(), error.into());
    // Where an operation says nothing else of errors, they look alike.
    for item in document.paths.paths.values_mut() {
        let PathItem { get, put, post, patch, delete, .. } = item;
        for operation in [get, put, post, patch, delete].into_iter().flatten() {
            let answers = &mut operation.responses.responses;
            answers.entry("default".to_owned()).or_insert_with(|| Ref::from_response_name(ERROR).into());
        }
    }
    document
}

fn security_schemes() -> [(&'static str, SecurityScheme); 5] {
    let http = |scheme, description| HttpBuilder::new().scheme(scheme).description(Some(description)).build();
    let cookie = |name, description| ApiKey::Cookie(ApiKeyValue::with_description(name, description));
    let csrf = ApiKeyValue::with_description(
        CSRF_HEADER.as_str(),
        "With the cookie, unless the method is GET: `csrf` of `/console/session`.",
    );
    [
        ("token", SecurityScheme::Http(http(HttpAuthScheme::Bearer, "An access token of `/oauth2/token`."))),
        ("app_password", SecurityScheme::Http(http(HttpAuthScheme::Basic, "The user's name, and an app password."))),
        ("console", SecurityScheme::ApiKey(cookie(COOKIE_NAME, "The session of the web page."))),
        ("csrf", SecurityScheme::ApiKey(ApiKey::Header(csrf))),
        ("link", SecurityScheme::ApiKey(cookie(share::COOKIE_NAME, "That the password of a link was said."))),
    ]
}

/// `/docs`, for whoever asks: it says nothing of any user.
pub fn router() -> Router {
    Router::new().route("/docs", get(docs)).route("/docs/openapi.json", get(openapi_json))
}

async fn docs() -> Response {
    let page = |described: &Described| {
        Page { title: "Onggi drive API", style: page::STYLE, form_action: "'none'", body: &described.body }
            .response(StatusCode::OK)
    };
    served(page)
}

async fn openapi_json() -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    served(|described| (headers, described.json.as_str()).into_response())
}

/// Both forms, made once.
struct Described {
    json: String,
    body: String,
}

fn served(answer: impl FnOnce(&'static Described) -> Response) -> Response {
    static DESCRIBED: LazyLock<serde_json::Result<Described>> = LazyLock::new(|| {
        let document = document();
        Ok(Described { json: document.to_pretty_json()?, body: page::body(&serde_json::to_value(&document)?) })
    });
    match &*DESCRIBED {
        Ok(described) => answer(described),
        Err(error) => {
            tracing::error!(%error, "the description of the API is no JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod description_test;
