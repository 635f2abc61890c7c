//! Replies: the HTTP responses of the S3 API and their bodies.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use crate::services::{BoxError, ObjectBytes};

pub type Reply = Response<ReplyBody>;

pub const APPLICATION_XML: HeaderValue = HeaderValue::from_static("application/xml");

/// What goes out: one piece, or a stream of a known or unknown length.
pub enum ReplyBody {
    Whole(Bytes),
    Stream { pieces: BoxStream<'static, Result<Bytes, BoxError>>, bytes_left: Option<u64> },
}

impl ReplyBody {
    pub fn empty() -> Self {
        Self::Whole(Bytes::new())
    }

    /// `bytes`: of the whole range that was opened.
    pub fn object(opened: ObjectBytes, bytes: u64) -> Self {
        let Some(rest) = opened.rest else {
            return Self::Whole(opened.first);
        };
        let first = futures::stream::iter([Ok(opened.first)]);
        let pieces = first.chain(rest.map(|piece| piece.map_err(BoxError::from))).boxed();
        Self::Stream { pieces, bytes_left: Some(bytes) }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream { pieces, bytes_left } => {
                let piece = futures::ready!(Pin::new(pieces).poll_next(cx));
                if let (Some(Ok(bytes)), Some(left)) = (&piece, bytes_left) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Stream { bytes_left, .. } => *bytes_left == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream { bytes_left: Some(left), .. } => SizeHint::with_exact(*left),
            Self::Stream { bytes_left: None, .. } => SizeHint::default(),
        }
    }
}

pub fn empty(status: StatusCode) -> Reply {
    with_body(status, ReplyBody::empty())
}

/// 200 with a document.
pub fn xml(document: String) -> Reply {
    let mut reply = with_body(StatusCode::OK, ReplyBody::Whole(document.into()));
    reply.headers_mut().insert(CONTENT_TYPE, APPLICATION_XML);
    reply
}

pub fn with_body(status: StatusCode, body: ReplyBody) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply
}

/// For text of our own making (numbers, hex, dates) and text that came out of a header.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, text: impl Into<String>) {
    if let Ok(value) = HeaderValue::try_from(text.into()) {
        headers.insert(name, value);
    }
}
