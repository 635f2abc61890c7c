//! Whatever AWS's own signer signs is accepted.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::utf8_percent_encode;
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_oneof, proptest};

use crate::s3_api::auth::canonical::RESERVED;

use super::{ACCESS_KEY, SECRET_KEY, WireRequest};

pub(super) const SIGNED_AT: u64 = 1_795_344_730;

pub(super) fn signed(request: &WireRequest, location: SignatureLocation) -> WireRequest {
    let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.signature_location = location;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.expires_in = matches!(location, SignatureLocation::QueryParams).then_some(Duration::from_secs(3600));
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("s3")
        .time(UNIX_EPOCH + Duration::from_secs(SIGNED_AT))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let url = format!("http://{}{}", request.header("host"), request.target);
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signable = SignableRequest::new(&request.method, url, headers, SignableBody::UnsignedPayload).unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let (new_headers, new_parameters) = instructions.into_parts();
    let mut out = request.clone();
    for header in &new_headers {
        out.set_header(header.name(), header.value());
    }
    for (name, value) in new_parameters {
        let separator = if out.target.contains('?') { '&' } else { '?' };
        out.target += &format!("{separator}{name}={}", encode(&value));
    }
    out
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof!["[a-zA-Z0-9._~-]{0,8}", "[ -~]{0,8}", "[àß値🎉%/+=&?#;:]{0,4}"];
    prop::collection::vec(segment, 0..4).prop_map(|segments| {
        let encoded: Vec<String> = segments.iter().map(|segment| encode(segment)).collect();
        format!("/bucket/{}", encoded.join("/"))
    })
}

fn query() -> impl Strategy<Value = String> {
    let text = || prop_oneof!["[a-z-]{1,6}", "[ -~]{1,6}", "[é値%+=&;]{1,4}"];
    prop::collection::vec((text(), text()), 0..4).prop_map(|pairs| {
        let encoded: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        if encoded.is_empty() { String::new() } else { format!("?{}", encoded.join("&")) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn what_aws_signs_is_accepted(
        method in "GET|PUT|DELETE|HEAD|POST",
        path in path(),
        query in query(),
        meta in "[!-~]([ -~]{0,20}[!-~])?",
        presigned in any::<bool>(),
    ) {
        let target = format!("{path}{query}");
        let headers = [("host", "127.0.0.1:9000"), ("x-amz-meta-a", meta.as_str()), ("content-type", "text/plain")];
        let request = WireRequest::new(&method, &target, &headers, SIGNED_AT);
        let location = if presigned { SignatureLocation::QueryParams } else { SignatureLocation::Headers };
        let signed = signed(&request, location);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(signed.authenticate());
        assert!(outcome.is_ok(), "{signed:?} {:?}", outcome.err());
        // The same request with another secret is not.
        let other = WireRequest { secret: "other".to_owned(), ..signed };
        assert_eq!(runtime.block_on(other.answer()), "SignatureDoesNotMatch");
    }
}
