//! Master key: what encrypts secrets at rest, the same on all nodes of a cluster.
//! Owns: where it comes from. Without it the secrets on the drive cannot be read, by anybody.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use onggi_cluster::metadata::secret_box::{MASTER_KEY_BYTES, MasterKey};

use crate::private_file;

const VARIABLE: &str = "ONGGI_MASTER_KEY";

/// From the environment, else from the first drive that has it, so that none of them alone is needed; made on the first one at the first start of
/// a cluster.
pub fn load_or_create<'a>(data_dirs: impl Iterator<Item = &'a Path> + Clone) -> Result<MasterKey> {
    for data_dir in data_dirs.clone() {
        if let Some(key) = find(data_dir)? {
            return Ok(key);
        }
    }
    let key = MasterKey(rand::random());
    if let Some(data_dir) = data_dirs.clone().next() {
        keep(data_dir, &key)?;
    }
    Ok(key)
}

/// From the environment, else from the drive.
pub fn find(data_dir: &Path) -> Result<Option<MasterKey>> {
    if let Ok(text) = std::env::var(VARIABLE) {
        return parse(&text).context(VARIABLE).map(Some);
    }
    let path = path(data_dir);
    let text = private_file::read(&path).with_context(|| format!("read {}", path.display()))?;
    text.map(|text| parse(&text).with_context(|| path.display().to_string())).transpose()
}

pub fn keep(data_dir: &Path, key: &MasterKey) -> Result<()> {
    let path = path(data_dir);
    private_file::create(&path, &format!("{}\n", hex::encode(key.0)))
        .with_context(|| format!("write {}", path.display()))
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("master-key")
}

fn parse(text: &str) -> Result<MasterKey> {
    let mut key = [0; MASTER_KEY_BYTES];
    let digits = text.trim_end();
    let decoded = hex::decode_to_slice(digits, &mut key);
    ensure!(decoded.is_ok(), "{} hex digits are expected (`openssl rand -hex 32` makes them)", 2 * MASTER_KEY_BYTES);
    Ok(MasterKey(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_on_the_drive_stays() {
        let directory = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let key = load_or_create([directory.path()].into_iter()).unwrap();
        assert_eq!(load_or_create([directory.path()].into_iter()).unwrap(), key);
        assert_eq!(load_or_create([other.path(), directory.path()].into_iter()).unwrap(), key);
    }

    #[test]
    fn anything_but_64_hex_digits_is_refused() {
        assert!(parse(&"0a".repeat(32)).is_ok());
        for bad in ["", "0a", &"0a".repeat(33), &"zz".repeat(32)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
