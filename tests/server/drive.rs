//! The drive as a program meets it: a node over HTTPS, users with tokens, files and folders.

mod changed_node;
pub mod client;
mod copy_range;
mod feed;
mod files;
mod folders;
mod links;
mod mass_delete;
mod parallel;
mod presigned;
mod resumable;
mod rewind;
mod strangers;
mod terminal;
