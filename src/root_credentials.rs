//! Root credentials: the access key of a new cluster's first user.
//! Owns: where they come from: the environment, the drive, or the dice at first start.
//! Invariant: those from the environment are never written to the drive.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::private_file;
use crate::services::{KeyPair, Secret};

pub const ACCESS_KEY_VARIABLE: &str = "ONGGI_ROOT_ACCESS_KEY";
pub const SECRET_KEY_VARIABLE: &str = "ONGGI_ROOT_SECRET_KEY";

pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("root-credentials")
}

/// From the environment, else from the drive.
pub fn find(data_dir: &Path) -> Result<Option<KeyPair>> {
    match from_environment()? {
        Some(credentials) => Ok(Some(credentials)),
        None => read(data_dir),
    }
}

/// New ones, kept on the drive.
pub fn create(data_dir: &Path) -> Result<KeyPair> {
    let credentials = KeyPair::generate();
    let (access_key, secret_key) = (&credentials.access_key, credentials.secret.expose());
    // As a shell or an environment file reads it.
    let text = format!("{ACCESS_KEY_VARIABLE}={access_key}\n{SECRET_KEY_VARIABLE}={secret_key}\n");
    private_file::create(&path(data_dir), &text).with_context(|| format!("write {}", path(data_dir).display()))?;
    Ok(credentials)
}

pub fn from_environment() -> Result<Option<KeyPair>> {
    parse(std::env::var(ACCESS_KEY_VARIABLE).ok(), std::env::var(SECRET_KEY_VARIABLE).ok())
}

fn read(data_dir: &Path) -> Result<Option<KeyPair>> {
    let path = path(data_dir);
    let Some(text) = private_file::read(&path).with_context(|| format!("read {}", path.display()))? else {
        return Ok(None);
    };
    let value =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_string);
    parse(value(ACCESS_KEY_VARIABLE), value(SECRET_KEY_VARIABLE)).with_context(|| format!("in {}", path.display()))
}

fn parse(access_key: Option<String>, secret_key: Option<String>) -> Result<Option<KeyPair>> {
    let (access_key, secret_key) = match (access_key, secret_key) {
        (None, None) => return Ok(None),
        (Some(access_key), Some(secret_key)) => (access_key, secret_key),
        _ => bail!("{ACCESS_KEY_VARIABLE} and {SECRET_KEY_VARIABLE} belong together: set both or none"),
    };
    let well_formed = |c: char| c.is_ascii_alphanumeric() || "-_.+=@".contains(c);
    if !(3..=128).contains(&access_key.len()) || !access_key.chars().all(well_formed) {
        bail!("{ACCESS_KEY_VARIABLE} must have 3 to 128 letters, digits or -_.+=@");
    }
    if !(8..=128).contains(&secret_key.len()) || !secret_key.chars().all(|c| c.is_ascii_graphic()) {
        bail!("{SECRET_KEY_VARIABLE} must have 8 to 128 printable ASCII characters without spaces");
    }
    Ok(Some(KeyPair { access_key, secret: Secret::new(secret_key) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        assert!(read(directory.path()).unwrap().is_none());
        let made = create(directory.path()).unwrap();
        let found = read(directory.path()).unwrap().unwrap();
        assert_eq!((found.access_key, found.secret), (made.access_key, made.secret));
    }

    #[test]
    fn both_or_none_and_of_a_decent_length() {
        let check = |access_key: Option<&str>, secret_key: Option<&str>| {
            parse(access_key.map(str::to_string), secret_key.map(str::to_string)).map(|found| found.is_some())
        };
        assert!(!check(None, None).unwrap());
        assert!(check(Some("admin"), Some("long-enough")).unwrap());
        for (access_key, secret_key) in [
            (Some("admin"), None),
            (None, Some("12345678")),
            (Some("a"), Some("12345678")),
            (Some("admin"), Some("short")),
        ] {
            assert!(check(access_key, secret_key).is_err(), "{access_key:?} {secret_key:?}");
        }
    }
}
