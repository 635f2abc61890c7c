//! Forms signed by boto3, the same forms changed, and the conditions one by one.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::s3_api::auth::post_form::PostForm;
use crate::s3_api::auth::{AuthOptions, Authenticator, SecretKey};
use crate::s3_api::error::{ErrorCode, Result};
use crate::services::BucketName;

use super::{AuthenticatedForm, PostPolicy};

const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// 2026-11-22T10:52:10Z, when the forms below were made.
const MADE: u64 = 1_795_344_730;

async fn authenticate(
    fields: &[(&str, &str)],
    bucket: &str,
    now: u64,
    options: AuthOptions,
) -> Result<AuthenticatedForm> {
    let form = PostForm::of(fields);
    let bucket = BucketName::parse(bucket).unwrap();
    let now = UNIX_EPOCH + Duration::from_secs(now);
    let lookup = async |access_key: String| {
        Ok((access_key == ACCESS_KEY).then(|| SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")))
    };
    Authenticator::new(options).authenticate_form(&form, &bucket, now, lookup).await
}

/// Made by boto3 1.43 `generate_presigned_post` for us-east-1, which signs with Version 2.
const BOTO3_V2: [(&str, &str); 5] = [
    ("acl", "private"),
    ("key", "up/name.txt"),
    ("AWSAccessKeyId", ACCESS_KEY),
    (
        "policy",
        "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMjJUMTE6NTI6MTBaIiwgImNvbmRpdGlvbnMiOiBbeyJhY2wiOiAicHJpdmF0ZSJ9LCBbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwgMSwgMTAwXSwgeyJidWNrZXQiOiAicGhvdG9zIn0sIFsic3RhcnRzLXdpdGgiLCAiJGtleSIsICJ1cC8iXV19",
    ),
    ("signature", "o9AhVWFtNvfjPO05POymUOt4bvw="),
];

/// The same for the region `home`, which signs with Version 4.
const BOTO3_V4: [(&str, &str); 6] = [
    ("key", "k"),
    ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
    ("x-amz-credential", "AKIAIOSFODNN7EXAMPLE/20261122/home/s3/aws4_request"),
    ("x-amz-date", "20261122T105210Z"),
    (
        "policy",
        "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMjJUMTE6NTI6MTBaIiwgImNvbmRpdGlvbnMiOiBbeyJidWNrZXQiOiAicGhvdG9zIn0sIHsia2V5IjogImsifSwgeyJ4LWFtei1hbGdvcml0aG0iOiAiQVdTNC1ITUFDLVNIQTI1NiJ9LCB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAyNjExMjIvaG9tZS9zMy9hd3M0X3JlcXVlc3QifSwgeyJ4LWFtei1kYXRlIjogIjIwMjYxMTIyVDEwNTIxMFoifV19",
    ),
    ("x-amz-signature", "cc691c31f4e47f194fb08e2bac4f5b238965a8c0f1f66393d944c7ad39131d1b"),
];

#[tokio::test]
async fn forms_made_by_boto3() {
    let authenticated = authenticate(&BOTO3_V2, "photos", MADE, AuthOptions::default()).await.unwrap();
    assert_eq!(authenticated, AuthenticatedForm { access_key: ACCESS_KEY.to_owned(), file_bytes: 1..=100 });
    assert!(authenticate(&BOTO3_V4, "photos", MADE, AuthOptions::default()).await.is_ok());
}

#[tokio::test]
async fn any_other_form_is_refused() {
    for original in [&BOTO3_V2[..], &BOTO3_V4[..]] {
        for at in 0..original.len() {
            let mut changed = original.to_vec();
            let value = format!("{}x", changed[at].1);
            changed[at].1 = &value;
            // `up/` is all that the first policy says of the key.
            let may_change = changed[at].0 == "key" && original.len() == BOTO3_V2.len();
            let outcome = authenticate(&changed, "photos", MADE, AuthOptions::default()).await;
            assert_eq!(outcome.is_ok(), may_change, "{}", changed[at].0);
            let mut missing = original.to_vec();
            missing.remove(at);
            assert!(
                authenticate(&missing, "photos", MADE, AuthOptions::default()).await.is_err(),
                "{}",
                original[at].0
            );
        }
        let denied = async |fields: &[(&str, &str)], bucket: &str, now| {
            let error = authenticate(fields, bucket, now, AuthOptions::default()).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::AccessDenied, "{error}");
        };
        denied(original, "other", MADE).await;
        denied(original, "photos", MADE + 3601).await;
        denied(&[original, &[("tagging", "<Tagging/>")]].concat(), "photos", MADE).await;
        denied(&[original, &[("x-amz-meta-a", "1")]].concat(), "photos", MADE).await;
        denied(&[original, &[("bucket", "other")]].concat(), "photos", MADE).await;
        assert!(
            authenticate(&[original, &[("x-ignore-a", "1")]].concat(), "photos", MADE, AuthOptions::default())
                .await
                .is_ok()
        );
    }
    denied_by_configuration().await;
}

async fn denied_by_configuration() {
    let no_v2 = AuthOptions { sigv2_presigned: false, ..AuthOptions::default() };
    assert_eq!(authenticate(&BOTO3_V2, "photos", MADE, no_v2).await.unwrap_err().code, ErrorCode::InvalidRequest);
    let region = AuthOptions { region: Some("elsewhere".to_owned()), ..AuthOptions::default() };
    assert!(authenticate(&BOTO3_V4, "photos", MADE, region).await.is_err());
    assert!(authenticate(&[("key", "k")], "photos", MADE, AuthOptions::default()).await.is_err());
}

fn policy(conditions: &str) -> Result<PostPolicy> {
    PostPolicy::parse(
        &STANDARD.encode(format!(r#"{{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{conditions}]}}"#)),
    )
}

fn check(conditions: &str, fields: &[(&str, &str)]) -> bool {
    let conditions = format!(r#"{{"bucket":"photos"}},{conditions}"#);
    policy(&conditions).unwrap().check(&PostForm::of(fields), &BucketName::parse("photos").unwrap(), MADE).is_ok()
}

#[test]
fn conditions() {
    assert!(check(r#"["starts-with","$Key",""]"#, &[("key", "anything")]));
    assert!(!check(r#"["starts-with","$key",""]"#, &[]));
    assert!(check(r#"["EQ","$key","a"]"#, &[("key", "a")]));
    assert!(!check(r#"["eq","$key","a"]"#, &[("key", "A")]));
    assert!(check(r#"["starts-with","$Content-Type","image/"]"#, &[("content-type", "image/png, image/gif")]));
    assert!(!check(r#"["starts-with","$Content-Type","image/"]"#, &[("content-type", "image/png,text/html")]));
    assert_eq!(
        policy(r#"["content-length-range",1,"100"],["content-length-range",5,200]"#).unwrap().file_bytes,
        5..=100
    );
}

#[test]
fn malformed_policies() {
    for conditions in [
        r#""x""#,
        r#"["eq","key","a"]"#,
        r#"["eq","$key"]"#,
        r#"["like","$key","a"]"#,
        r#"{"key":1}"#,
        r#"["content-length-range",-1,5]"#,
        "]",
    ] {
        assert_eq!(policy(conditions).unwrap_err().code, ErrorCode::InvalidPolicyDocument, "{conditions}");
    }
    for json in ["", "{}", r#"{"expiration":"tomorrow","conditions":[]}"#, r#"{"expiration":"2030-01-01T00:00:00Z"}"#] {
        assert!(PostPolicy::parse(&STANDARD.encode(json)).is_err(), "{json}");
    }
    assert!(PostPolicy::parse("%%%").is_err());
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(PostPolicy::parse(&STANDARD.encode(nested)).is_err());
}
