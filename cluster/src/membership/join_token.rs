//! Join token: what an operator carries from a member to the machine that shall join.
//! Owns: its text. It holds a private key, so whoever has it can join, once, until it expires.
//! Invariant: a text that was cut or mistyped is told from one that was never a token.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, TokenId};
use crate::peer::authority::{PeerCredentials, PeerKey};

const PREFIX: &str = "onggi-join-";
/// Three times what we write.
const TEXT_BYTES_MAX: usize = 8192;
const CHECKSUM_BYTES: usize = 4;

#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    pub cluster: ClusterId,
    pub token: TokenId,
    /// The authority is in it as a whole, so the joiner checks the member it calls before it sends anything.
    pub credentials: PeerCredentials,
}

impl JoinToken {
    /// The secret itself.
    pub fn to_text(&self) -> String {
        let mut bytes = self.to_bytes().to_vec();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |why: &str| Error::new(ErrorKind::Conflict, format!("the join token is not valid: {why}"));
        let text = text.trim();
        let encoded = text.strip_prefix(PREFIX).ok_or_else(|| invalid("it does not begin with `onggi-join-`"))?;
        if encoded.len() > TEXT_BYTES_MAX {
            return Err(invalid("it is too long"));
        }
        let damaged = "it was cut or changed on its way; copy all of it, without line breaks";
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| invalid(damaged))?;
        let (record, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(|| invalid(damaged))?;
        if crc32fast::hash(record) != u32::from_be_bytes(*checksum) {
            return Err(invalid(damaged));
        }
        Self::from_bytes(record)
            .map_err(|cause| Error::caused_by(ErrorKind::Conflict, "the join token is of another release", cause))
    }
}

impl Record for JoinToken {
    const NAME: &'static str = "join token";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        let PeerCredentials { certificate, key, authority } = &self.credentials;
        encoder.raw(&self.cluster).raw(&self.token.0).bytes(authority).bytes(certificate).bytes(key.der());
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> onggi_storage_engine::error::Result<Self> {
        let (cluster, token) = (decoder.array()?, TokenId(decoder.array()?));
        let mut bytes = || decoder.bytes().map(Bytes::copy_from_slice);
        let (authority, certificate, key) = (bytes()?, bytes()?, bytes()?);
        let key = PeerKey::from_der(key)
            .map_err(|cause| onggi_storage_engine::error::Error::corrupt("its key").with_source(cause))?;
        Ok(Self { cluster, token, credentials: PeerCredentials { certificate, key, authority } })
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinToken({})", self.token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::peer::authority::Authority;

    fn token() -> JoinToken {
        let authority = Authority::create([1; 16], 1_790_000_000_000).unwrap();
        let token = TokenId([5; 16]);
        let credentials = authority.issue_join(token, 1_790_000_000_000, 1_790_003_600_000).unwrap();
        JoinToken { cluster: [1; 16], token, credentials }
    }

    #[test]
    fn a_token_comes_back() {
        let token = token();
        let text = token.to_text();
        assert!(text.len() < TEXT_BYTES_MAX / 3, "{} bytes", text.len());
        assert_eq!(JoinToken::parse(&text).unwrap(), token);
        assert_eq!(JoinToken::parse(&format!(" {text}\n")).unwrap(), token, "as a shell or a file gives it");
        assert_eq!(format!("{token:?}"), format!("JoinToken({})", "05".repeat(16)));
    }

    #[test]
    fn the_error_says_what_is_wrong_and_does_not_repeat_the_token() {
        let text = token().to_text();
        let secret = text[PREFIX.len()..].to_owned();
        for (bad, why) in [
            (String::new(), "does not begin"),
            ("onggi-join".to_owned(), "does not begin"),
            (secret.clone(), "does not begin"),
            (PREFIX.to_owned(), "cut or changed"),
            (text[..text.len() - 1].to_owned(), "cut or changed"),
            (text[..100].to_owned(), "cut or changed"),
            (format!("{text}A"), "cut or changed"),
            (format!("{}\n{}", &text[..80], &text[80..]), "cut or changed"),
            (format!("{PREFIX}{}", "A".repeat(TEXT_BYTES_MAX + 1)), "too long"),
        ] {
            let error = JoinToken::parse(&bad).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert!(!error.contains(&secret[..16]), "{error}");
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let mut bytes = token().to_bytes().to_vec();
        bytes[0] = 2;
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        let error = JoinToken::parse(&format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))).unwrap_err();
        assert!(error.to_string().contains("another release"), "{error}");
    }

    proptest! {
        #[test]
        fn damage_is_noticed_and_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>(), text in ".*") {
            let good = token().to_text();
            let mut bytes = good.clone().into_bytes();
            *place.get_mut(&mut bytes) = byte;
            if let Ok(changed) = String::from_utf8(bytes) && changed.trim() != good {
                prop_assert!(JoinToken::parse(&changed).is_err());
            }
            let _ = JoinToken::parse(&text);
            let _ = JoinToken::parse(&format!("{PREFIX}{text}"));
        }
    }
}
