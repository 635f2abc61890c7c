//! Frame scan: walks the frames of an extent in file order, past damage.
//! Owns: finding frames. What becomes of them is decided by recovery, the garbage collector and the scrubber.
//! Behind a damaged header it looks for the next intact one at every frame boundary. A header is bound to its place, so a
//! payload that imitates frames is not taken for one.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::index_record::Place;
use super::layout::{DriveId, ExtentId, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FrameHeader, FramePlace, frame_bytes};
use super::reader::{Verified, read_range};
use crate::env::DiskFile;

/// Read at once while looking for a header.
const WINDOW_BYTES: u64 = 1 << 20;

pub struct FrameScan {
    file: Arc<dyn DiskFile>,
    drive: DriveId,
    extent: ExtentId,
    position: u64,
    end: u64,
}

pub struct ScannedFrame {
    pub header: FrameHeader,
    pub place: Place,
    /// Bytes before this frame that belong to none. Empty in an extent without damage.
    pub gap: Range<u64>,
}

impl FrameScan {
    /// From `start`, which must be where a frame begins (or damage).
    pub fn new(file: Arc<dyn DiskFile>, drive: DriveId, extent: ExtentId, range: Range<u64>) -> Self {
        Self { file, drive, extent, position: range.start, end: range.end }
    }

    /// Where the next call goes on.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// `None` at the end: what follows `position` until then holds no whole frame.
    pub fn next(&mut self) -> io::Result<Option<ScannedFrame>> {
        let start = self.position;
        let mut at = start;
        while at + FRAME_HEADER_BYTES < self.end {
            // The first look is at one header only: the usual case.
            let window_bytes = if at == start { FRAME_HEADER_BYTES } else { WINDOW_BYTES.min(self.end - at) };
            let mut window = vec![0; window_bytes as usize];
            self.read_or_skip(&mut window, at)?;
            if let Some((offset, header)) = self.header_within(&window, at) {
                let place = Place { extent: self.extent, offset, payload_bytes: header.payload_bytes };
                self.position = place.end();
                return Ok(Some(ScannedFrame { header, place, gap: start..offset }));
            }
            // The next window overlaps this one by what a header across the border needs.
            at += (window_bytes - FRAME_HEADER_BYTES).max(FRAME_ALIGNMENT);
        }
        Ok(None)
    }

    /// The whole payload, verified.
    pub fn payload(&self, frame: &ScannedFrame) -> Verified {
        read_range(&*self.file, frame.header.chunk, frame.place, 0..frame.place.payload_bytes)
    }

    fn header_within(&self, window: &[u8], window_offset: u64) -> Option<(u64, FrameHeader)> {
        let last = window.len() - FRAME_HEADER_BYTES as usize;
        (0..=last).step_by(FRAME_ALIGNMENT as usize).find_map(|at| {
            let offset = window_offset + at as u64;
            let place = FramePlace { drive: self.drive, extent: self.extent, offset };
            let header = FrameHeader::decode(&window[at..], &place)?;
            (offset + frame_bytes(header.payload_bytes) <= self.end).then_some((offset, header))
        })
    }

    /// What the drive cannot read is damage like any other: it holds no frame.
    fn read_or_skip(&self, window: &mut [u8], at: u64) -> io::Result<()> {
        match self.file.read_at(window, at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(error),
            Err(_) => {
                window.fill(0);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}
