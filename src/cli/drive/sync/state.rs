//! State: the synced tree and the chunks of large files, in a database in the folder itself.
//! Owns: that it is of this folder and that folder of the drive, and that what is said to be kept is on the disk.

use std::path::Path;

use anyhow::{Context, Result, bail};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};

use super::delta::Chunks;
use super::tree::{Synced, Tree};

const ABOUT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("about");
const SYNCED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("synced");
const CHUNKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("chunks");

/// What a folder is synced with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub endpoint: String,
    pub user: String,
    /// Id of the folder of the drive.
    pub folder: String,
}

pub struct State {
    database: Database,
}

/// A change of what is kept.
#[derive(Debug)]
pub enum Change {
    Put(String, Box<Synced>),
    Remove(String),
    Relocate { from: String, to: String, synced: Box<Synced> },
    PutChunks(String, Chunks),
}

impl State {
    pub fn open(file: &Path, pair: &Pair) -> Result<Self> {
        let database = Database::create(file).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => anyhow::anyhow!("this folder is being synced already"),
            error => anyhow::anyhow!(error).context(format!("open {}", file.display())),
        })?;
        let state = Self { database };
        state.belong_to(pair)?;
        Ok(state)
    }

    fn belong_to(&self, pair: &Pair) -> Result<()> {
        let write = self.database.begin_write()?;
        {
            let mut about = write.open_table(ABOUT)?;
            let known = about.get("pair")?.map(|bytes| serde_json::from_slice::<Pair>(bytes.value())).transpose();
            match known.context("the folder's memory is not what this version of onggi wrote")? {
                Some(known) if known != *pair => bail!(
                    "this folder is synced with another folder of {} at {}: to sync it with this one, remove .onggi-sync from it; both \
                     will be merged, nothing is deleted",
                    known.user,
                    known.endpoint
                ),
                Some(_) => {}
                None => {
                    about.insert("pair", serde_json::to_vec(pair)?.as_slice())?;
                }
            }
            write.open_table(SYNCED)?;
            write.open_table(CHUNKS)?;
        }
        Ok(write.commit()?)
    }

    pub fn synced(&self) -> Result<Tree<Synced>> {
        let table = self.database.begin_read()?.open_table(SYNCED)?;
        let mut synced = Tree::new();
        for row in table.iter()? {
            let (key, value) = row?;
            synced.insert(key.value().to_owned(), serde_json::from_slice(value.value())?);
        }
        Ok(synced)
    }

    /// Of the contents that were synced at this key.
    pub fn chunks(&self, key: &str) -> Result<Option<Chunks>> {
        let table = self.database.begin_read()?.open_table(CHUNKS)?;
        let found = table.get(key)?;
        Ok(found.map(|bytes| serde_json::from_slice(bytes.value())).transpose()?)
    }

    /// All of it or nothing, and on the disk when this returns.
    pub fn commit(&self, changes: &[Change]) -> Result<()> {
        let write = self.database.begin_write()?;
        {
            let (mut synced, mut chunks) = (write.open_table(SYNCED)?, write.open_table(CHUNKS)?);
            for change in changes {
                match change {
                    Change::Put(key, value) => {
                        synced.insert(key.as_str(), serde_json::to_vec(value)?.as_slice())?;
                    }
                    Change::Remove(key) => {
                        synced.remove(key.as_str())?;
                        chunks.remove(key.as_str())?;
                    }
                    Change::Relocate { from, to, synced: value } => {
                        synced.remove(from.as_str())?;
                        synced.insert(to.as_str(), serde_json::to_vec(value)?.as_slice())?;
                        let moved = chunks.remove(from.as_str())?.map(|bytes| bytes.value().to_vec());
                        if let Some(bytes) = moved {
                            chunks.insert(to.as_str(), bytes.as_slice())?;
                        }
                    }
                    Change::PutChunks(key, value) => {
                        chunks.insert(key.as_str(), serde_json::to_vec(value)?.as_slice())?;
                    }
                }
            }
        }
        Ok(write.commit()?)
    }
}
