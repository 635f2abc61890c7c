//! Link token: the text in a link's address: `onl_` and base64url of user (8) ‖ link (16) ‖ tag (16).
//! Owns: the key that tags them, and the proof that a password was said.
//! Invariant: the text is never logged or stored, its SHA-256 is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use onggi_cluster::id::{LinkId, UserId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::services::Secret;

const PREFIX: &str = "onl_";
const USER_BYTES: usize = 8;
const IDS_BYTES: usize = USER_BYTES + 16;
/// Nobody guesses 128 bits.
const TAG_BYTES: usize = 16;

type Tag = [u8; TAG_BYTES];

/// Of the whole cluster: any node opens what another one made.
#[derive(Clone)]
pub(in crate::services) struct ShareKey([u8; 32]);

/// One of ours; whether the link still stands its record says.
pub(super) struct LinkToken {
    pub user: UserId,
    pub link: LinkId,
    text: Secret,
}

impl ShareKey {
    pub(in crate::services) fn derive(master_key: &[u8; 32]) -> Self {
        Self(mac(master_key, &[b"onggi share link v1"]))
    }

    pub(super) fn token(&self, user: UserId, link: LinkId) -> LinkToken {
        let mut bytes = [0; IDS_BYTES + TAG_BYTES];
        bytes[..USER_BYTES].copy_from_slice(&user.0.to_be_bytes());
        bytes[USER_BYTES..IDS_BYTES].copy_from_slice(&link.0);
        let tag = self.tag(b"link", &[&bytes[..IDS_BYTES]]);
        bytes[IDS_BYTES..].copy_from_slice(&tag);
        LinkToken { user, link, text: Secret::new(PREFIX.to_owned() + &URL_SAFE_NO_PAD.encode(bytes)) }
    }

    pub(super) fn parse(&self, text: &str) -> Option<LinkToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; IDS_BYTES + TAG_BYTES] = bytes.try_into().ok()?;
        let (user, rest) = bytes.split_first_chunk::<USER_BYTES>()?;
        let token = self.token(UserId(u64::from_be_bytes(*user)), LinkId(*rest.first_chunk()?));
        let is_ours: bool = token.text.expose().as_bytes().ct_eq(text.as_bytes()).into();
        is_ours.then_some(token)
    }

    /// Shows until `expires_ms` that the link's password was said, while it is the one with this hash.
    pub(super) fn unlock_proof(&self, link: LinkId, password_hash: &str, expires_ms: u64) -> String {
        let time = expires_ms.to_be_bytes();
        let tag = self.tag(b"unlock", &[&link.0, &time, password_hash.as_bytes()]);
        URL_SAFE_NO_PAD.encode([&time[..], &tag[..]].concat())
    }

    pub(super) fn is_unlocked(&self, link: LinkId, password_hash: &str, proof: &str, now_ms: u64) -> bool {
        let time = URL_SAFE_NO_PAD.decode(proof).ok().and_then(|bytes| bytes.first_chunk().copied());
        let Some(expires_ms) = time.map(u64::from_be_bytes).filter(|expires_ms| now_ms < *expires_ms) else {
            return false;
        };
        self.unlock_proof(link, password_hash, expires_ms).as_bytes().ct_eq(proof.as_bytes()).into()
    }

    fn tag(&self, purpose: &[u8], parts: &[&[u8]]) -> Tag {
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&mac(&self.0, &[&[purpose][..], parts].concat())[..TAG_BYTES]);
        tag
    }
}

impl LinkToken {
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.expose()).into()
    }

    pub fn into_text(self) -> Secret {
        self.text
    }
}

/// Only the last part may have any length.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut tag = [0; 32];
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        parts.iter().for_each(|part| mac.update(part));
        tag.copy_from_slice(&mac.finalize().into_bytes());
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: LinkId = LinkId([7; 16]);

    #[test]
    fn a_token_says_what_it_opens_and_nobody_else_can_make_one() {
        let key = ShareKey::derive(&[1; 32]);
        let text = key.token(UserId(5), LINK).into_text();
        let text = text.expose();
        let parsed = key.parse(text).unwrap();
        assert_eq!((parsed.user, parsed.link), (UserId(5), LINK));
        assert_eq!(parsed.hash(), key.token(UserId(5), LINK).hash());
        assert!(ShareKey::derive(&[2; 32]).parse(text).is_none(), "of another cluster");
        let at = |place: usize| {
            let mut changed = text.as_bytes().to_vec();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            String::from_utf8(changed).unwrap()
        };
        let changed: Vec<String> = (PREFIX.len()..text.len()).map(at).collect();
        for bad in changed.iter().map(String::as_str).chain(["", "onl_", &text[4..], &text[..text.len() - 1]]) {
            assert!(key.parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_proof_is_for_one_link_one_password_and_some_time() {
        let key = ShareKey::derive(&[1; 32]);
        let proof = key.unlock_proof(LINK, "hash", 1000);
        assert!(key.is_unlocked(LINK, "hash", &proof, 999));
        assert!(!key.is_unlocked(LINK, "hash", &proof, 1000), "too late");
        assert!(!key.is_unlocked(LINK, "another", &proof, 999), "the password was changed");
        assert!(!key.is_unlocked(LinkId([8; 16]), "hash", &proof, 999));
        let later = URL_SAFE_NO_PAD
            .encode([&2000_u64.to_be_bytes()[..], &URL_SAFE_NO_PAD.decode(&proof).unwrap()[8..]].concat());
        assert!(!key.is_unlocked(LINK, "hash", &later, 999), "a time of one's own");
        assert!(!key.is_unlocked(LINK, "hash", "", 0) && !key.is_unlocked(LINK, "hash", "AAAA", 0));
    }
}
