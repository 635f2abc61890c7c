//! Authentication: who sent a request, and what its body must prove.
//! Owns: the four proofs of identity (Signature Version 4 in header and query, Version 2 in the query, POST policies) and
//! the integrity of request bodies. Does not own: what that user may do (services), where secrets are kept.
//! Invariant: no request passes without a signature that matches, compared in constant time.

pub mod body;
pub mod canonical;
pub mod chunked_body;
pub mod credential;
pub mod post_form;
pub mod post_policy;
pub mod presigned;
pub mod proof_v4;
pub mod signature;
pub mod sigv2;
pub mod sigv4;

use std::future::Future;
use std::time::{Duration, SystemTime};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Uri};

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::router::{Query, Target};
pub use crate::services::Secret as SecretKey;
use body::BodyIntegrity;
use proof_v4::ProofV4;
use signature::SigningKeys;
use sigv2::QueryProofV2;

#[derive(Clone, Debug)]
pub struct AuthOptions {
    /// The service in the scope of Version 4: a signature for one API is no good for another.
    pub service: &'static str,
    /// The only region whose signatures are taken; `None` takes any.
    pub region: Option<String>,
    /// Whether SigV2 is taken in presigned URLs and POST forms: boto3 still makes them by default.
    pub sigv2_presigned: bool,
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self { service: "s3", region: None, sigv2_presigned: true }
    }
}

/// How far a client's clock may be off (Amazon S3 API Reference, "RequestTimeTooSkewed").
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(15 * 60);

/// What is signed: the request as it stood on the wire.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub query: &'a Query,
    pub target: &'a Target,
    pub now: SystemTime,
}

#[derive(Clone, Debug)]
pub struct Authenticated {
    pub access_key: String,
    pub body: BodyIntegrity,
    /// The proof stood in the query; `headers::hoisted::add_to` may take headers from there, they are signed.
    pub presigned: bool,
}

#[derive(Debug)]
pub struct Authenticator {
    options: AuthOptions,
    signing_keys: SigningKeys,
}

impl Authenticator {
    pub fn new(options: AuthOptions) -> Self {
        Self { options, signing_keys: SigningKeys::default() }
    }

    /// `lookup` gives the secret of an access key that exists and is enabled.
    pub async fn authenticate<L, F>(&self, request: SignedRequest<'_>, lookup: L) -> Result<Authenticated>
    where
        L: FnOnce(String) -> F,
        F: Future<Output = Result<Option<SecretKey>>>,
    {
        refuse_repeated_headers(request.headers)?;
        let proof = Proof::find(&request, &self.options)?;
        let access_key = proof.access_key().to_owned();
        let secret = lookup(access_key.clone()).await?.ok_or_else(|| unknown_access_key(&access_key))?;
        let (body, presigned) = match &proof {
            Proof::Header(proof) => (proof.verify(&request, &secret, &self.signing_keys)?, false),
            Proof::Query(proof) => (proof.verify(&request, &secret, &self.signing_keys)?, true),
            Proof::QueryV2(proof) => {
                proof.verify(&request, &secret)?;
                (BodyIntegrity::Unsigned, true)
            }
        };
        // Temporary credentials do not exist here, so whoever sends a token means another server.
        if request.headers.contains_key("x-amz-security-token") || request.query.has("X-Amz-Security-Token") {
            return Err(ErrorCode::InvalidToken.into());
        }
        Ok(Authenticated { access_key, body, presigned })
    }
}

/// Headers that are lists: several of them mean the same as one with commas (RFC 9110 §5.3).
const LISTS: &[&str] = &["x-amz-trailer", "x-amz-object-attributes", "x-amz-optional-object-attributes"];

/// Signatures cover repeated headers joined with commas, operations read the first: a value with a comma in it could be
/// cut in two on its way and mean something else.
fn refuse_repeated_headers(headers: &HeaderMap) -> Result<()> {
    let is_single = |name: &str| match name {
        "authorization" | "content-md5" | "content-type" => true,
        _ => name.starts_with("x-amz-") && !name.starts_with("x-amz-meta-") && !LISTS.contains(&name),
    };
    let repeated = |name: &&str| is_single(name) && headers.get_all(*name).iter().nth(1).is_some();
    let repeated = headers.keys().map(|name| name.as_str()).find(repeated);
    match repeated {
        Some(name) => Err(S3Error::invalid_argument("The header stands in the request twice.", name, "")),
        None => Ok(()),
    }
}

pub(crate) fn unknown_access_key(access_key: &str) -> S3Error {
    S3Error::new(ErrorCode::InvalidAccessKeyId).field("AWSAccessKeyId", access_key)
}

enum Proof {
    Header(ProofV4),
    Query(ProofV4),
    QueryV2(QueryProofV2),
}

impl Proof {
    fn find(request: &SignedRequest<'_>, options: &AuthOptions) -> Result<Self> {
        let in_header = request.headers.contains_key(AUTHORIZATION);
        let in_query = request.query.has("X-Amz-Algorithm") || request.query.has("X-Amz-Signature");
        let in_query_v2 = request.query.has("AWSAccessKeyId") || request.query.has("Signature");
        match (in_header, in_query, in_query_v2) {
            (true, false, false) => Ok(Self::Header(ProofV4::in_header(request, options)?)),
            (false, true, false) => Ok(Self::Query(ProofV4::in_query(request, options)?)),
            (false, false, true) => Ok(Self::QueryV2(QueryProofV2::parse(request, options)?)),
            (false, false, false) => Err(ErrorCode::AccessDenied.into()),
            _ => {
                let message = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified";
                Err(S3Error::invalid_argument(message, "Authorization", ""))
            }
        }
    }

    fn access_key(&self) -> &str {
        match self {
            Proof::Header(proof) | Proof::Query(proof) => proof.access_key(),
            Proof::QueryV2(proof) => proof.access_key(),
        }
    }
}

#[cfg(test)]
mod auth_test;
