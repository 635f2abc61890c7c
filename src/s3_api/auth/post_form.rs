//! Browser forms: the fields of a `multipart/form-data` upload, then its file as a stream.
//! Amazon S3 API Reference, "POST Object". Owns: the bounds on what comes before the file. Does not own: whether the form is
//! allowed (post_policy). What follows the file is not read: AWS ignores it too.

mod bounded;

use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use multer::{Field, Multipart};

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use bounded::{BoundedStream, Budget};

/// Fields that are headers of the object under their own name, next to every `x-amz-*`.
const HEADER_FIELDS: &[&str] =
    &["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
/// Fields that prove who sent the form.
const PROOF_FIELDS: &[&str] =
    &["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"];

/// How long the fields before the file may take: nobody has proven anything yet, and a request that is worked on takes the
/// place of another.
const BEFORE_FILE_MAX: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct PostForm {
    /// Names in lower case, in the order given.
    fields: Vec<(String, String)>,
}

/// The file of a form; multer reads it from the request as it is asked for.
pub struct FormFile {
    field: Field<'static>,
}

impl FormFile {
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.field.chunk().await.map_err(|_| ErrorCode::IncompleteBody.into())
    }
}

/// Reads up to the file, which is where the stream then stands.
pub async fn read<S, E>(headers: &HeaderMap, body: S) -> Result<(PostForm, FormFile)>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    read_within(BEFORE_FILE_MAX, headers, body).await
}

async fn read_within<S, E>(time: Duration, headers: &HeaderMap, body: S) -> Result<(PostForm, FormFile)>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    let read = tokio::time::timeout(time, read_fields(headers, body)).await;
    read.unwrap_or_else(|_| Err(ErrorCode::RequestTimeout.into()))
}

async fn read_fields<S, E>(headers: &HeaderMap, body: S) -> Result<(PostForm, FormFile)>
where
    S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let boundary = multer::parse_boundary(content_type).map_err(|_| malformed())?;
    let budget = Budget::before_the_file();
    let mut multipart = Multipart::new(BoundedStream::new(body, budget.clone()), boundary);
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        let field = multipart.next_field().await.map_err(|_| unreadable(&budget))?;
        let Some(mut field) = field else {
            let message = "POST requires exactly one file upload per request.";
            return Err(S3Error::invalid_argument(message, "file", "0"));
        };
        let name = field.name().ok_or_else(malformed)?.to_ascii_lowercase();
        if name == "file" {
            budget.lift();
            let mut form = PostForm { fields };
            form.replace_file_name(field.file_name().unwrap_or(""));
            return Ok((form, FormFile { field }));
        }
        let mut value = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| unreadable(&budget))? {
            value.extend_from_slice(&chunk);
        }
        let value = String::from_utf8(value).map_err(|_| malformed())?;
        // Which of two would the policy have meant?
        if fields.iter().any(|(have, _)| *have == name) {
            return Err(S3Error::invalid_argument("The form has a field twice.", &name, &value));
        }
        fields.push((name, value));
    }
}

impl PostForm {
    #[cfg(test)]
    pub(super) fn of(fields: &[(&str, &str)]) -> Self {
        Self { fields: fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())).collect() }
    }

    /// `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn key(&self) -> Result<&str> {
        match self.get("key").filter(|key| !key.is_empty()) {
            Some(key) => {
                crate::s3_api::router::target::check_key(key)?;
                Ok(key)
            }
            None => {
                let message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.";
                Err(S3Error::invalid_argument(message, "key", ""))
            }
        }
    }

    /// The fields that mean what headers of a PutObject mean.
    pub fn to_headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.iter() {
            let header = match name {
                "acl" => "x-amz-acl",
                _ if PROOF_FIELDS.contains(&name) => continue,
                _ if name.starts_with("x-amz-") || HEADER_FIELDS.contains(&name) => name,
                _ => continue,
            };
            let (Ok(header), Ok(header_value)) =
                (HeaderName::try_from(header), HeaderValue::from_bytes(value.as_bytes()))
            else {
                return Err(S3Error::invalid_argument("The field is not valid as a header.", name, value));
            };
            headers.insert(header, header_value);
        }
        Ok(headers)
    }

    /// `${filename}` before the policy is checked: what is checked is what is stored.
    fn replace_file_name(&mut self, file_name: &str) {
        // Some browsers send the whole path.
        let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or("");
        for (name, value) in &mut self.fields {
            if name == "key" {
                *value = value.replace("${filename}", file_name);
            }
        }
    }
}

fn unreadable(budget: &Budget) -> S3Error {
    if budget.is_spent() { ErrorCode::MaxPostPreDataLengthExceeded.into() } else { malformed() }
}

fn malformed() -> S3Error {
    ErrorCode::MalformedPOSTRequest.into()
}

#[cfg(test)]
#[path = "post_form/post_form_test.rs"]
mod tests;
