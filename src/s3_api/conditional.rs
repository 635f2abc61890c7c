//! Conditional requests: reads decide here, writes become a `WriteCondition` that `apply` decides at commit.
//! RFC 9110 §13.2.2 (precedence); Amazon S3 User Guide, "Conditional requests".

use http::HeaderMap;
use onggi_cluster::metadata::command::WriteCondition;
use onggi_cluster::metadata::record::ETag;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::etag::ETagList;
use crate::s3_api::timestamp::parse_http_date;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadConditions {
    if_match: Option<ETagList>,
    if_none_match: Option<ETagList>,
    /// Unix seconds. Dates that cannot be read are as if they were not there (RFC 9110 §13.1.3).
    if_modified_since: Option<u64>,
    if_unmodified_since: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadDecision {
    Proceed,
    /// 304 with ETag, Last-Modified and Cache-Control, without a body.
    NotModified,
    /// 412; the header that did not hold.
    Failed(&'static str),
}

impl ReadConditions {
    pub fn of_read(headers: &HeaderMap) -> Self {
        Self::with_names(headers, ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"])
    }

    pub fn of_copy_source(headers: &HeaderMap) -> Self {
        let names = [
            "x-amz-copy-source-if-match",
            "x-amz-copy-source-if-none-match",
            "x-amz-copy-source-if-modified-since",
            "x-amz-copy-source-if-unmodified-since",
        ];
        Self::with_names(headers, names)
    }

    fn with_names(headers: &HeaderMap, names: [&str; 4]) -> Self {
        let [if_match, if_none_match, if_modified_since, if_unmodified_since] = names.map(|name| joined(headers, name));
        Self {
            if_match: if_match.map(|text| ETagList::parse(&text)),
            if_none_match: if_none_match.map(|text| ETagList::parse(&text)),
            if_modified_since: if_modified_since.and_then(|text| parse_http_date(&text)),
            if_unmodified_since: if_unmodified_since.and_then(|text| parse_http_date(&text)),
        }
    }

    /// A true If-Match silences If-Unmodified-Since, a false If-None-Match silences If-Modified-Since.
    pub fn decide(&self, etag: &ETag, modified_ms: u64) -> ReadDecision {
        let modified = modified_ms / 1000;
        if let Some(tags) = &self.if_match {
            if !tags.matches(etag) {
                return ReadDecision::Failed("If-Match");
            }
        } else if self.if_unmodified_since.is_some_and(|since| modified > since) {
            return ReadDecision::Failed("If-Unmodified-Since");
        }
        if let Some(tags) = &self.if_none_match {
            if tags.matches(etag) {
                return ReadDecision::NotModified;
            }
        } else if self.if_modified_since.is_some_and(|since| modified <= since) {
            return ReadDecision::NotModified;
        }
        ReadDecision::Proceed
    }

    /// For the source of a copy, where "not modified" too is 412.
    pub fn require(&self, etag: &ETag, modified_ms: u64) -> Result<()> {
        match self.decide(etag, modified_ms) {
            ReadDecision::Proceed => Ok(()),
            ReadDecision::NotModified if self.if_none_match.is_some() => {
                Err(S3Error::precondition_failed("x-amz-copy-source-If-None-Match"))
            }
            ReadDecision::NotModified => Err(S3Error::precondition_failed("x-amz-copy-source-If-Modified-Since")),
            ReadDecision::Failed("If-Match") => Err(S3Error::precondition_failed("x-amz-copy-source-If-Match")),
            ReadDecision::Failed(_) => Err(S3Error::precondition_failed("x-amz-copy-source-If-Unmodified-Since")),
        }
    }
}

/// PutObject, CompleteMultipartUpload, the destination of CopyObject and RenameObject.
pub fn write_condition(headers: &HeaderMap) -> Result<WriteCondition> {
    refuse(headers, &["if-modified-since", "if-unmodified-since"])?;
    match (joined(headers, "if-match"), joined(headers, "if-none-match")) {
        (None, None) => Ok(WriteCondition::None),
        (Some(tags), None) => Ok(if_match(&tags)),
        (None, Some(tags)) if tags.trim() == "*" => Ok(WriteCondition::MustNotExist),
        // AWS takes only `*` here, and never both headers.
        (None | Some(_), Some(_)) => Err(S3Error::header_not_implemented("If-None-Match")),
    }
}

/// DeleteObject: only If-Match. The other two are for directory buckets.
pub fn delete_condition(headers: &HeaderMap) -> Result<WriteCondition> {
    refuse(headers, &["if-none-match", "if-modified-since", "if-unmodified-since"])?;
    refuse(headers, &["x-amz-if-match-last-modified-time", "x-amz-if-match-size"])?;
    Ok(joined(headers, "if-match").map_or(WriteCondition::None, |tags| if_match(&tags)))
}

/// The `<ETag>` of one object of DeleteObjects.
pub fn if_match(tags: &str) -> WriteCondition {
    match ETagList::parse(tags) {
        ETagList::Any => WriteCondition::MustExist,
        ETagList::Tags(tags) => WriteCondition::MustMatch(tags),
    }
}

/// The source of RenameObject.
pub fn rename_source_condition(headers: &HeaderMap) -> Result<WriteCondition> {
    refuse(
        headers,
        &[
            "x-amz-rename-source-if-none-match",
            "x-amz-rename-source-if-modified-since",
            "x-amz-rename-source-if-unmodified-since",
        ],
    )?;
    Ok(joined(headers, "x-amz-rename-source-if-match").map_or(WriteCondition::None, |tags| if_match(&tags)))
}

fn refuse(headers: &HeaderMap, names: &[&str]) -> Result<()> {
    match names.iter().find(|name| headers.contains_key(**name)) {
        Some(name) => Err(S3Error::header_not_implemented(name)),
        None => Ok(()),
    }
}

/// Repeated headers are one list (RFC 9110 §5.3).
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(","))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use onggi_cluster::metadata::command::WriteCondition;

    use super::{ReadConditions, ReadDecision, delete_condition, rename_source_condition, write_condition};
    use crate::s3_api::error::ErrorCode;
    use crate::s3_api::etag::parse;

    const OURS: &str = "\"9bb58f26192e4ba00f01e2e7b136bbd8\"";
    const OTHER: &str = "\"00000000000000000000000000000000\"";
    /// 1994-11-06 08:49:37 and a half.
    const MODIFIED_MS: u64 = 784_111_777_500;
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        let mut map = HeaderMap::new();
        pairs.for_each(|(name, value)| {
            map.append(name, value);
        });
        map
    }

    fn decide(pairs: &[(&str, &str)]) -> ReadDecision {
        ReadConditions::of_read(&headers(pairs)).decide(&parse(OURS).unwrap(), MODIFIED_MS)
    }

    #[test]
    fn reads_in_the_order_of_the_rfc() {
        use ReadDecision::{Failed, NotModified, Proceed};
        assert_eq!(decide(&[]), Proceed);
        assert_eq!(decide(&[("if-match", OURS)]), Proceed);
        assert_eq!(decide(&[("if-match", "*")]), Proceed);
        assert_eq!(decide(&[("if-match", OTHER)]), Failed("If-Match"));
        assert_eq!(decide(&[("if-match", OTHER), ("if-match", OURS)]), Proceed);
        assert_eq!(decide(&[("if-unmodified-since", SAME)]), Proceed);
        assert_eq!(decide(&[("if-unmodified-since", BEFORE)]), Failed("If-Unmodified-Since"));
        assert_eq!(decide(&[("if-match", OURS), ("if-unmodified-since", BEFORE)]), Proceed);
        assert_eq!(decide(&[("if-none-match", OURS)]), NotModified);
        assert_eq!(decide(&[("if-none-match", "*")]), NotModified);
        assert_eq!(decide(&[("if-none-match", OTHER)]), Proceed);
        assert_eq!(decide(&[("if-modified-since", SAME)]), NotModified);
        assert_eq!(decide(&[("if-modified-since", BEFORE)]), Proceed);
        assert_eq!(decide(&[("if-modified-since", "nonsense")]), Proceed);
        assert_eq!(decide(&[("if-none-match", OTHER), ("if-modified-since", SAME)]), Proceed);
        assert_eq!(decide(&[("if-none-match", OURS), ("if-modified-since", BEFORE)]), NotModified);
        assert_eq!(decide(&[("if-match", OTHER), ("if-none-match", OURS)]), Failed("If-Match"));
    }

    #[test]
    fn copy_source_is_412_in_every_case() {
        let cases = [
            ("x-amz-copy-source-if-match", OTHER),
            ("x-amz-copy-source-if-none-match", OURS),
            ("x-amz-copy-source-if-modified-since", SAME),
            ("x-amz-copy-source-if-unmodified-since", BEFORE),
        ];
        for (name, value) in cases {
            let error = ReadConditions::of_copy_source(&headers(&[(name, value)]))
                .require(&parse(OURS).unwrap(), MODIFIED_MS)
                .unwrap_err();
            assert_eq!(error.code, ErrorCode::PreconditionFailed);
            assert!(error.fields[0].1.eq_ignore_ascii_case(name), "{name}");
        }
    }

    #[test]
    fn writes() {
        let condition = |pairs: &[(&str, &str)]| write_condition(&headers(pairs));
        assert_eq!(condition(&[]).unwrap(), WriteCondition::None);
        assert_eq!(condition(&[("if-none-match", "*")]).unwrap(), WriteCondition::MustNotExist);
        assert_eq!(condition(&[("if-match", "*")]).unwrap(), WriteCondition::MustExist);
        let tags = vec![parse(OURS).unwrap()];
        assert_eq!(condition(&[("if-match", OURS)]).unwrap(), WriteCondition::MustMatch(tags));
        assert_eq!(condition(&[("if-match", "\"foreign\"")]).unwrap(), WriteCondition::MustMatch(vec![]));
        for pairs in [
            [("if-none-match", OURS)].as_slice(),
            &[("if-none-match", "*"), ("if-match", "*")],
            &[("if-modified-since", SAME)],
            &[("if-unmodified-since", SAME)],
        ] {
            assert_eq!(condition(pairs).unwrap_err().code, ErrorCode::NotImplemented, "{pairs:?}");
        }
    }

    #[test]
    fn deletes_and_renames() {
        assert_eq!(delete_condition(&headers(&[("if-match", "*")])).unwrap(), WriteCondition::MustExist);
        assert_eq!(delete_condition(&headers(&[])).unwrap(), WriteCondition::None);
        assert!(delete_condition(&headers(&[("x-amz-if-match-size", "1")])).is_err());
        assert!(delete_condition(&headers(&[("if-none-match", "*")])).is_err());
        let source = headers(&[("x-amz-rename-source-if-match", "*")]);
        assert_eq!(rename_source_condition(&source).unwrap(), WriteCondition::MustExist);
    }
}
