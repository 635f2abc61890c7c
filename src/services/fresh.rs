//! Fresh ids and keys: the one place of the services that rolls dice and reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use onggi_cluster::id::UploadId;
use rand::RngExt as _;

use super::secret::Secret;

/// Makes the ids of versions unique (they travel in the command, so that `apply` needs no dice).
pub(super) fn random() -> u64 {
    rand::random()
}

pub(super) fn fill(bytes: &mut [u8]) {
    rand::fill(bytes);
}

pub(super) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Today, in UTC: `2026-11-22`.
pub(super) fn date() -> String {
    let date = time::OffsetDateTime::now_utc().date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

pub(super) fn upload_id() -> UploadId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&unix_ms().to_be_bytes()[2..]);
    rand::fill(&mut bytes[6..]);
    UploadId(bytes)
}

/// An access key and its secret, in the form of Amazon's: 20 and 40 characters.
#[derive(Clone, Debug)]
pub struct KeyPair {
    pub access_key: String,
    pub secret: Secret,
}

impl KeyPair {
    pub fn generate() -> Self {
        const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        Self { access_key: format!("OG{}", text(UPPER, 18)), secret: Secret::new(text(MIXED, 40)) }
    }
}

fn text(alphabet: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
}
