//! Token: the text that lets its holder in: `<prefix>_` and base64url of user (8) ‖ grant (8) ‖ random (32).
//! Owns: making one, taking one apart, its hash. The user's number in it says which group to ask; the grant's, which record.
//! Invariant: the text is never logged or stored, its SHA-256 is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onggi_cluster::id::{GrantId, UserId};
use onggi_cluster::metadata::record::TokenHash;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::services::{Secret, fresh};

const SECRET_BYTES: usize = 32;
const BYTES: usize = 8 + 8 + SECRET_BYTES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Access,
    Refresh,
    AppPassword,
    Code,
    Console,
}

impl TokenKind {
    const ALL: [Self; 5] = [Self::Access, Self::Refresh, Self::AppPassword, Self::Code, Self::Console];

    /// For people who find one in a file, and for programs that look for leaked ones.
    fn prefix(self) -> &'static str {
        match self {
            Self::Access => "ona_",
            Self::Refresh => "onr_",
            Self::AppPassword => "onp_",
            Self::Code => "onc_",
            Self::Console => "ons_",
        }
    }
}

/// Well formed; whether it is good for anything its grant says.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub user: UserId,
    pub grant: GrantId,
    text: Secret,
}

impl Token {
    pub fn generate(kind: TokenKind, user: UserId, grant: GrantId) -> Self {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&user.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&grant.0.to_be_bytes());
        fresh::fill(&mut bytes[16..]);
        Self { kind, user, grant, text: Secret::new(kind.prefix().to_owned() + &URL_SAFE_NO_PAD.encode(bytes)) }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let kind = TokenKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(&text[kind.prefix().len()..]).ok()?.try_into().ok()?;
        let (user, rest) = bytes.split_first_chunk::<8>()?;
        let (grant, _) = rest.split_first_chunk::<8>()?;
        let (user, grant) = (UserId(u64::from_be_bytes(*user)), GrantId(u64::from_be_bytes(*grant)));
        Some(Self { kind, user, grant, text: Secret::new(text) })
    }

    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.text.expose()).into()
    }

    pub fn into_text(self) -> Secret {
        self.text
    }

    /// What a page of ours proves that it is one: it can read this, another site's page cannot. Says nothing about the token.
    pub fn csrf(&self) -> String {
        let digest = Sha256::new().chain_update("onggi csrf ").chain_update(self.text.expose()).finalize();
        URL_SAFE_NO_PAD.encode(digest)
    }
}

pub(super) fn same(one: &TokenHash, other: &TokenHash) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_whose_it_is() {
        for kind in TokenKind::ALL {
            let token = Token::generate(kind, UserId(7), GrantId(u64::MAX));
            let text = token.clone().into_text();
            let parsed = Token::parse(text.expose()).unwrap();
            assert_eq!((parsed.kind, parsed.user, parsed.grant), (kind, UserId(7), GrantId(u64::MAX)));
            assert!(same(&parsed.hash(), &token.hash()));
            assert_eq!(text.expose().len(), 68);
            assert!(!format!("{token:?}").contains(&text.expose()[4..]), "a token shows itself");
        }
        let other = Token::generate(TokenKind::Access, UserId(7), GrantId(u64::MAX));
        assert!(!same(&other.hash(), &Token::generate(TokenKind::Access, UserId(7), GrantId(u64::MAX)).hash()));
    }

    #[test]
    fn the_kind_is_part_of_what_is_hashed() {
        let access = Token::generate(TokenKind::Access, UserId(7), GrantId(1)).into_text();
        let disguised = format!("onr_{}", &access.expose()[4..]);
        let (access, disguised) = (Token::parse(access.expose()).unwrap(), Token::parse(&disguised).unwrap());
        assert!(!same(&access.hash(), &disguised.hash()));
        assert_ne!(access.csrf(), disguised.csrf());
    }

    #[test]
    fn nothing_else_is_a_token() {
        let text = Token::generate(TokenKind::Code, UserId(1), GrantId(1)).into_text();
        let text = text.expose();
        let with_padding = format!("{text}=");
        for bad in
            ["", "onc_", "ona", "onx_AAAA", &text[..67], &text[4..], &with_padding, &text.replace("onc_", "ONC_")]
        {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
        let not_canonical = format!("{text}A");
        assert!(Token::parse(&not_canonical).is_none());
    }
}
