//! Keep-alive: operations that may take longer than clients and proxies wait for a first byte.
//! Owns: when the reply begins before its outcome is known: 200, then white space, then the document or an error in its
//! place (Amazon S3 API Reference, CompleteMultipartUpload; clients look for `<Error>` in these replies).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::reply::{self, APPLICATION_XML, Reply, ReplyBody};
use crate::s3_api::xml::writer::XmlWriter;

#[derive(Clone, Copy)]
struct Timing {
    /// Up to here a reply has its true status.
    patience: Duration,
    /// Between two pieces of white space.
    interval: Duration,
}

/// Shorter than any proxy's idle timeout that we know of.
const TIMING: Timing = Timing { patience: Duration::from_secs(5), interval: Duration::from_secs(10) };

type Work = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// `work` ends in a reply that is one XML document.
pub async fn keep_alive(
    request_id: Arc<str>,
    work: impl Future<Output = Result<Reply>> + Send + 'static,
) -> Result<Reply> {
    with_timing(request_id, TIMING, Box::pin(work)).await
}

async fn with_timing(request_id: Arc<str>, timing: Timing, mut work: Work) -> Result<Reply> {
    match tokio::time::timeout(timing.patience, &mut work).await {
        Ok(outcome) => outcome,
        Err(_still_working) => Ok(begun(request_id, timing, work)),
    }
}

fn begun(request_id: Arc<str>, timing: Timing, work: Work) -> Reply {
    let declaration = futures::stream::iter([Ok(Bytes::from(XmlWriter::document().finish()))]);
    let rest = futures::stream::unfold(Some(work), move |work| {
        let request_id = request_id.clone();
        async move {
            let mut work = work?;
            match tokio::time::timeout(timing.interval, &mut work).await {
                Err(_still_working) => Some((Ok(Bytes::from_static(b" ")), Some(work))),
                Ok(outcome) => Some((Ok(ending(outcome, &request_id)), None)),
            }
        }
    });
    let body = ReplyBody::Stream { pieces: declaration.chain(rest).boxed(), bytes_left: None };
    let mut reply = reply::with_body(StatusCode::OK, body);
    reply.headers_mut().insert(CONTENT_TYPE, APPLICATION_XML);
    reply
}

/// The document without its declaration, which is on the wire already.
fn ending(outcome: Result<Reply>, request_id: &str) -> Bytes {
    let declaration_bytes = XmlWriter::document().finish().len();
    match outcome.map(Reply::into_body) {
        Ok(ReplyBody::Whole(document)) => document.slice(declaration_bytes.min(document.len())..),
        Ok(ReplyBody::Stream { .. }) => Bytes::new(),
        Err(error) => error_element(&error, request_id),
    }
}

fn error_element(error: &S3Error, request_id: &str) -> Bytes {
    let mut xml = XmlWriter::fragment();
    error.write_into(&mut xml, request_id, crate::s3_api::api::HOST_ID);
    xml.finish().into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::{Timing, reply, with_timing};
    use crate::s3_api::error::{ErrorCode, Result};
    use crate::s3_api::reply::Reply;
    use crate::s3_api::xml::writer::XmlWriter;

    const TIMING: Timing = Timing { patience: Duration::from_millis(100), interval: Duration::from_millis(10) };

    async fn text_after(ms: u64, outcome: Result<Reply>) -> Result<String> {
        let work = Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            outcome
        });
        let body = with_timing("ID".into(), TIMING, work).await?.into_body();
        let body = body.collect().await.map_err(|_| ErrorCode::InternalError)?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    }

    fn document() -> Result<Reply> {
        Ok(reply::xml(XmlWriter::root("R", |_| ())))
    }

    #[tokio::test]
    async fn quick_outcomes_have_their_status() {
        assert_eq!(text_after(0, document()).await.unwrap(), XmlWriter::root("R", |_| ()));
        let error = text_after(0, Err(ErrorCode::InvalidPart.into())).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidPart);
    }

    #[tokio::test]
    async fn slow_outcomes_come_after_white_space() {
        let text = text_after(200, document()).await.unwrap();
        assert!(text.ends_with("  <R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></R>"), "{text}");
        let text = text_after(200, Err(ErrorCode::InvalidPart.into())).await.unwrap();
        assert!(text.contains("  <Error><Code>InvalidPart</Code>"), "{text}");
        assert_eq!(text.matches("<?xml").count(), 1);
    }
}
