//! Durability: the real binary under load while it is killed, loses power, fills its drive up or cannot sync it.
//! Owns: a history of what clients were told, and its comparison with what is stored.

mod crash;
mod drive;
mod full_disk;
mod outcome;
mod race;
mod value;
mod verify;
mod writer;
