//! Private file: a secret on the drive that only its owner may read.
//! Owns: that it is either there whole or not at all, with mode 0600, also after a power loss.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Writes a new file; one that is there already is left as it is, with an error.
pub fn create(path: &Path, text: &str) -> io::Result<()> {
    create_with_mode(path, text, 0o600)
}

/// The same for what is no secret and lies among secrets: anybody may read it.
pub fn create_public(path: &Path, text: &str) -> io::Result<()> {
    create_with_mode(path, text, 0o644)
}

/// Writes the file anew, whether or not it was there: whole, or as it was before.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let staging = write_staging(path, text, 0o600)?;
    fs::rename(&staging, path)?;
    sync_directory_of(path)
}

fn create_with_mode(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let staging = write_staging(path, text, mode)?;
    // A link fails if the name is taken, where a rename would replace a secret that is in use.
    let linked = fs::hard_link(&staging, path);
    fs::remove_file(&staging)?;
    linked?;
    sync_directory_of(path)
}

fn write_staging(path: &Path, text: &str, mode: u32) -> io::Result<PathBuf> {
    let staging = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&staging)?;
    // A staging file that a crash left behind keeps the mode it had.
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(staging)
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// The text of a file; `None` if there is none. An error if others may read it.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if mode & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} can be read by others (mode {:03o}): run `chmod 600` on it", path.display(), mode & 0o777),
        ));
    }
    fs::read_to_string(path).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_once_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        assert_eq!(read(&path).unwrap(), None);
        create(&path, "first").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&path, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path).unwrap().as_deref(), Some("first"));
        replace(&path, "third").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("third"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no staging file stays behind");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create(&path, "text").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
