//! Settings of how bytes are kept.

use std::time::Duration;

use crate::config::section::section;
use crate::config::setting::ByteSize;

section! {
    /// How bytes are kept on the drive.
    StorageConfig in "storage" {
        /// Objects and parts up to this size are kept beside their metadata: one sync and no chunk.
        inline_bytes_max: ByteSize = ByteSize::kib(32);
        /// Size of the chunks that larger ones are cut into.
        chunk_bytes: ByteSize = ByteSize::mib(4);
        /// How long chunks that no object names are kept: longer than any upload takes between its last byte and its reply.
        sweep_grace: Duration = Duration::from_secs(60 * 60);
        /// How often chunks that no object names are looked for.
        sweep_interval: Duration = Duration::from_secs(6 * 60 * 60);
    }
    problems: |storage| {
        let mut problems = Vec::new();
        if storage.inline_bytes_max > ByteSize::kib(256) {
            problems.push("`storage.inline_bytes_max` must be at most 256KiB: inline objects travel through the log".into());
        }
        if !(ByteSize::kib(64)..=ByteSize::mib(64)).contains(&storage.chunk_bytes) {
            problems.push("`storage.chunk_bytes` must be between 64KiB and 64MiB".into());
        }
        problems
    }
}
