//! Format: our own bytes, on disk and on the wire.
//! Owns: how numbers, bytes, options and lists are written, and the version byte in front of every record.
//! Does not own: what fields a record has (its own module says so).
//! Invariant: decoding never panics and never allocates more than the input justifies, whatever the bytes are.

mod decoder;
mod encoder;
mod record;

pub use decoder::Decoder;
pub use encoder::Encoder;
pub use record::Record;

#[cfg(test)]
mod format_test;
