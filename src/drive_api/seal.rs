//! Seal: text that a client keeps for us and cannot change: what it says, and a tag that only this cluster can make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// As long as a guess must be to be hopeless; sealed text opens nothing by itself.
const TAG_BYTES: usize = 16;
/// The longest path, twice over.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Of the whole cluster, so that any node reads what another one wrote. Cheap to clone.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// `purpose`: what is sealed for one is nothing for another.
    pub fn derive(master_key: &[u8; 32], purpose: &str) -> Self {
        let mut key = [0; 32];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(master_key) {
            mac.update(purpose.as_bytes());
            key.copy_from_slice(&mac.finalize().into_bytes());
        }
        Self(key)
    }

    pub fn seal(&self, bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode([&self.tag(bytes)[..], bytes].concat())
    }

    /// `None`: not ours, or changed.
    pub fn open(&self, text: &str) -> Option<Vec<u8>> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, bytes) = sealed.split_first_chunk::<TAG_BYTES>()?;
        let is_ours: bool = self.tag(bytes)[..].ct_eq(&tag[..]).into();
        is_ours.then(|| bytes.to_vec())
    }

    fn tag(&self, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(bytes);
            tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cannot_be_made_or_changed() {
        let key = SealKey::derive(&[7; 32], "test");
        let text = key.seal(b"what it says");
        assert_eq!(key.open(&text).as_deref(), Some(&b"what it says"[..]));
        let sealed = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(changed)), None);
            assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(&sealed[..at])), None);
        }
        assert_eq!(SealKey::derive(&[8; 32], "test").open(&text), None, "of another cluster");
        assert_eq!(SealKey::derive(&[7; 32], "another").open(&text), None, "for something else");
        for bad in ["", "not base64!", &"A".repeat(TEXT_BYTES_MAX + 1)] {
            assert_eq!(key.open(bad), None);
        }
    }
}
