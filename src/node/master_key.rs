//! Master key: what encrypts the secrets of access keys at rest.
//! Owns: where it comes from. Without it the secrets on the drive cannot be read, by anybody.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use onggi_cluster::metadata::secret_box::MASTER_KEY_BYTES;

use crate::private_file;

const VARIABLE: &str = "ONGGI_MASTER_KEY";

pub type MasterKey = [u8; MASTER_KEY_BYTES];

/// From the environment, else from the drive, where it is made at first start.
pub fn load_or_create(data_dir: &Path) -> Result<MasterKey> {
    if let Ok(text) = std::env::var(VARIABLE) {
        return parse(&text).context(VARIABLE);
    }
    let path = data_dir.join("master-key");
    if let Some(text) = private_file::read(&path).with_context(|| format!("read {}", path.display()))? {
        return parse(&text).with_context(|| path.display().to_string());
    }
    let key: MasterKey = rand::random();
    private_file::create(&path, &format!("{}\n", hex::encode(key)))
        .with_context(|| format!("write {}", path.display()))?;
    Ok(key)
}

fn parse(text: &str) -> Result<MasterKey> {
    let mut key = [0; MASTER_KEY_BYTES];
    let digits = text.trim_end();
    let decoded = hex::decode_to_slice(digits, &mut key);
    ensure!(decoded.is_ok(), "{} hex digits are expected (`openssl rand -hex 32` makes them)", 2 * MASTER_KEY_BYTES);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_on_the_drive_stays() {
        let directory = tempfile::tempdir().unwrap();
        let key = load_or_create(directory.path()).unwrap();
        assert_eq!(load_or_create(directory.path()).unwrap(), key);
    }

    #[test]
    fn anything_but_64_hex_digits_is_refused() {
        assert!(parse(&"0a".repeat(32)).is_ok());
        for bad in ["", "0a", &"0a".repeat(33), &"zz".repeat(32)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
