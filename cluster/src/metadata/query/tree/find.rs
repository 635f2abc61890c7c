//! Find: from a path or an id to a live entry, and the folders above it.
//! Invariant: every live entry reaches the root; what does not is in the trash.

use crate::error::{Error, ErrorKind, Result};
use crate::id::{BucketId, EntryId, OwnerKey};
use crate::metadata::command::tree::At;
use crate::metadata::key::{BucketSpace, TreeSpace};
use crate::metadata::outcome::Refusal;
use crate::metadata::record::tree::{EntryName, EntryRecord, NameRecord, PlaceRecord, TreeRecord};
use crate::metadata::view::{MetadataView, record};

/// Folders above a new entry, the root included. Every change below costs a row for each of them.
pub const DEPTH_MAX: usize = 128;
/// A folder that moves takes what is below it deeper than that. More than this is a circle.
pub(crate) const ROUTE_MAX: usize = 1 << 16;

pub fn tree(view: &dyn MetadataView, owner: OwnerKey, bucket: BucketId) -> Result<Option<TreeRecord>> {
    record(view, &TreeSpace(BucketSpace::new(owner, bucket)).tree())
}

/// A live entry, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The folders above it; empty for the root.
    pub route: Route,
    pub name: EntryName,
    pub record: EntryRecord,
}

/// Folders from the root down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    spots: Vec<Spot>,
}

/// A folder, and under what its record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    pub id: EntryId,
    pub parent: EntryId,
    pub name: String,
}

impl Route {
    pub fn root() -> Self {
        Self { spots: vec![Spot { id: EntryId::ROOT, parent: EntryId::NONE, name: String::new() }] }
    }

    /// The last folder of the way; that in which an entry stands.
    pub fn folder(&self) -> EntryId {
        self.spots.last().map_or(EntryId::NONE, |spot| spot.id)
    }

    pub fn depth(&self) -> usize {
        self.spots.len()
    }

    pub fn contains(&self, entry: EntryId) -> bool {
        self.spots.iter().any(|spot| spot.id == entry)
    }

    pub fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// Of the last folder: a slash before each name, and so empty for the root.
    pub fn path(&self) -> String {
        self.spots.iter().skip(1).flat_map(|spot| ["/", &spot.name]).collect()
    }
}

impl Found {
    /// `/A/b.txt`; empty for the root.
    pub fn path(&self) -> String {
        match self.route.spots.is_empty() {
            true => String::new(),
            false => format!("{}/{}", self.route.path(), self.name.name),
        }
    }

    /// The way on through this folder.
    pub fn into_route(self) -> Result<Route, Refusal> {
        if !self.record.is_folder() {
            return Err(Refusal::NotAFolder);
        }
        let parent = self.route.folder();
        let mut spots = self.route.spots;
        spots.push(Spot { id: self.record.id, parent, name: self.name.name });
        Ok(Route { spots })
    }
}

/// `None`: nothing there, or in the trash.
pub fn find(view: &dyn MetadataView, space: TreeSpace, at: &At) -> Result<Option<Found>> {
    match at {
        At::Path(path) => find_path(view, space, path),
        At::Entry(entry) => find_entry(view, space, *entry),
    }
}

fn find_path(view: &dyn MetadataView, space: TreeSpace, path: &[EntryName]) -> Result<Option<Found>> {
    let root = root(view, space)?;
    find_below(view, space, root, path)
}

/// What lies at `path` below a live entry; with no path, that itself.
pub fn find_below(view: &dyn MetadataView, space: TreeSpace, top: Found, path: &[EntryName]) -> Result<Option<Found>> {
    let mut found = top;
    for name in path {
        let Ok(route) = found.into_route() else {
            return Ok(None);
        };
        match child(view, space, &route, &name.key)? {
            Some(next) => found = next,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

fn find_entry(view: &dyn MetadataView, space: TreeSpace, entry: EntryId) -> Result<Option<Found>> {
    if entry == EntryId::ROOT {
        return root(view, space).map(Some);
    }
    let Some(PlaceRecord::Live { parent, name }) = record(view, &space.place(entry))? else {
        return Ok(None);
    };
    let Some(route) = route_of(view, space, parent)? else {
        return Ok(None);
    };
    let found = child(view, space, &route, &name.key)?;
    found.filter(|found| found.record.id == entry).map(Some).ok_or_else(|| misplaced(entry))
}

fn root(view: &dyn MetadataView, space: TreeSpace) -> Result<Found> {
    let record: EntryRecord =
        record(view, &space.entry(EntryId::NONE, "", true))?.ok_or_else(|| misplaced(EntryId::ROOT))?;
    let name = EntryName { name: String::new(), key: String::new() };
    Ok(Found { route: Route::default(), name, record })
}

/// The way from the root to a folder; `None` if it is in the trash, or below something that is.
pub fn route_of(view: &dyn MetadataView, space: TreeSpace, folder: EntryId) -> Result<Option<Route>> {
    let mut spots = Vec::new();
    let mut at = folder;
    while at != EntryId::ROOT {
        if spots.len() > ROUTE_MAX {
            return Err(Error::new(ErrorKind::Corrupt, format!("entry {} is too deep, or in a circle", folder.0)));
        }
        let Some(PlaceRecord::Live { parent, name }) = record(view, &space.place(at))? else {
            return Ok(None);
        };
        spots.push(Spot { id: at, parent, name: name.name });
        at = parent;
    }
    let mut route = Route::root();
    route.spots.extend(spots.into_iter().rev());
    Ok(Some(route))
}

/// What has the folded name in the folder at the end of `route`.
pub(crate) fn child(view: &dyn MetadataView, space: TreeSpace, route: &Route, folded: &str) -> Result<Option<Found>> {
    let parent = route.folder();
    let Some(NameRecord { name, is_folder }) = record(view, &space.name(parent, folded))? else {
        return Ok(None);
    };
    let entry: EntryRecord = record(view, &space.entry(parent, &name, is_folder))?.ok_or_else(|| misplaced(parent))?;
    let name = EntryName { name, key: folded.to_owned() };
    Ok(Some(Found { route: route.clone(), name, record: entry }))
}

fn misplaced(entry: EntryId) -> Error {
    Error::new(ErrorKind::Corrupt, format!("entry {} is not where it should be", entry.0))
}
