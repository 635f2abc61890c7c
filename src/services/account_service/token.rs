//! Token: the text that lets its holder in: `<prefix>_` and base64url of user (8) ‖ grant (8) ‖ lineage (16) ‖ random (16). All but
//! the ids is random; the lineage is what a code and the refresh tokens that follow it have in common.
//! Owns: making one, taking one apart, its hash. The user's number in it says which group to ask; the grant's, which record.
//! Invariant: the text is never logged or stored, its SHA-256 is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onggi_cluster::id::{GrantId, UserId};
use onggi_cluster::metadata::record::TokenHash;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::services::{Secret, fresh};

const IDS_BYTES: usize = 8 + 8;
const LINEAGE_BYTES: usize = 16;
const BYTES: usize = IDS_BYTES + LINEAGE_BYTES + 16;

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
    lineage: Lineage,
}

/// Never printed.
#[derive(Clone)]
struct Lineage([u8; LINEAGE_BYTES]);

impl fmt::Debug for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lineage(…)")
    }
}

impl Token {
    pub fn generate(kind: TokenKind, user: UserId, grant: GrantId) -> Self {
        let mut lineage = [0; LINEAGE_BYTES];
        fresh::fill(&mut lineage);
        Self::with_lineage(kind, user, grant, &lineage)
    }

    /// The refresh token that comes after this one, or after this code.
    pub fn successor(&self) -> Self {
        Self::with_lineage(TokenKind::Refresh, self.user, self.grant, &self.lineage.0)
    }

    fn with_lineage(kind: TokenKind, user: UserId, grant: GrantId, lineage: &[u8; LINEAGE_BYTES]) -> Self {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&user.0.to_be_bytes());
        bytes[8..IDS_BYTES].copy_from_slice(&grant.0.to_be_bytes());
        bytes[IDS_BYTES..IDS_BYTES + LINEAGE_BYTES].copy_from_slice(lineage);
        fresh::fill(&mut bytes[IDS_BYTES + LINEAGE_BYTES..]);
        let text = Secret::new(kind.prefix().to_owned() + &URL_SAFE_NO_PAD.encode(bytes));
        Self { kind, user, grant, text, lineage: Lineage(*lineage) }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let kind = TokenKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(&text[kind.prefix().len()..]).ok()?.try_into().ok()?;
        let (user, rest) = bytes.split_first_chunk::<8>()?;
        let (grant, rest) = rest.split_first_chunk::<8>()?;
        let lineage = Lineage(*rest.first_chunk()?);
        let (user, grant) = (UserId(u64::from_be_bytes(*user)), GrantId(u64::from_be_bytes(*grant)));
        Some(Self { kind, user, grant, text: Secret::new(text), lineage })
    }

    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.text.expose()).into()
    }

    pub fn lineage(&self) -> TokenHash {
        Sha256::new().chain_update("onggi lineage ").chain_update(self.lineage.0).finalize().into()
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
    fn a_successor_is_of_the_same_lineage_and_another_token() {
        let code = Token::generate(TokenKind::Code, UserId(7), GrantId(1));
        let first = code.successor();
        let second = Token::parse(first.clone().into_text().expose()).unwrap().successor();
        assert_eq!([first.kind, second.kind], [TokenKind::Refresh; 2]);
        assert!(code.lineage() == first.lineage() && first.lineage() == second.lineage());
        assert!(!same(&first.hash(), &second.hash()));
        assert_ne!(Token::generate(TokenKind::Refresh, UserId(7), GrantId(1)).lineage(), first.lineage());
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
