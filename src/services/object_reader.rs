//! Object reader: a range of an object as one stream of verified bytes, whatever its content is made of.
//! Owns: which part holds which offset.
//! Does not own: chunks, read-ahead, verification (cluster's data client).

use std::ops::Range;

use futures::StreamExt;
use onggi_cluster::metadata::record::{Content, ManifestRecord, PartRecord};
use onggi_cluster::{ContentStream, DataClient};

/// A range of one stored piece of content.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub content: Content,
    /// Of the whole content.
    pub bytes: u64,
    pub range: Range<u64>,
}

/// One after the other; a segment is opened when the one before it is read.
pub(super) fn stream(data: DataClient, mut segments: Vec<Segment>) -> ContentStream {
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
pub(super) fn parts_of_range(manifest: &ManifestRecord, range: Range<u64>) -> Vec<(usize, Range<u64>)> {
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

pub(super) fn segment_of_part(part: PartRecord, range: Range<u64>) -> Segment {
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
