//! Reader: a range of a blob as a stream of verified pieces.

use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, stream};

use crate::error::{Error, ErrorKind, Result};
use crate::metadata::record::Content;

pub type ContentStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

pub(super) fn read(_content: &Content, _bytes: u64, _range: Range<u64>) -> ContentStream {
    Box::pin(stream::iter([Err(Error::new(ErrorKind::Unavailable, "data is not started"))]))
}
