//! Blob layout: which chunks a blob consists of, and which of them a replica lacks.
//! Invariant: all chunks but the last have `chunk_bytes`, so size and chunk size say it all.

use crate::error::{Error, ErrorKind, Result};
use crate::id::BlobId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobLayout {
    pub blob: BlobId,
    /// Of the whole blob; at least 1.
    pub bytes: u64,
    pub chunk_bytes: u32,
}

/// A chunk that is stored: its number and payload bytes.
pub type StoredChunk = (u32, u32);

impl BlobLayout {
    /// From a record or a message: nothing that could not have been written passes.
    pub fn check(self) -> Result<Self> {
        let chunks = self.bytes.div_ceil(u64::from(self.chunk_bytes.max(1)));
        if self.chunk_bytes == 0 || self.bytes == 0 || u32::try_from(chunks).is_err() {
            return Err(Error::new(ErrorKind::Corrupt, format!("{self:?} is no layout of a blob")));
        }
        Ok(self)
    }

    pub fn chunks(&self) -> u32 {
        // Fits: `check`, and the writer's own bound.
        self.bytes.div_ceil(u64::from(self.chunk_bytes)) as u32
    }

    pub fn bytes_of_chunk(&self, number: u32) -> u32 {
        let before = u64::from(number) * u64::from(self.chunk_bytes);
        self.bytes.saturating_sub(before).min(u64::from(self.chunk_bytes)) as u32
    }

    /// The numbers of the chunks that are not among `stored` with their full length. `stored` is in order.
    pub fn missing(&self, stored: &[StoredChunk]) -> Vec<u32> {
        let mut stored = stored.iter().peekable();
        (0..self.chunks())
            .filter(|number| {
                while stored.next_if(|(other, _)| other < number).is_some() {}
                stored.peek() != Some(&&(*number, self.bytes_of_chunk(*number)))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OwnerKey;

    fn layout(bytes: u64, chunk_bytes: u32) -> BlobLayout {
        BlobLayout { blob: BlobId::new(OwnerKey(1), 1, 1), bytes, chunk_bytes }
    }

    #[test]
    fn the_last_chunk_is_what_is_left() {
        for (bytes, chunks, last) in [(1, 1, 1), (10, 1, 10), (11, 2, 1), (20, 2, 10), (29, 3, 9)] {
            let layout = layout(bytes, 10);
            assert_eq!((layout.chunks(), layout.bytes_of_chunk(chunks - 1)), (chunks, last), "{bytes}");
        }
    }

    #[test]
    fn missing_is_what_is_absent_or_of_another_length() {
        let layout = layout(25, 10);
        assert_eq!(layout.missing(&[]), [0, 1, 2]);
        assert_eq!(layout.missing(&[(0, 10), (1, 10), (2, 5)]), []);
        assert_eq!(layout.missing(&[(0, 10), (2, 5)]), [1]);
        assert_eq!(layout.missing(&[(0, 10), (1, 9), (2, 10), (7, 10)]), [1, 2]);
    }

    #[test]
    fn impossible_layouts_are_refused() {
        assert!(layout(25, 10).check().is_ok());
        for (bytes, chunk_bytes) in [(25, 0), (0, 10), (u64::MAX, 1)] {
            assert_eq!(layout(bytes, chunk_bytes).check().map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
        }
    }
}
