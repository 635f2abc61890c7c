//! POST policies: what a signed browser form may upload.
//! Amazon S3 API Reference, "Creating a POST Policy". Invariant: every field that means anything is covered by a condition,
//! and every condition holds.

use std::future::Future;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::s3_api::auth::credential::{Credential, malformed};
use crate::s3_api::auth::post_form::PostForm;
use crate::s3_api::auth::proof_v4::check_algorithm;
use crate::s3_api::auth::signature::{matches, mismatch};
use crate::s3_api::auth::{Authenticator, SecretKey, sigv2, unknown_access_key};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::timestamp::unix_seconds;
use crate::services::BucketName;

/// Fields that need no condition: they are the proof itself, or declared to be ignored.
const FREE_FIELDS: &[&str] = &["x-amz-signature", "awsaccesskeyid", "signature", "policy", "file"];

#[derive(Debug, PartialEq)]
pub struct AuthenticatedForm {
    pub access_key: String,
    /// How long the file may be.
    pub file_bytes: RangeInclusive<u64>,
}

impl Authenticator {
    pub async fn authenticate_form<L, F>(
        &self,
        form: &PostForm,
        bucket: &BucketName,
        now: SystemTime,
        lookup: L,
    ) -> Result<AuthenticatedForm>
    where
        L: FnOnce(String) -> F,
        F: Future<Output = Result<Option<SecretKey>>>,
    {
        let policy = form.get("policy").ok_or(ErrorCode::AccessDenied)?;
        let proof = FormProof::find(form, self.options.sigv2_presigned)?;
        if let FormProof::V4 { credential, .. } = &proof {
            let date_time = form.get("x-amz-date").unwrap_or("");
            let code = ErrorCode::AuthorizationQueryParametersError;
            credential.check(date_time, &self.options, code)?;
        }
        let access_key = proof.access_key().to_owned();
        let secret = lookup(access_key.clone()).await?.ok_or_else(|| unknown_access_key(&access_key))?;
        let (computed, provided) = match &proof {
            FormProof::V4 { credential, signature } => {
                (self.signing_keys.get(&secret, credential).sign(policy), signature)
            }
            FormProof::V2 { signature, .. } => (sigv2::sign(&secret, policy), signature),
        };
        if !matches(&computed, provided) {
            return Err(mismatch(&access_key, policy, provided));
        }
        if form.get("x-amz-security-token").is_some() {
            return Err(ErrorCode::InvalidToken.into());
        }
        let file_bytes = PostPolicy::parse(policy)?.check(form, bucket, unix_seconds(now))?;
        Ok(AuthenticatedForm { access_key, file_bytes })
    }
}

enum FormProof<'a> {
    V4 { credential: Credential, signature: &'a str },
    V2 { access_key: &'a str, signature: &'a str },
}

impl<'a> FormProof<'a> {
    fn find(form: &'a PostForm, sigv2_allowed: bool) -> Result<Self> {
        if let Some(signature) = form.get("x-amz-signature") {
            check_algorithm(form.get("x-amz-algorithm").unwrap_or(""))?;
            let credential = Credential::parse(form.get("x-amz-credential").unwrap_or("")).ok_or_else(|| {
                malformed(ErrorCode::AuthorizationQueryParametersError, "the Credential is mal-formed.")
            })?;
            return Ok(Self::V4 { credential, signature });
        }
        match (form.get("awsaccesskeyid"), form.get("signature")) {
            (Some(access_key), Some(signature)) if sigv2_allowed => Ok(Self::V2 { access_key, signature }),
            (Some(_), Some(_)) => Err(S3Error::invalid_request(
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            )),
            _ => Err(ErrorCode::AccessDenied.into()),
        }
    }

    fn access_key(&self) -> &str {
        match self {
            FormProof::V4 { credential, .. } => &credential.access_key,
            FormProof::V2 { access_key, .. } => access_key,
        }
    }
}

#[derive(Debug, PartialEq)]
struct PostPolicy {
    /// Unix seconds.
    expires: u64,
    conditions: Vec<Condition>,
    file_bytes: RangeInclusive<u64>,
}

#[derive(Debug, PartialEq)]
struct Condition {
    /// Lower case, without `$`.
    field: String,
    test: Test,
}

#[derive(Debug, PartialEq)]
enum Test {
    Equals(String),
    StartsWith(String),
}

