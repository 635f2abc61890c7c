//! Cuts that stay where they were, and runs that make the new file.

use std::io::{Seek, Write};

use super::{Chunks, cut, runs};

/// The same on every machine and in every release: chunks are compared with those of years ago.
fn contents(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut contents = Vec::with_capacity(bytes + 8);
    while contents.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        contents.extend_from_slice(&(state >> 11).to_le_bytes()[..6]);
    }
    contents.truncate(bytes);
    contents
}

fn chunks(contents: &[u8]) -> Chunks {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(contents).unwrap();
    file.rewind().unwrap();
    cut(&mut file, "").unwrap()
}

#[test]
fn files_are_cut_as_they_always_were() {
    let cuts: Vec<u64> = chunks(&contents(12 << 20)).chunks.iter().map(|chunk| chunk.bytes).collect();
    expect_test::expect!["[962765, 1211192, 1380724, 1765382, 1152669, 2614290, 3251600, 244290]"]
        .assert_eq(&format!("{cuts:?}"));
}

#[test]
fn a_byte_that_is_put_in_costs_a_chunk_or_two() {
    let old = contents(64 << 20);
    let mut new = old.clone();
    new.insert(1000, 7);
    new[40 << 20] ^= 1;
    let runs = runs(Some(&chunks(&old)), &chunks(&new));
    let mut made = Vec::new();
    let mut sent = 0;
    for run in &runs {
        assert_eq!(run.at, made.len() as u64);
        let (source, first) = match run.stored_at {
            Some(first) => (&old, first),
            None => {
                sent += run.bytes;
                (&new, run.at)
            }
        };
        made.extend_from_slice(&source[first as usize..(first + run.bytes) as usize]);
    }
    assert!(made == new, "the runs make another file");
    assert!(sent < 6 << 20, "{sent} bytes would be sent");
    assert!(runs.len() < 10, "{runs:?}");
}

#[test]
fn without_an_old_revision_all_is_sent() {
    let new = chunks(&contents(9 << 20));
    let all = runs(None, &new);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].at, all[0].bytes, all[0].stored_at), (0, 9 << 20, None));
    assert_eq!(runs(Some(&new), &new)[0].stored_at, Some(0));
}
