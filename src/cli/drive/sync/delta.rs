//! Delta: which bytes of a changed file the last revision has already.
//! Owns: where files are cut. By their contents (FastCDC, Xia et al., USENIX ATC 2016), so that what is put in moves no cut behind it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};

use anyhow::{Context, Result};
use fastcdc::v2020::StreamCDC;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::drive::session::Run;

/// A smaller file is sent whole.
pub const FILE_BYTES_MIN: u64 = 4 << 20;
/// Least, average and greatest length of a chunk. Others would find nothing of what was cut before.
const CHUNK_BYTES: (usize, usize, usize) = (256 << 10, 1 << 20, 4 << 20);
/// Each becomes a part of the upload, and so many parts it may have.
const RUNS_MAX: usize = 10_000;

/// Of contents that were synced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunks {
    /// Content hash of the whole.
    pub hash: String,
    pub chunks: Vec<Chunk>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chunk {
    /// SHA-256, hex.
    pub hash: String,
    pub bytes: u64,
}

pub fn cut(file: &mut File, hash: &str) -> Result<Chunks> {
    file.rewind()?;
    let (min, average, max) = CHUNK_BYTES;
    let cutter = StreamCDC::new(BufReader::new(file.by_ref()), min, average, max);
    let chunks = cutter
        .map(|chunk| {
            let chunk = chunk.context("cut the file into chunks")?;
            Ok(Chunk { hash: hex::encode(Sha256::digest(&chunk.data)), bytes: chunk.data.len() as u64 })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Chunks { hash: hash.to_owned(), chunks })
}

/// The new file, as runs of what is stored and of what must be sent.
pub fn runs(old: Option<&Chunks>, new: &Chunks) -> Vec<Run> {
    let mut stored: HashMap<&Chunk, u64> = HashMap::new();
    let mut at = 0;
    for chunk in old.map_or(&[][..], |old| &old.chunks) {
        stored.entry(chunk).or_insert(at);
        at += chunk.bytes;
    }
    let (mut runs, mut at) = (Vec::<Run>::new(), 0);
    for chunk in &new.chunks {
        let next = Run { at, bytes: chunk.bytes, stored_at: stored.get(chunk).copied() };
        match runs.last_mut() {
            Some(last) if last.stored_at.map(|first| first + last.bytes) == next.stored_at => last.bytes += next.bytes,
            _ => runs.push(next),
        }
        at += chunk.bytes;
    }
    if runs.len() > RUNS_MAX {
        return vec![Run { at: 0, bytes: at, stored_at: None }];
    }
    runs
}

#[cfg(test)]
mod delta_test;
