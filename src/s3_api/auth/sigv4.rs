//! Signature Version 4 in the Authorization header.
//! Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".

use http::HeaderMap;
use http::header::{AUTHORIZATION, DATE};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::s3_api::auth::canonical::signed_header_names;
use crate::s3_api::auth::credential::{Credential, malformed};
use crate::s3_api::auth::proof_v4::{ProofV4, check_algorithm, require_signed};
use crate::s3_api::auth::{AuthOptions, CLOCK_SKEW_MAX, SignedRequest};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::timestamp::{parse_http_date, parse_iso_8601_basic, unix_seconds};

impl ProofV4 {
    pub fn in_header(request: &SignedRequest<'_>, options: &AuthOptions) -> Result<Self> {
        let authorization = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
        let fields = fields_of(authorization)?;
        let code = ErrorCode::AuthorizationHeaderMalformed;
        let field = |name: &str| {
            let value = fields.iter().find(|(have, _)| *have == name).map(|(_, value)| *value);
            value.filter(|value| !value.is_empty()).ok_or_else(|| malformed(code, &format!("missing {name}.")))
        };
        let credential = Credential::parse(field("Credential")?).ok_or_else(|| {
            malformed(
                code,
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            )
        })?;
        let signed_headers = signed_header_names(field("SignedHeaders")?);
        let signature = field("Signature")?.to_owned();

        let (date_time, unix) = request_time(request.headers)?;
        let skew = unix_seconds(request.now).abs_diff(unix);
        if skew > CLOCK_SKEW_MAX.as_secs() {
            return Err(S3Error::new(ErrorCode::RequestTimeTooSkewed)
                .field("RequestTime", date_time)
                .field("ServerTime", crate::s3_api::timestamp::iso_8601(unix_seconds(request.now) * 1000))
                .field("MaxAllowedSkewMilliseconds", CLOCK_SKEW_MAX.as_millis().to_string()));
        }
        credential.check(&date_time, options, code)?;
        require_signed(request, &signed_headers)?;
        let payload_hash = match request.headers.get("x-amz-content-sha256") {
            Some(value) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            None => {
                let message = "Missing required header for this request: x-amz-content-sha256";
                return Err(S3Error::invalid_request(message));
            }
        };
        Ok(Self { credential, signed_headers, signature, date_time, payload_hash, left_out: None })
    }
}

/// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: commas with or without spaces.
fn fields_of(authorization: &str) -> Result<Vec<(&str, &str)>> {
    let (algorithm, rest) = authorization.trim().split_once(' ').unwrap_or((authorization, ""));
    if algorithm == "AWS" {
        let message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(S3Error::invalid_request(message));
    }
    check_algorithm(algorithm)?;
    let fields = rest.split(',').filter_map(|field| field.trim().split_once('='));
    Ok(fields.map(|(name, value)| (name.trim(), value.trim())).collect())
}

/// `x-amz-date`, else `Date`, as it is signed and in unix seconds.
fn request_time(headers: &HeaderMap) -> Result<(String, u64)> {
    let text = |value: Option<&http::HeaderValue>| value.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let time = match text(headers.get("x-amz-date")) {
        Some(amz_date) => parse_iso_8601_basic(&amz_date).map(|unix| (amz_date, unix)),
        None => text(headers.get(DATE)).and_then(|date| {
            let unix = parse_iso_8601_basic(&date).or_else(|| parse_http_date(&date))?;
            Some((iso_8601_basic(unix)?, unix))
        }),
    };
    time.ok_or_else(|| S3Error::access_denied("AWS authentication requires a valid Date or x-amz-date header"))
}

fn iso_8601_basic(unix: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(unix).ok()?).ok()?;
    time.format(format_description!("[year][month][day]T[hour][minute][second]Z")).ok()
}
