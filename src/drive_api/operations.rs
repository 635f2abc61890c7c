//! Operations of the drive API, a file for each kind.

pub mod account;
pub mod copy_range;
pub mod download;
pub mod dropbox;
pub mod entries;
pub mod events;
pub mod google;
pub mod links;
pub mod listing;
pub mod mass_delete;
pub mod presigned_upload;
pub mod resume_upload;
pub mod revisions;
pub mod rewind;
pub mod share;
pub mod trash;
pub mod tus;
pub mod upload;
pub mod upload_session;
