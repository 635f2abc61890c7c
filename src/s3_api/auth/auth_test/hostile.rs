//! Proofs that are no proofs: refused, never a panic.

use proptest::prelude::{ProptestConfig, proptest};

use super::WireRequest;
use super::oracle::SIGNED_AT;

fn refused(request: &WireRequest) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(request.authenticate()).is_err(), "{request:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn authorization_headers(
        algorithm in "(AWS4-HMAC-SHA256|AWS|[ -~]{0,9}) ?",
        fields in "((Credential|SignedHeaders|Signature)=[a-z0-9/;,= _]{0,40}, ?){0,4}[ -~]{0,20}",
        date in "[0-9TZ:]{0,17}",
    ) {
        let headers = [("host", "h"), ("x-amz-date", date.as_str()), ("authorization", &format!("{algorithm}{fields}"))];
        refused(&WireRequest::new("GET", "/bucket/key", &headers, SIGNED_AT));
    }

    #[test]
    fn query_strings(
        names in "(&(X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature)|AWSAccessKeyId|Signature|Expires)=[a-zA-Z0-9%+/;-]{0,30}){0,8}",
    ) {
        refused(&WireRequest::new("GET", &format!("/bucket/key?a=b{names}"), &[("host", "h")], SIGNED_AT));
    }
}
