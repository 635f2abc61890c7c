//! XML: request documents in, response documents out. One file per document family.
//! Owns: limits on what is parsed, escaping of what is written.

pub mod writer;
