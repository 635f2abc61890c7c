//! Router: from a request line and headers to the S3 operation they mean.
//! Owns: which query names decide, which are ignored, which are refused. Does not own: who asks (auth).
//! Invariant: a sub-resource that is not in the table is answered 501, never with another operation.

pub mod operation;
pub mod query;
pub mod target;

use http::header::{CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderMap, Method, Uri};

pub use operation::{Operation, Support};
pub use query::Query;
pub use target::Target;

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use operation::{Marker, Row, Scope, Verb};

const COPY_SOURCE: &str = "x-amz-copy-source";

#[derive(Clone, Debug)]
pub struct Route {
    pub operation: Operation,
    pub target: Target,
    pub query: Query,
}

/// `base_domains`: the names under which `bucket.<domain>` addresses a bucket. Operations that are not implemented are
/// routed too: the caller answers them after it knows who asks.
pub fn route(method: &Method, uri: &Uri, headers: &HeaderMap, base_domains: &[String]) -> Result<Route> {
    let verb = verb_of(method)?;
    require_one_host(uri, headers)?;
    let query = Query::parse(uri.query().unwrap_or(""))?;
    if verb == Verb::Post && uri.path() == "/WriteGetObjectResponse" {
        return Ok(Route { operation: Operation::WriteGetObjectResponse, target: Target::Service, query });
    }
    let target = Target::parse(uri.path(), host_of(uri, headers), base_domains)?;
    if verb == Verb::Options {
        return Ok(Route { operation: Operation::Preflight, target, query });
    }
    let scope = match &target {
        Target::Service => Scope::Service,
        Target::Bucket { .. } => Scope::Bucket,
        Target::Object { .. } => Scope::Object,
    };
    let operation = operation_of(verb, scope, &query, headers)?;
    Ok(Route { operation, target, query })
}

/// The name that the client calls us by: `:authority` in HTTP/2, `Host` in HTTP/1.1 (RFC 9113 §8.3.1).
pub fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    match headers.get(HOST) {
        Some(host) => host.to_str().unwrap_or(""),
        None => uri.authority().map_or("", |authority| authority.as_str()),
    }
}

/// What the signature covers must be what everybody on the way goes by (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn require_one_host(uri: &Uri, headers: &HeaderMap) -> Result<()> {
    let mut headers = headers.get_all(HOST).iter();
    let (header, another) = (headers.next(), headers.next());
    let contradicts = |authority: &Authority| header.is_some_and(|host| host != authority.as_str());
    if another.is_some() || uri.authority().is_some_and(contradicts) {
        return Err(S3Error::invalid_request("The request names more than one host."));
    }
    Ok(())
}

fn verb_of(method: &Method) -> Result<Verb> {
    Ok(match method.as_str() {
        "GET" => Verb::Get,
        "HEAD" => Verb::Head,
        "PUT" => Verb::Put,
        "POST" => Verb::Post,
        "DELETE" => Verb::Delete,
        "OPTIONS" => Verb::Options,
        _ => return Err(method_not_allowed(method.as_str())),
    })
}

fn operation_of(verb: Verb, scope: Scope, query: &Query, headers: &HeaderMap) -> Result<Operation> {
    refuse_contradictions(query)?;
    let mut sub_resources = query.iter().map(|(name, _)| name).filter(|name| is_sub_resource(name));
    let sub_resource = sub_resources.next();
    if let (Some(first), Some(second)) = (sub_resource, sub_resources.find(|name| Some(*name) != sub_resource)) {
        let message = format!("Conflicting query string parameters: {first}, {second}");
        return Err(S3Error::invalid_argument(message, "ResourceType", first));
    }
    refuse_unknown_parameters(verb, query)?;

    let candidates = || Operation::TABLE.iter().filter(|row| row.verb == verb && row.scope == scope);
    let row = match sub_resource {
        Some(name) => {
            candidates().filter(|row| row.marker.sub_resource() == Some(name)).max_by_key(|row| match row.marker {
                Marker::QueryWith(_, second) if query.has(second) => 3,
                Marker::QueryWith(..) => 0,
                Marker::CopySource(_) if is_copy(query, headers) => 3,
                Marker::CopySource(_) => 0,
                _ => 1,
            })
        }
        None => plain_operation(verb, scope, query, headers)?,
    };
    row.map(|row| row.operation).ok_or_else(|| method_not_allowed(verb_name(verb)))
}

