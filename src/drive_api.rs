//! The drive API: files and folders over HTTP, for programs and for the web page (docs/drive.md).
//! Owns: the forms on the wire, and the doors for clients of other drives. Does not own: what an operation does (services).

pub mod accounts;
pub mod auth;
pub mod cursor;
pub mod description;
pub mod error;
pub mod operations;
pub mod router;

mod answer_json;
mod entry_json;
mod escaped_json;
mod file_metadata;
mod html;
mod media_type;
mod multipart;
mod request;
mod seal;
mod text_form;
mod upload_range;

pub use router::DriveApi;
