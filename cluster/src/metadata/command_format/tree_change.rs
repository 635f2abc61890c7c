//! Changes of a tree.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder};

use crate::metadata::command::tree::{
    AppendSession, At, AutoRename, Brake, CompleteFile, CreateSession, FinishSession, LinkUpdate, NewFile, PutFile,
    Rewind, RewindCursor, RewindStage, TreeChange, WriteMode,
};
use crate::metadata::field::{Field, enum_fields, struct_fields};

enum_fields!(TreeChange {
    1 => PutFile(put),
    2 => CreateFolder { path, rename },
    3 => Move { from, to, rename },
    4 => Copy { from, rev, to, rename },
    5 => Trash { at, expected_rev },
    6 => Untrash { trashed, to, rename },
    7 => Purge { trashed, limit },
    8 => Restore { entry, rev },
    9 => MarkRevision { entry, rev, keep, label },
    10 => RemoveRevision { entry, rev },
    11 => CreateSession(create),
    12 => AppendSession(append),
    13 => FinishSession(finish),
    14 => AbortSession { session },
    15 => CompleteUpload(complete),
    16 => CreateLink { link },
    17 => UpdateLink { link, update },
    18 => RemoveLink { link },
    19 => CountDownload { link },
    20 => TrimFeed { before_ms, limit },
    30 => Rewind(rewind),
    31 => Delete { at, expected_rev, brake },
    32 => ReleaseDevice { device, allowed_until_ms },
});

struct_fields!(Rewind { folder, to_ms, cursor, limit });

struct_fields!(Brake { entries, percent });

struct_fields!(RewindCursor { stage, at, until });

enum_fields!(RewindStage { 1 => Trash, 2 => Places, 3 => Arrivals, 4 => Contents });

enum_fields!(At { 1 => Path(path), 2 => Entry(entry) });

struct_fields!(PutFile { path, mode, rename, content, file });

struct_fields!(NewFile { etag, checksum, content_hash, headers, tags, client_modified_ms });

enum_fields!(WriteMode { 1 => Add, 2 => Overwrite, 3 => Update { rev }, 4 => Replace(condition) });

struct_fields!(AutoRename { stem, label, extension });

struct_fields!(CreateSession { session, kind, bytes, details, expires_ms });

struct_fields!(AppendSession { session, offset, part, state, expires_ms, close });

struct_fields!(FinishSession { session, path, mode, rename, bytes, file });

struct_fields!(CompleteFile {
    path,
    key,
    upload,
    mode,
    rename,
    parts,
    checksum,
    checksum_type,
    expected_bytes,
    client_modified_ms,
});

struct_fields!(LinkUpdate { expires_ms, password, downloads_max });
