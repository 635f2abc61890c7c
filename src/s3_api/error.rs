//! S3 errors: what a failed request answers with.
//! Owns: the error document and the headers that go with it. Does not own: how a service's error becomes a code
//! (operations), the request id (gateway).

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue};

pub use crate::s3_api::error_code::ErrorCode;
use crate::s3_api::xml::writer::XmlWriter;

pub type Result<T, E = S3Error> = std::result::Result<T, E>;

#[derive(Clone, Debug)]
pub struct S3Error {
    pub code: ErrorCode,
    pub message: Cow<'static, str>,
    /// The path of the request, `/bucket/key`, as the client is told.
    pub resource: Option<String>,
    /// Further elements that SDKs and people read: BucketName, Key, Region, Condition …
    pub fields: Vec<(&'static str, String)>,
    /// Headers of the reply beyond the usual ones, e.g. `x-amz-delete-marker`, `Content-Range`, `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl S3Error {
    pub fn new(code: ErrorCode) -> Self {
        Self::with_message(code, code.default_message())
    }

    pub fn with_message(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), resource: None, fields: Vec::new(), headers: Vec::new() }
    }

    /// 400 `InvalidArgument` with the two elements that AWS adds.
    pub fn invalid_argument(message: impl Into<Cow<'static, str>>, name: &str, value: &str) -> Self {
        Self::with_message(ErrorCode::InvalidArgument, message)
            .field("ArgumentName", name)
            .field("ArgumentValue", value)
    }

    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::with_message(ErrorCode::InvalidRequest, message)
    }

    pub fn access_denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::with_message(ErrorCode::AccessDenied, message)
    }

    /// 501 that names what is missing, so that a person sees it at once.
    pub fn not_implemented(what: &str) -> Self {
        Self::with_message(ErrorCode::NotImplemented, format!("{what} is not implemented."))
    }

    /// 501 for a header that would change what is stored or who may read it.
    pub fn header_not_implemented(header: &str) -> Self {
        Self::with_message(
            ErrorCode::NotImplemented,
            "A header you provided implies functionality that is not implemented",
        )
        .field("Header", header)
    }

    /// 412 that names the header that did not hold.
    pub fn precondition_failed(condition: &str) -> Self {
        Self::new(ErrorCode::PreconditionFailed).field("Condition", condition)
    }

    pub fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn resource(mut self, path: impl Into<String>) -> Self {
        self.resource = Some(path.into());
        self
    }

    /// The body of the reply. HEAD answers with the status and headers alone.
    pub fn to_xml(&self, request_id: &str, host_id: &str) -> String {
        let mut xml = XmlWriter::document();
        self.write_into(&mut xml, request_id, host_id);
        xml.finish()
    }

    /// The `<Error>` element alone, for a reply whose 200 and XML declaration are on the wire already.
    pub fn write_into(&self, xml: &mut XmlWriter, request_id: &str, host_id: &str) {
        xml.nest("Error", |xml| {
            xml.text("Code", self.code.as_str());
            xml.text("Message", &self.message);
            for (name, value) in &self.fields {
                xml.text(name, value);
            }
            if let Some(resource) = &self.resource {
                xml.text("Resource", resource);
            }
            xml.text("RequestId", request_id);
            xml.text("HostId", host_id);
        });
    }
}

impl From<ErrorCode> for S3Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for S3Error {}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{ErrorCode, S3Error};

    #[test]
    fn error_document() {
        let error = S3Error::new(ErrorCode::NoSuchKey).field("Key", "a<b>&\u{1}").resource("/bucket/a<b>&\u{1}");
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&lt;b&gt;&amp;&#x1;</Key><Resource>/bucket/a&lt;b&gt;&amp;&#x1;</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>node-1</HostId></Error>"#]]
        .assert_eq(&error.to_xml("4442587FB7D0A2F9", "node-1"));
    }

    #[test]
    fn condition_is_named() {
        let xml = S3Error::precondition_failed("If-None-Match").to_xml("1", "2");
        assert!(xml.contains("<Code>PreconditionFailed</Code>"), "{xml}");
        assert!(xml.contains("<Condition>If-None-Match</Condition>"), "{xml}");
    }
}
