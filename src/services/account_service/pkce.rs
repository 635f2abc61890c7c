//! PKCE (RFC 7636): whoever redeems a code is who asked for it. S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of a verifier, as it came with the request for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub(super) [u8; 32]);

impl Challenge {
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// RFC 7636 §4.1: 43 to 128 unreserved characters.
    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved);
        is_well_formed && Sha256::digest(verifier).as_slice().ct_eq(&self.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn only_the_verifier_meets_the_challenge() {
        let challenge = Challenge::parse(CHALLENGE).unwrap();
        assert!(challenge.is_met_by(VERIFIER));
        for bad in ["", &VERIFIER[1..], &VERIFIER.replace('d', "e"), &format!("{VERIFIER}a"), CHALLENGE] {
            assert!(!challenge.is_met_by(bad), "{bad}");
        }
        let short = "short";
        let of_short = Challenge(Sha256::digest(short).into());
        assert!(!of_short.is_met_by(short), "a verifier that could be guessed");
    }

    #[test]
    fn challenges() {
        for bad in ["", "E9Mel", &format!("{CHALLENGE}="), VERIFIER.trim_end_matches('k'), "not base64 at all!"] {
            assert!(Challenge::parse(bad).is_none(), "{bad}");
        }
    }
}
