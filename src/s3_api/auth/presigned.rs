//! Presigned URLs: Signature Version 4 in the query. Good for every operation.
//! Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".

use crate::s3_api::auth::body::UNSIGNED_PAYLOAD;
use crate::s3_api::auth::canonical::signed_header_names;
use crate::s3_api::auth::credential::{Credential, malformed};
use crate::s3_api::auth::proof_v4::{ProofV4, check_algorithm, require_signed};
use crate::s3_api::auth::{AuthOptions, CLOCK_SKEW_MAX, SignedRequest};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::timestamp::{iso_8601, parse_iso_8601_basic, unix_seconds};

/// The one parameter that the signature does not cover.
const SIGNATURE: &str = "X-Amz-Signature";
/// Seven days.
const EXPIRES_SECONDS_MAX: u64 = 604_800;

impl ProofV4 {
    pub fn in_query(request: &SignedRequest<'_>, options: &AuthOptions) -> Result<Self> {
        let code = ErrorCode::AuthorizationQueryParametersError;
        let parameter = |name: &str| {
            request.query.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
                S3Error::with_message(code, "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
            })
        };
        check_algorithm(parameter("X-Amz-Algorithm")?)?;
        let credential = Credential::parse(parameter("X-Amz-Credential")?).ok_or_else(|| {
            malformed(
                code,
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            )
        })?;
        let signature = parameter(SIGNATURE)?.to_owned();
        if request.query.iter().filter(|(name, _)| *name == SIGNATURE).count() > 1 {
            return Err(S3Error::invalid_argument("The request has two signatures.", SIGNATURE, ""));
        }
        let date_time = parameter("X-Amz-Date")?.to_owned();
        let signed_headers = signed_header_names(parameter("X-Amz-SignedHeaders")?);
        let expires = parse_expires(parameter("X-Amz-Expires")?)?;

        let Some(signed_at) = parse_iso_8601_basic(&date_time) else {
            let message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"";
            return Err(S3Error::with_message(code, message));
        };
        credential.check(&date_time, options, code)?;
        check_validity(unix_seconds(request.now), signed_at, expires)?;
        require_signed(request, &signed_headers)?;

        // A header of that name is signed like every x-amz header, or `require_signed` has refused it.
        let header = request.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
        let payload_hash = request.query.get("X-Amz-Content-Sha256").or(header).unwrap_or(UNSIGNED_PAYLOAD).to_owned();
        let left_out = Some(SIGNATURE);
        Ok(Self { credential, signed_headers, signature, date_time, payload_hash, left_out })
    }
}

fn parse_expires(text: &str) -> Result<u64> {
    let problem = match text.parse::<i64>() {
        Err(_) => "X-Amz-Expires should be a number",
        Ok(..0) => "X-Amz-Expires must be non-negative",
        Ok(seconds) if seconds.unsigned_abs() > EXPIRES_SECONDS_MAX => {
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
        }
        Ok(seconds) => return Ok(seconds.unsigned_abs()),
    };
    Err(S3Error::with_message(ErrorCode::AuthorizationQueryParametersError, problem))
}

fn check_validity(now: u64, signed_at: u64, expires: u64) -> Result<()> {
    if signed_at > now + CLOCK_SKEW_MAX.as_secs() {
        return Err(S3Error::access_denied("Request is not valid yet"));
    }
    let valid_until = signed_at.saturating_add(expires);
    if now > valid_until {
        return Err(expired(now, valid_until).field("X-Amz-Expires", expires.to_string()));
    }
    Ok(())
}

pub fn expired(now: u64, valid_until: u64) -> S3Error {
    S3Error::access_denied("Request has expired")
        .field("Expires", iso_8601(valid_until.saturating_mul(1000)))
        .field("ServerTime", iso_8601(now.saturating_mul(1000)))
}
