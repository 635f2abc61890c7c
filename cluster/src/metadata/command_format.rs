//! Command format: the bytes of a command in a log entry.

use bytes::Bytes;
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::command::{Change, Command, GroupChange, Split};
use crate::metadata::field::{Field, enum_fields, record, struct_fields};

mod account;
mod owner_change;
mod system_change;
mod tree_change;

impl Command {
    pub fn encode(&self) -> Bytes {
        self.to_bytes()
    }

    /// Inline payloads are not copied out of `bytes`.
    pub fn decode(bytes: &Bytes) -> crate::error::Result<Self> {
        let mut decoder = Decoder::shared(bytes);
        let command = <Self as Record>::decode(&mut decoder)?;
        decoder.finish()?;
        Ok(command)
    }
}

record!(Command, "command");

struct_fields!(Command { request, retry, time_ms, change });

enum_fields!(Change { 1 => System(change), 2 => Owner { owner, change }, 3 => Group { group, change } });

enum_fields!(GroupChange { 1 => Split(split) });

struct_fields!(Split { child, range, boundary });