fn plain_operation(verb: Verb, scope: Scope, query: &Query, headers: &HeaderMap) -> Result<Option<&'static Row>> {
    if verb == Verb::Put && query.has("partNumber") {
        let message = "This operation does not accept a part number without an upload ID.";
        return Err(S3Error::invalid_argument(message, "uploadId", ""));
    }
    let list_type = query.get("list-type").filter(|_| verb == Verb::Get && scope == Scope::Bucket);
    let marker = match (verb, scope) {
        (Verb::Get, Scope::Bucket) => match list_type {
            Some("2") => Marker::ListType2,
            Some(other) if other != "1" => {
                return Err(S3Error::invalid_argument("Invalid List Type specified", "list-type", other));
            }
            _ => Marker::Plain,
        },
        (Verb::Put, Scope::Object) if is_copy(query, headers) => Marker::CopySource(None),
        (Verb::Post, Scope::Bucket) if is_form(headers) => Marker::Form,
        (Verb::Post, Scope::Bucket) => {
            let message = "Bucket POST must be of the enclosure-type multipart/form-data";
            return Err(S3Error::with_message(ErrorCode::MalformedPOSTRequest, message));
        }
        _ => Marker::Plain,
    };
    Ok(Operation::TABLE.iter().find(|row| row.verb == verb && row.scope == scope && row.marker == marker))
}

fn is_sub_resource(name: &str) -> bool {
    Operation::TABLE.iter().any(|row| row.marker.sub_resource() == Some(name))
}

/// Parameters of implemented operations, of authentication, and those that other stores' clients send by habit.
const KNOWN_PARAMETERS: &[&str] = &[
    // Listing.
    "list-type",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "start-after",
    "continuation-token",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "version-id-marker",
    "upload-id-marker",
    "max-uploads",
    "max-parts",
    "part-number-marker",
    "max-buckets",
    "bucket-region",
    "allow-unordered",
    // Objects.
    "versionId",
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "select-type",
    "id",
    // Signature Version 2 in the query.
    "AWSAccessKeyId",
    "Signature",
    "Expires",
    "content-md5",
    "content-type",
];

/// A name without a value is a sub-resource that we do not know: 501. With a value it is a parameter: reads ignore it, as
/// AWS does; writes refuse it, for it might change what is written. Names in `x-` are for the client's own use (Amazon
/// S3 User Guide, "Including additional information in access logs"): `x-id` and hoisted `X-Amz-*` headers among them.
fn refuse_unknown_parameters(verb: Verb, query: &Query) -> Result<()> {
    for (name, value) in query.iter() {
        let for_the_client = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"));
        if for_the_client || KNOWN_PARAMETERS.contains(&name) || is_sub_resource(name) {
            continue;
        }
        let only_reads = matches!(verb, Verb::Get | Verb::Head);
        if value.is_empty() || !only_reads {
            return Err(S3Error::not_implemented(&format!("The sub-resource or parameter {name:?}")));
        }
    }
    Ok(())
}

/// Presigned requests may carry their `x-amz-*` headers in the query. Without this, a presigned copy is a PUT of nothing.
fn is_copy(query: &Query, headers: &HeaderMap) -> bool {
    headers.contains_key(COPY_SOURCE) || query.get_ignore_case(COPY_SOURCE).is_some()
}

/// The same parameter with two values: signatures sort the values, so whoever reorders them would choose between them.
fn refuse_contradictions(query: &Query) -> Result<()> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (name, value) in query.iter().filter(|(name, _)| KNOWN_PARAMETERS.contains(name) || is_sub_resource(name)) {
        match seen.iter().find(|(have, _)| *have == name) {
            Some((_, first)) if *first != value => {
                return Err(S3Error::invalid_argument("The parameter has two values.", name, value));
            }
            Some(_) => {}
            None => seen.push((name, value)),
        }
    }
    Ok(())
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim();
    media_type.eq_ignore_ascii_case("multipart/form-data")
}

fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "GET",
        Verb::Head => "HEAD",
        Verb::Put => "PUT",
        Verb::Post => "POST",
        Verb::Delete => "DELETE",
        Verb::Options => "OPTIONS",
    }
}

fn method_not_allowed(method: &str) -> S3Error {
    S3Error::new(ErrorCode::MethodNotAllowed).field("Method", method)
}

#[cfg(test)]
#[path = "router/router_test.rs"]
mod tests;
