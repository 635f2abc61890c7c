//! Hashes: what one core digests a second. MD5 is the ceiling of one PUT stream; a CRC is nearly free.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::figures::Figure;

const BUFFER_BYTES: usize = 1 << 20;

pub fn measure(period: Duration) -> Vec<Figure> {
    use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
    use sha2::Digest;
    vec![
        rate("MD5, one core", period, |data| md5::Md5::digest(data)),
        rate("SHA-1, one core", period, |data| sha1::Sha1::digest(data)),
        rate("SHA-256, one core", period, |data| sha2::Sha256::digest(data)),
        rate("CRC32, one core", period, |data| crc_fast::checksum(Crc32IsoHdlc, data)),
        rate("CRC32C, one core", period, |data| crc_fast::checksum(Crc32Iscsi, data)),
        rate("CRC64NVME, one core", period, |data| crc_fast::checksum(Crc64Nvme, data)),
    ]
}

fn rate<T>(name: &str, period: Duration, digest: impl Fn(&[u8]) -> T) -> Figure {
    let buffer = vec![0x5a_u8; BUFFER_BYTES];
    // Once unmeasured: CPU features are detected at the first call.
    black_box(digest(&buffer));
    let start = Instant::now();
    let mut digested = 0_u64;
    while start.elapsed() < period {
        black_box(digest(black_box(&buffer)));
        digested += BUFFER_BYTES as u64;
    }
    Figure::new(name, digested as f64 / start.elapsed().as_secs_f64() / 1e9, "GB/s")
}
