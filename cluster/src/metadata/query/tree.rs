//! Queries of a tree: where an entry stands, what a folder holds, what changed, what lies in the trash.
//! Owns: paths to entries and back, and the pages of folders, revisions, feed, trash, sessions and links.

pub mod as_bucket;
mod changes;
mod file_keys;
mod find;
mod list;
mod page;
mod past;
mod rewind;
mod walk;

pub use changes::{ChangesAfter, ChangesPage, TreeEvent, changes};
pub use find::{DEPTH_MAX, Found, Route, Spot, find, find_below, route_of, tree};
pub use list::{
    FolderPage, all_revisions, brake, link, links, list_folder, revision, revisions, session, session_parts, sessions,
    trash, trash_item,
};
pub use rewind::{Preview, earliest, preview};
pub use walk::{Walk, WalkPage, Walked, walk};

pub(crate) use changes::vacated_places;
pub(crate) use find::{ROUTE_MAX, child};
pub(crate) use list::{named_children, session_part_keys};
pub(crate) use past::{Fate, Past, Seat, Standing, Verdict, entries_of, stood};
pub(crate) use rewind::{moments, rewind_page, since};
