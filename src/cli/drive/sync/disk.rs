//! Disk: changes of the local folder, each of which is done whole or not at all.
//! Owns: that nothing is replaced or removed but what was seen, and that nothing outside the folder is reached.

use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::scan::{identity, stamp};
use super::tree::{Identity, Stamp, Synced, Tree, ancestors};

/// Of the synced folder: the memory, and what is on its way. Not synced itself.
pub const HIDDEN: &str = ".onggi-sync";
/// Kinds of files in it: on their way out, up, and down.
const GONE: &str = "gone-";
pub const UP: &str = "up-";
pub const DOWN: &str = "down-";
/// Uploads live no longer on the drive.
const TRANSFER_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// A name for what is set aside is found long before.
const NAMES_MAX: u32 = 1000;

pub struct Disk {
    dir: PathBuf,
    hidden: PathBuf,
    /// Of files that are set aside: `conflicted copy laptop 2026-11-23`.
    label: String,
}

/// Something else stands there than what was seen: look again.
#[derive(Debug, thiserror::Error)]
#[error("it changed meanwhile")]
pub struct Changed;

impl Disk {
    pub fn open(dir: &Path, device: &str) -> Result<Self> {
        let hidden = dir.join(HIDDEN);
        std::fs::create_dir_all(&hidden).with_context(|| format!("create {}", hidden.display()))?;
        let label = format!("conflicted copy {}", device.replace(|c: char| !c.is_alphanumeric() && c != '-', " "));
        Ok(Self { dir: dir.to_owned(), hidden, label: label.trim().to_owned() })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// For what is not synced.
    pub fn hidden(&self, name: &str) -> PathBuf {
        self.hidden.join(name)
    }

    /// A folder that is not mounted any more is not an empty one.
    pub fn check(&self) -> Result<()> {
        if !self.hidden.is_dir() {
            bail!("{} is gone: is the disk still mounted? Nothing was touched", self.hidden.display());
        }
        Ok(())
    }

    /// On the disk for sure, whatever was changed so far.
    pub fn sync(&self) -> Result<()> {
        let dir = File::open(&self.dir)?;
        rustix::fs::syncfs(&dir).with_context(|| format!("sync {}", self.dir.display()))
    }

    /// No symbolic link leads out of the folder.
    fn at(&self, path: &str) -> Result<PathBuf> {
        for folder in ancestors(path) {
            let is_folder = self.dir.join(folder).symlink_metadata().is_ok_and(|found| found.is_dir());
            if !is_folder {
                return Err(Changed.into());
            }
        }
        Ok(self.dir.join(path))
    }

    pub fn open_file(&self, path: &str, seen: &Stamp) -> Result<File> {
        let file = File::open(self.at(path)?).map_err(|_| Changed)?;
        if stamp(&file.metadata()?) != *seen {
            return Err(Changed.into());
        }
        Ok(file)
    }

    /// The whole file `new` takes the place; `old`: what must stand there. What stands there instead, if it changed in the last moment, is kept
    /// under another name.
    pub fn place(&self, new: &Path, path: &str, old: Option<&Stamp>) -> Result<(Stamp, Option<Identity>)> {
        let target = self.at(path)?;
        let Some(old) = old else {
            rename(new, &target, RenameFlags::NOREPLACE)?;
            return placed(&target.symlink_metadata()?);
        };
        let standing = target.symlink_metadata().map_err(|_| Changed)?;
        if stamp(&standing) != *old {
            return Err(Changed.into());
        }
        std::fs::set_permissions(new, standing.permissions())?;
        self.exchange(new, &target, path, old)?;
        placed(&target.symlink_metadata()?)
    }

    /// What stood at the target is removed if it is `old`.
    fn exchange(&self, new: &Path, target: &Path, path: &str, old: &Stamp) -> Result<()> {
        rename(new, target, RenameFlags::EXCHANGE)?;
        let replaced = new.symlink_metadata()?;
        if replaced.is_file() && is_same_but_renamed(&replaced, old) {
            return Ok(std::fs::remove_file(new)?);
        }
        self.keep_beside(new, path)
    }

    pub fn remove_file(&self, path: &str, seen: &Stamp) -> Result<()> {
        let target = self.at(path)?;
        let aside = self.hidden(&format!("{GONE}{}", seen.inode));
        rename(&target, &aside, RenameFlags::NOREPLACE)?;
        let removed = aside.symlink_metadata()?;
        if removed.is_file() && is_same_but_renamed(&removed, seen) {
            return Ok(std::fs::remove_file(&aside)?);
        }
        if rename(&aside, &target, RenameFlags::NOREPLACE).is_err() {
            self.keep_beside(&aside, path)?;
        }
        Err(Changed.into())
    }

    /// What a run that was killed left: a file on its way out goes on, or comes back if it is not what was to be removed; parts of
    /// transfers that nobody went on with for long are removed.
    pub fn recover(&self, synced: &Tree<Synced>) -> Result<()> {
        for entry in std::fs::read_dir(&self.hidden)? {
            let entry = entry?;
            let (name, found) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?);
            if name.starts_with(GONE) {
                let mut files = synced.values().filter_map(Synced::file);
                match files.any(|(_, file)| is_same_but_renamed(&found, &file.stamp)) {
                    true => std::fs::remove_file(entry.path())?,
                    false => self.keep_beside(&entry.path(), "recovered")?,
                }
            } else if [UP, DOWN].iter().any(|kind| name.starts_with(kind)) {
                let age = found.modified()?.elapsed().unwrap_or_default();
                if age > TRANSFER_AGE_MAX {
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// Only when it is empty.
    pub fn remove_folder(&self, path: &str) -> Result<()> {
        std::fs::remove_dir(self.at(path)?).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound | ErrorKind::NotADirectory => Changed.into(),
            _ => error.into(),
        })
    }

    pub fn make_folder(&self, path: &str) -> Result<Option<Identity>> {
        let target = self.at(path)?;
        match std::fs::create_dir(&target) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        let made = target.symlink_metadata()?;
        if made.is_dir() { Ok(identity(&made)) } else { Err(Changed.into()) }
    }

    pub fn relocate(&self, from: &str, to: &str) -> Result<()> {
        rename(&self.at(from)?, &self.at(to)?, RenameFlags::NOREPLACE)
    }

    /// Under a name of its own, in the same folder.
    pub fn set_aside(&self, path: &str) -> Result<()> {
        self.keep_beside(&self.at(path)?, path)
    }

    fn keep_beside(&self, what: &Path, path: &str) -> Result<()> {
        let target = self.at(path)?;
        let part = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).map(str::to_owned);
        let stem = part(target.file_stem()).unwrap_or_default();
        let extension = part(target.extension()).map(|extension| format!(".{extension}")).unwrap_or_default();
        let date = time::OffsetDateTime::now_utc().date();
        for number in 1..=NAMES_MAX {
            let count = if number == 1 { String::new() } else { format!(" {number}") };
            // Room for the label: names have at most 255 bytes.
            let stem: String = stem.chars().take(120 / stem.chars().map(char::len_utf8).max().unwrap_or(1)).collect();
            let name = format!("{stem} ({} {date}{count}){extension}", self.label);
            match renameat_with(CWD, what, CWD, target.with_file_name(name), RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error).with_context(|| format!("set {path} aside")),
            }
        }
        bail!("there are {NAMES_MAX} conflicted copies of {path} of today already")
    }
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> Result<()> {
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, flags) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST | Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY) => Err(Changed.into()),
        Err(Errno::INVAL | Errno::NOSYS) => {
            bail!("the file system of {} cannot rename without replacing (renameat2)", to.display())
        }
        Err(error) => Err(error).with_context(|| format!("rename {} to {}", from.display(), to.display())),
    }
}

/// A rename changes the change time.
fn is_same_but_renamed(found: &Metadata, seen: &Stamp) -> bool {
    Stamp { changed_ns: seen.changed_ns, ..stamp(found) } == *seen
}

fn placed(found: &Metadata) -> Result<(Stamp, Option<Identity>)> {
    Ok((stamp(found), identity(found)))
}

#[cfg(test)]
mod disk_test;
