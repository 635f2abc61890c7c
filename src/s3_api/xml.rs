//! XML: request documents in, response documents out. One file per document family.
//! Owns: limits on what is parsed, escaping of what is written.

pub mod bucket_settings;
pub mod copy;
pub mod cors;
pub mod delete_objects;
pub mod elements;
pub mod list_objects;
pub mod list_uploads;
pub mod list_versions;
pub mod multipart;
pub mod object_attributes;
pub mod reader;
pub mod writer;
