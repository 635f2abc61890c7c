//! Dice: on a simulated thread the operating system's random numbers come from the seed.
//! Owns: the function of the C library that the standard library, `rand` and every other crate ask for randomness. So hash maps, ids,
//! election timeouts and whatever a library may draw are the same for the same seed. On all other threads nothing changes.
#![allow(unsafe_code)] // A function that C can call.

use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;

use onggi_storage_engine::env::simulation;

/// Shadows the function of the C library in this test binary; its contract is that of getrandom(2).
///
/// # Safety
/// `buffer` must have room for `bytes` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut u8, bytes: usize, _flags: u32) -> isize {
    if bytes == 0 {
        return 0;
    }
    // SAFETY: the caller says that there is room. Zeros first, because what is there may not be initialised.
    let buffer = unsafe {
        buffer.write_bytes(0, bytes);
        std::slice::from_raw_parts_mut(buffer, bytes)
    };
    for piece in buffer.chunks_mut(8) {
        match simulation::roll() {
            Some(number) => piece.copy_from_slice(&number.to_le_bytes()[..piece.len()]),
            None if real(piece) => {}
            None => return -1,
        }
    }
    bytes as isize
}

fn real(buffer: &mut [u8]) -> bool {
    static SOURCE: OnceLock<Option<File>> = OnceLock::new();
    let source = SOURCE.get_or_init(|| File::open("/dev/urandom").ok());
    source.as_ref().is_some_and(|mut source| source.read_exact(buffer).is_ok())
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    fn drawn(seed: u64) -> (u64, u64) {
        simulation::run(seed, || (RandomState::new().hash_one(1), rand::random()))
    }

    #[test]
    fn hash_maps_and_random_numbers_follow_from_the_seed() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1).0, drawn(2).0);
        assert_ne!(drawn(1).1, drawn(2).1);
        assert_ne!(rand::random::<u64>(), rand::random::<u64>());
    }
}
