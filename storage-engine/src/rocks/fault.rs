//! What a RocksDB error means to the caller.

use crate::error::{Error, ErrorKind};

pub(super) fn fault(context: &str, source: rocksdb::Error) -> Error {
    let kind = match source.kind() {
        // The C interface gives no sub-code: this text is RocksDB's own for `Status::NoSpace`.
        rocksdb::ErrorKind::IOError if source.as_ref().contains("No space left on device") => ErrorKind::Full,
        rocksdb::ErrorKind::IOError => ErrorKind::DriveFailed,
        rocksdb::ErrorKind::Corruption => ErrorKind::Corrupt,
        rocksdb::ErrorKind::NotFound => ErrorKind::NotFound,
        rocksdb::ErrorKind::Incomplete => ErrorKind::WouldBlock,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, context).with_source(source)
}
