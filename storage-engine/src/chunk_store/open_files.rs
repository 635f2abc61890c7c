//! Open files: one shared handle per extent, at most so many.
//! Invariant: a handle that is evicted or whose file is removed stays usable by who holds it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::layout::ExtentId;
use super::lock::lock;
use crate::env::{Disk, DiskFile, OpenMode};
use crate::error::{Context, Result};

pub struct OpenFiles {
    directory: PathBuf,
    disk: Arc<dyn Disk>,
    files_max: usize,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    files: HashMap<ExtentId, CachedFile>,
    uses: u64,
}

struct CachedFile {
    file: Arc<dyn DiskFile>,
    last_use: u64,
}

impl OpenFiles {
    pub fn new(directory: PathBuf, disk: Arc<dyn Disk>, files_max: usize) -> Self {
        Self { directory, disk, files_max, cache: Mutex::default() }
    }

    pub fn get(&self, extent: ExtentId) -> Result<Arc<dyn DiskFile>> {
        if let Some(file) = lock(&self.cache).touch(extent) {
            return Ok(file);
        }
        let file = self.disk.open(&self.path(extent), OpenMode::Read).context("open extent")?;
        self.insert(extent, file.clone());
        Ok(file)
    }

    pub fn insert(&self, extent: ExtentId, file: Arc<dyn DiskFile>) {
        let mut cache = lock(&self.cache);
        cache.uses += 1;
        let last_use = cache.uses;
        cache.files.insert(extent, CachedFile { file, last_use });
        if cache.files.len() > self.files_max {
            cache.evict_oldest();
        }
    }

    pub fn remove(&self, extent: ExtentId) {
        lock(&self.cache).files.remove(&extent);
    }

    pub fn path(&self, extent: ExtentId) -> PathBuf {
        self.directory.join(format!("{:016x}.extent", extent.0))
    }

    /// The extent a file name stands for; `None` for a file that is none.
    pub fn extent_of_path(path: &Path) -> Option<ExtentId> {
        let id = path.file_name()?.to_str()?.strip_suffix(".extent")?;
        if id.len() != 16 { None } else { u64::from_str_radix(id, 16).ok().map(ExtentId) }
    }
}

impl Cache {
    fn touch(&mut self, extent: ExtentId) -> Option<Arc<dyn DiskFile>> {
        self.uses += 1;
        let cached = self.files.get_mut(&extent)?;
        cached.last_use = self.uses;
        Some(cached.file.clone())
    }

    /// Looks at all: there are a few hundred, and it happens once per opened file.
    fn evict_oldest(&mut self) {
        let oldest = self.files.iter().min_by_key(|(_, cached)| cached.last_use).map(|(extent, _)| *extent);
        if let Some(oldest) = oldest {
            self.files.remove(&oldest);
        }
    }
}
