//! Certificates as the other side checks them: by chain, time, usage and name.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error as WebpkiError, KeyUsage, anchor_from_trusted_cert, ring::ECDSA_P256_SHA256};

use super::*;

const CLUSTER: ClusterId = [0xC1; 16];
const NOW_MS: u64 = 1_790_000_000_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn secret_box() -> SecretBox {
    SecretBox::new(&[7; 32])
}

/// Who the certificate is of, if `authority` issued it for this use and it counts at this time.
fn check(authority: &Bytes, certificate: &Bytes, at_ms: u64, usage: KeyUsage) -> Result<PeerName, WebpkiError> {
    let authority = CertificateDer::from(authority.as_ref());
    let anchors = [anchor_from_trusted_cert(&authority)?];
    let certificate = CertificateDer::from(certificate.as_ref());
    let certificate = EndEntityCert::try_from(&certificate)?;
    let time = UnixTime::since_unix_epoch(Duration::from_millis(at_ms));
    certificate.verify_for_usage(&[ECDSA_P256_SHA256], &anchors, &[], time, usage, None, None)?;
    let names: Vec<_> = certificate.valid_dns_names().collect();
    assert_eq!(names.len(), 1);
    Ok(PeerName::parse(names[0]).unwrap())
}

#[test]
fn a_member_is_a_client_and_a_server_for_a_year() {
    let authority = Authority::create(CLUSTER, NOW_MS).unwrap();
    let key = PeerKey::generate().unwrap();
    let issued = authority.issue_node(NodeId(7), &key.public_key().unwrap(), NOW_MS).unwrap();
    let name = PeerName { bearer: Caller::Node(NodeId(7)), cluster: CLUSTER };
    let check = |at_ms, usage| check(authority.certificate(), &issued, at_ms, usage);
    for at_ms in [NOW_MS - HOUR_MS / 2, NOW_MS, NOW_MS + 364 * DAY_MS] {
        assert_eq!(check(at_ms, KeyUsage::client_auth()), Ok(name));
        assert_eq!(check(at_ms, KeyUsage::server_auth()), Ok(name));
    }
    assert!(matches!(check(NOW_MS + 366 * DAY_MS, KeyUsage::client_auth()), Err(WebpkiError::CertExpired { .. })));
    let too_early = check(NOW_MS - 2 * HOUR_MS, KeyUsage::client_auth());
    assert!(matches!(too_early, Err(WebpkiError::CertNotValidYet { .. })));
}

#[test]
fn an_invited_node_is_a_client_until_the_token_ends() {
    let authority = Authority::create(CLUSTER, NOW_MS).unwrap();
    let token = TokenId([5; 16]);
    let join = authority.issue_join(token, NOW_MS, NOW_MS + HOUR_MS).unwrap();
    let check = |at_ms, usage| check(&join.authority, &join.certificate, at_ms, usage);
    let name = PeerName { bearer: Caller::Join(token), cluster: CLUSTER };
    assert_eq!(check(NOW_MS, KeyUsage::client_auth()), Ok(name));
    assert!(check(NOW_MS, KeyUsage::server_auth()).is_err());
    assert!(check(NOW_MS + HOUR_MS + 1_000, KeyUsage::client_auth()).is_err());
}

#[test]
fn another_authority_is_not_believed_even_of_the_same_cluster() {
    let (ours, theirs) = (Authority::create(CLUSTER, NOW_MS).unwrap(), Authority::create(CLUSTER, NOW_MS).unwrap());
    let public_key = PeerKey::generate().unwrap().public_key().unwrap();
    let issued = theirs.issue_node(NodeId(1), &public_key, NOW_MS).unwrap();
    assert!(check(ours.certificate(), &issued, NOW_MS, KeyUsage::client_auth()).is_err());
}

#[test]
fn the_sealed_authority_goes_on_issuing_elsewhere_and_later() {
    let record = Authority::create(CLUSTER, NOW_MS).unwrap().seal(&secret_box()).unwrap();
    let opened = Authority::open(CLUSTER, &record, &secret_box()).unwrap();
    assert_eq!(opened.certificate(), &record.certificate);
    let public_key = PeerKey::generate().unwrap().public_key().unwrap();
    let later_ms = NOW_MS + 10 * 365 * DAY_MS;
    let issued = opened.issue_node(NodeId(2), &public_key, later_ms).unwrap();
    assert!(check(&record.certificate, &issued, later_ms, KeyUsage::server_auth()).is_ok());

    for (cluster, master_key) in [([0; 16], [7; 32]), (CLUSTER, [8; 32])] {
        let refused = Authority::open(cluster, &record, &SecretBox::new(&master_key));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn keys_are_not_printed_and_damaged_ones_not_taken() {
    let authority = Authority::create(CLUSTER, NOW_MS).unwrap();
    let join = authority.issue_join(TokenId([5; 16]), NOW_MS, NOW_MS + HOUR_MS).unwrap();
    assert_eq!(format!("{authority:?} {join:?} {:?}", join.key), "Authority(…) PeerCredentials(…) PeerKey(…)");
    let key = PeerKey::from_der(join.key.der().clone()).unwrap();
    assert_eq!(key.public_key().unwrap(), join.key.public_key().unwrap());
    assert!(PeerKey::from_der(join.key.der().slice(1..)).is_err());
    assert!(PeerKey::from_der(Bytes::new()).is_err());
}