impl PostPolicy {
    fn parse(encoded: &str) -> Result<Self> {
        let json = STANDARD.decode(encoded.trim()).ok();
        let policy = json.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
        let policy = policy.ok_or_else(|| invalid("Invalid JSON."))?;
        let expires = policy.get("expiration").and_then(Value::as_str);
        let expires = expires.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        let expires = expires.and_then(|time| u64::try_from(time.unix_timestamp()).ok());
        let list = policy.get("conditions").and_then(Value::as_array);
        let mut parsed = Self {
            expires: expires.ok_or_else(|| invalid("Invalid 'expiration' value"))?,
            conditions: Vec::new(),
            file_bytes: 0..=u64::MAX,
        };
        for condition in list.ok_or_else(|| invalid("Policy missing conditions."))? {
            parsed.add(condition)?;
        }
        Ok(parsed)
    }

    fn add(&mut self, condition: &Value) -> Result<()> {
        match condition {
            Value::Object(pairs) => {
                for (field, value) in pairs {
                    let value = value.as_str().ok_or_else(|| invalid("Invalid Simple-Condition"))?;
                    self.conditions.push(Condition { field: field_name(field), test: Test::Equals(value.to_owned()) });
                }
                Ok(())
            }
            Value::Array(items) => {
                let [operator, left, right] = items.as_slice() else { return Err(invalid("Invalid condition")) };
                match (operator.as_str().map(str::to_ascii_lowercase).as_deref(), left.as_str(), right.as_str()) {
                    (Some("content-length-range"), _, _) => self.add_length_range(left, right),
                    (Some("eq"), Some(field), Some(value)) if field.starts_with('$') => {
                        self.conditions
                            .push(Condition { field: field_name(field), test: Test::Equals(value.to_owned()) });
                        Ok(())
                    }
                    (Some("starts-with"), Some(field), Some(value)) if field.starts_with('$') => {
                        self.conditions
                            .push(Condition { field: field_name(field), test: Test::StartsWith(value.to_owned()) });
                        Ok(())
                    }
                    _ => Err(invalid("Invalid condition")),
                }
            }
            _ => Err(invalid("Invalid condition")),
        }
    }

    /// Several ranges hold all at once.
    fn add_length_range(&mut self, least: &Value, most: &Value) -> Result<()> {
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let (Some(least), Some(most)) = (number(least), number(most)) else {
            return Err(invalid("Invalid content-length-range"));
        };
        self.file_bytes = least.max(*self.file_bytes.start())..=most.min(*self.file_bytes.end());
        Ok(())
    }

    fn check(self, form: &PostForm, bucket: &BucketName, now: u64) -> Result<RangeInclusive<u64>> {
        if now > self.expires {
            return Err(S3Error::access_denied("Invalid according to Policy: Policy expired."));
        }
        // The bucket is in the URL; in the form it may stand too, and must be the same.
        let bucket_field = form.get("bucket").unwrap_or(bucket.as_str());
        if bucket_field != bucket.as_str() {
            return Err(S3Error::access_denied("Invalid according to Policy: the form names another bucket."));
        }
        let value_of = |field: &str| if field == "bucket" { Some(bucket.as_str()) } else { form.get(field) };
        if let Some(failed) = self.conditions.iter().find(|condition| !condition.holds(value_of(&condition.field))) {
            return Err(failed.error());
        }
        let named = form.iter().map(|(name, _)| name).chain(std::iter::once("bucket"));
        let must_be_covered = named.filter(|name| !FREE_FIELDS.contains(name) && !name.starts_with("x-ignore-"));
        for name in must_be_covered {
            if !self.conditions.iter().any(|condition| condition.field == name) {
                let message = format!("Invalid according to Policy: Extra input fields: {name}");
                return Err(S3Error::access_denied(message));
            }
        }
        Ok(self.file_bytes)
    }
}

impl Condition {
    fn holds(&self, value: Option<&str>) -> bool {
        match (&self.test, value) {
            (_, None) => false,
            (Test::Equals(expected), Some(value)) => value == expected,
            // A list of content types must match one by one.
            (Test::StartsWith(prefix), Some(value)) if self.field == "content-type" => {
                value.split(',').all(|part| part.trim().starts_with(prefix))
            }
            (Test::StartsWith(prefix), Some(value)) => value.starts_with(prefix),
        }
    }

    fn error(&self) -> S3Error {
        let (operator, value) = match &self.test {
            Test::Equals(value) => ("eq", value),
            Test::StartsWith(value) => ("starts-with", value),
        };
        let condition = format!("[\"{operator}\", \"${}\", \"{value}\"]", self.field);
        S3Error::access_denied(format!("Invalid according to Policy: Policy Condition failed: {condition}"))
    }
}

fn field_name(name: &str) -> String {
    name.trim_start_matches('$').to_ascii_lowercase()
}

fn invalid(reason: &str) -> S3Error {
    S3Error::with_message(ErrorCode::InvalidPolicyDocument, format!("Invalid Policy: {reason}"))
}

#[cfg(test)]
#[path = "post_policy_test.rs"]
mod tests;
