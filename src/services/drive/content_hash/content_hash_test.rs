use expect_test::expect;
use proptest::prelude::*;

use super::*;

const BLOCK: usize = BLOCK_BYTES as usize;

/// As Dropbox describes it, in one go.
fn content_hash_of(bytes: &[u8]) -> [u8; 32] {
    let blocks: Vec<u8> = bytes.chunks(BLOCK).flat_map(|block| Sha256::digest(block).to_vec()).collect();
    Sha256::digest(blocks).into()
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 31 + at / 251) as u8).collect()
}

fn of(bytes: &[u8]) -> ContentDigests {
    let mut hash = ContentHash::default();
    hash.update(bytes);
    hash.finish()
}

#[test]
fn nothing_and_known_values() {
    let nothing = of(b"");
    assert_eq!(hex::encode(nothing.content_hash), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(hex::encode(nothing.md5.unwrap()), "d41d8cd98f00b204e9800998ecf8427e");
    let digits = of(b"123456789");
    assert_eq!(format!("{:08x}", digits.crc32c), "e3069283");
    assert_eq!(digits.content_hash, content_hash_of(b"123456789"));
}

#[test]
fn a_hash_goes_on_elsewhere() {
    let whole = bytes(2 * BLOCK + 12_345);
    for cut in [0, 1, 63, 64, BLOCK - 1, BLOCK, BLOCK + 100, 2 * BLOCK, whole.len()] {
        let mut hash = ContentHash::default();
        hash.update(&whole[..cut]);
        let mut hash = ContentHash::from_bytes(&hash.to_bytes()).unwrap();
        assert_eq!(hash.bytes(), cut as u64);
        hash.update(&whole[cut..]);
        assert_eq!(hash.finish(), of(&whole), "cut at {cut}");
    }
    assert_eq!(of(&whole).content_hash, content_hash_of(&whole));
}

#[test]
fn pieces_side_by_side_make_the_same_file() {
    let whole = bytes(3 * BLOCK + 99);
    let pieces: Vec<PieceDigests> = [0..BLOCK, BLOCK..3 * BLOCK, 3 * BLOCK..whole.len()]
        .map(|range| {
            let mut hash = PieceHash::default();
            whole[range].chunks(70_000).for_each(|piece| hash.update(piece));
            PieceDigests::from_bytes(&hash.finish().to_bytes()).unwrap()
        })
        .into();
    assert_eq!(PieceDigests::combine(&pieces), ContentDigests { md5: None, ..of(&whole) });
}

/// Sessions of one release go on in the next: these bytes never change their meaning.
#[test]
fn a_state_in_bytes() {
    let mut hash = ContentHash::default();
    hash.update(b"the first five");
    let state = hex::encode(hash.to_bytes());
    expect!["01000000000000000eedb6dc610123456789abcdeffedcba987654321000000000000000000e74686520666972737420666976650000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000067e6096a85ae67bb72f36e3c3af54fa57f520e518c68059babd9831f19cde05b00000000000000000e74686520666972737420666976650000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000067e6096a85ae67bb72f36e3c3af54fa57f520e518c68059babd9831f19cde05b000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"].assert_eq(&state);
    let mut hash = ContentHash::from_bytes(&hex::decode(state).unwrap()).unwrap();
    hash.update(b" and more");
    assert_eq!(hash.finish(), of(b"the first five and more"));
}

#[test]
fn what_is_no_state_is_refused() {
    let state = ContentHash::default().to_bytes();
    assert!(ContentHash::from_bytes(&state[..state.len() - 1]).is_err());
    assert!(ContentHash::from_bytes(&[&state[..], &[0]].concat()).is_err());
    assert!(ContentHash::from_bytes(&vec![0xff; state.len()]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn pieces_of_any_size(cuts in prop::collection::vec(0..300_000usize, 0..6)) {
        let whole = bytes(300_000);
        let mut cuts = cuts;
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        let mut hash = ContentHash::default();
        for pair in cuts.windows(2) {
            hash.update(&whole[pair[0]..pair[1]]);
        }
        prop_assert_eq!(hash.finish(), of(&whole));
    }
}
