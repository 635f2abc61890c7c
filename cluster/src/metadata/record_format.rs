//! Record format: the bytes of every record (docs/data-layout.md, "Values").
//! Owns: the version of each record and the order of its fields, one file for each family.
//! Does not own: how a number or a text is written (`field`, `storage_engine::format`).

mod account;
mod bucket;
mod group;
mod identity;
mod membership;
mod object;
mod tree;
mod upload;
