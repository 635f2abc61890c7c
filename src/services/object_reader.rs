//! Object reader: a range of an object as one stream of verified bytes, whatever its content is made of.
//! Owns: which part holds which offset.
//! Does not own: chunks, read-ahead, verification (cluster's data client).

use std::ops::Range;

use futures::StreamExt;
use onggi_cluster::id::OwnerKey;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{Content, ManifestRecord, PartRecord};
use onggi_cluster::{ContentStream, DataClient, ErrorKind as ClusterErrorKind};

use super::error::{Error, Result};
use super::found_object::ObjectBytes;
use super::metadata_access::MetadataAccess;

/// Content as a record names it, with the manifest it was found with.
#[derive(Clone, Debug)]
pub(super) struct StoredContent {
    pub owner: OwnerKey,
    pub content: Content,
    pub bytes: u64,
    /// Of a completed upload in parts.
    pub manifest: Option<ManifestRecord>,
}

#[derive(Clone)]
pub(super) struct ContentReader {
    metadata: MetadataAccess,
    data: DataClient,
}

impl ContentReader {
    pub fn new(metadata: MetadataAccess, data: DataClient) -> Self {
        Self { metadata, data }
    }

    /// The first piece is read before this returns, so that bad news come before good headers. `Vanished`: the content was replaced since
    /// its record was read.
    pub async fn read(&self, stored: &StoredContent, range: Range<u64>) -> Result<ObjectBytes> {
        let segments = self.segments(stored, range.clone()).await?;
        let mut stream = stream(self.data.clone(), segments);
        let first = match stream.next().await {
            None => return Ok(ObjectBytes::default()),
            Some(Err(error)) if error.kind() == ClusterErrorKind::NotFound => return Err(Error::Vanished),
            Some(piece) => piece?,
        };
        let is_whole = first.len() as u64 == range.end - range.start;
        Ok(ObjectBytes { first, rest: (!is_whole).then_some(stream) })
    }

    async fn segments(&self, stored: &StoredContent, range: Range<u64>) -> Result<Vec<Segment>> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let Content::Parts { bucket, upload } = stored.content else {
            return Ok(vec![Segment { content: stored.content.clone(), bytes: stored.bytes, range }]);
        };
        let manifest = stored.manifest.clone().ok_or(Error::Vanished)?;
        let owner = stored.owner;
        let parts = parts_of_range(&manifest, range);
        let segments = self
            .metadata
            .read_owner(owner, move |view| {
                parts
                    .iter()
                    .map(|(index, range)| {
                        let (number, _) = manifest.parts[*index];
                        let part = query::part(view, owner, bucket, upload, number)?;
                        Ok(part.map(|part| segment_of_part(part, range.clone())))
                    })
                    .collect::<onggi_cluster::Result<Option<Vec<Segment>>>>()
            })
            .await?;
        segments.ok_or(Error::Vanished)
    }
}

/// A range of one stored piece of content.
#[derive(Clone, Debug, PartialEq)]
struct Segment {
    content: Content,
    /// Of the whole content.
    bytes: u64,
    range: Range<u64>,
}

/// One after the other; a segment is opened when the one before it is read.
fn stream(data: DataClient, mut segments: Vec<Segment>) -> ContentStream {
    if segments.len() == 1
        && let Some(segment) = segments.pop()
    {
        return data.read(&segment.content, segment.bytes, segment.range);
    }
    let streams =
        futures::stream::iter(segments).map(move |segment| data.read(&segment.content, segment.bytes, segment.range));
    Box::pin(streams.flatten())
}

/// What of each part belongs to `range` of the whole: `(index into the manifest, range within that part)`.
fn parts_of_range(manifest: &ManifestRecord, range: Range<u64>) -> Vec<(usize, Range<u64>)> {
    let mut slices = Vec::new();
    let mut start = 0;
    for (index, &(_, bytes)) in manifest.parts.iter().enumerate() {
        let end = start + bytes;
        if start >= range.end {
            break;
        }
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            slices.push((index, from - start..to - start));
        }
        start = end;
    }
    slices
}

/// The bytes of the whole that the `index`th part of the manifest holds.
pub(super) fn range_of_part(manifest: &ManifestRecord, index: usize) -> Option<Range<u64>> {
    let &(_, bytes) = manifest.parts.get(index)?;
    let start = manifest.parts.iter().take(index).map(|&(_, bytes)| bytes).sum();
    Some(start..start + bytes)
}

fn segment_of_part(part: PartRecord, range: Range<u64>) -> Segment {
    Segment { content: part.content, bytes: part.bytes, range }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_part_boundaries() {
        let manifest = ManifestRecord { parts: vec![(1, 10), (4, 0), (7, 5), (9, 10)] };
        assert_eq!(parts_of_range(&manifest, 0..25), vec![(0, 0..10), (2, 0..5), (3, 0..10)]);
        assert_eq!(parts_of_range(&manifest, 9..11), vec![(0, 9..10), (2, 0..1)]);
        assert_eq!(parts_of_range(&manifest, 10..15), vec![(2, 0..5)]);
        assert_eq!(parts_of_range(&manifest, 24..25), vec![(3, 9..10)]);
        assert_eq!(parts_of_range(&manifest, 5..5), vec![]);
    }

    #[test]
    fn a_part_has_its_place_in_the_whole() {
        let manifest = ManifestRecord { parts: vec![(1, 10), (4, 5)] };
        assert_eq!(range_of_part(&manifest, 0), Some(0..10));
        assert_eq!(range_of_part(&manifest, 1), Some(10..15));
        assert_eq!(range_of_part(&manifest, 2), None);
    }
}
