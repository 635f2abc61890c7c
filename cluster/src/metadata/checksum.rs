//! Checksum: the algorithms of S3, over bytes as they come.
//! Owns: the bytes of a value, and of which types an algorithm's checksum of several parts can be (Amazon S3 User Guide, "Checking
//! object integrity"). Does not own: their names on the wire, and how parts' checksums make an object's (`apply`).

use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use xxhash_rust::xxh3::Xxh3;
use xxhash_rust::xxh64::Xxh64;

use super::record::{Checksum, ChecksumAlgorithm, ChecksumType};

impl ChecksumAlgorithm {
    pub const ALL: [Self; 10] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Md5,
        Self::XxHash64,
        Self::XxHash3,
        Self::XxHash128,
    ];

    pub fn value_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme | Self::XxHash64 | Self::XxHash3 => 8,
            Self::Md5 | Self::XxHash128 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Whether the checksum of an object in parts can be of that type: only CRCs can be combined from those of the parts, and S3
    /// has no composite CRC64NVME.
    pub fn has_type(self, kind: ChecksumType) -> bool {
        match self {
            Self::Crc32 | Self::Crc32c => true,
            Self::Crc64Nvme => kind == ChecksumType::FullObject,
            _ => kind == ChecksumType::Composite,
        }
    }
}

pub struct ChecksumHasher {
    algorithm: ChecksumAlgorithm,
    state: State,
}

enum State {
    Crc(Crc),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Box<Sha512>),
    XxHash64(Xxh64),
    XxHash3(Box<Xxh3>),
}

impl ChecksumHasher {
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        let state = match algorithm {
            ChecksumAlgorithm::Crc32 => State::Crc(Crc::new(CrcAlgorithm::Crc32IsoHdlc)),
            ChecksumAlgorithm::Crc32c => State::Crc(Crc::new(CrcAlgorithm::Crc32Iscsi)),
            ChecksumAlgorithm::Crc64Nvme => State::Crc(Crc::new(CrcAlgorithm::Crc64Nvme)),
            ChecksumAlgorithm::Md5 => State::Md5(Md5::new()),
            ChecksumAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha512 => State::Sha512(Box::default()),
            ChecksumAlgorithm::XxHash64 => State::XxHash64(Xxh64::new(0)),
            ChecksumAlgorithm::XxHash3 | ChecksumAlgorithm::XxHash128 => State::XxHash3(Box::default()),
        };
        Self { algorithm, state }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(crc) => crc.update(bytes),
            State::Md5(md5) => md5.update(bytes),
            State::Sha1(sha1) => sha1.update(bytes),
            State::Sha256(sha256) => sha256.update(bytes),
            State::Sha512(sha512) => sha512.update(bytes),
            State::XxHash64(xxh64) => xxh64.update(bytes),
            State::XxHash3(xxh3) => xxh3.update(bytes),
        }
    }

    pub fn finish(self) -> Checksum {
        // Numbers are big endian, as are the canonical forms of the xxHash specification.
        let value = match (self.state, self.algorithm) {
            (State::Crc(crc), ChecksumAlgorithm::Crc64Nvme) => crc.finalize().to_be_bytes().to_vec(),
            (State::Crc(crc), _) => crc.finalize().to_be_bytes()[4..].to_vec(),
            (State::Md5(md5), _) => md5.finalize().to_vec(),
            (State::Sha1(sha1), _) => sha1.finalize().to_vec(),
            (State::Sha256(sha256), _) => sha256.finalize().to_vec(),
            (State::Sha512(sha512), _) => sha512.finalize().to_vec(),
            (State::XxHash64(xxh64), _) => xxh64.digest().to_be_bytes().to_vec(),
            (State::XxHash3(xxh3), ChecksumAlgorithm::XxHash128) => xxh3.digest128().to_be_bytes().to_vec(),
            (State::XxHash3(xxh3), _) => xxh3.digest().to_be_bytes().to_vec(),
        };
        Checksum { algorithm: self.algorithm, kind: ChecksumType::FullObject, value }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect;

    use super::*;

    /// The check values of the CRC catalogue; of MD5 and SHA those that coreutils print, of xxHash those of AWS's own library.
    #[test]
    fn values_of_123456789() {
        let mut shown = String::new();
        for algorithm in ChecksumAlgorithm::ALL {
            let mut hasher = ChecksumHasher::new(algorithm);
            hasher.update(b"1234");
            hasher.update(b"");
            hasher.update(b"56789");
            let value = hasher.finish().value;
            assert_eq!(value.len(), algorithm.value_bytes());
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(shown, "{algorithm:?} {hex}").unwrap();
        }
        expect![[r#"
            Crc32 cbf43926
            Crc32c e3069283
            Crc64Nvme ae8b14860a799888
            Sha1 f7c3bc1d808e04732adf679965ccc34ca7ae3441
            Sha256 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225
            Sha512 d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85
            Md5 25f9e794323b453885f5181f1b624d0b
            XxHash64 8cb841db40e6ae83
            XxHash3 72dcb18b67a17dff
            XxHash128 33119477ede5dcd5e9716427681d5860
        "#]]
        .assert_eq(&shown);
    }

    /// XXH3 takes another way for more than 240 bytes.
    #[test]
    fn xxhash_of_long_bytes_is_that_of_the_library_of_aws() {
        let hex = |algorithm| -> String {
            let mut hasher = ChecksumHasher::new(algorithm);
            (0..10).for_each(|_| hasher.update(&[b'x'; 100]));
            hasher.finish().value.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(hex(ChecksumAlgorithm::XxHash64), "4cb9a3b69cb700e1");
        assert_eq!(hex(ChecksumAlgorithm::XxHash3), "c0a4877b962cba82");
        assert_eq!(hex(ChecksumAlgorithm::XxHash128), "50a1af5a5f2dcf01c0a4877b962cba82");
    }
}
