//! Trees: entries, revisions, the feed, the trash, upload sessions, share links.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::record::tree::{
    Author, BrakeRecord, ChangeRecord, DeviceDeletes, EntryKind, EntryName, EntryRecord, FileRecord, FinishedSession,
    FolderRecord, FormerPlace, LinkRecord, LinkRole, MomentRecord, NameRecord, PlaceRecord, RevisionReason,
    RevisionRecord, SessionKind, SessionPartRecord, SessionRecord, StoodRecord, Totals, TrashRecord, TreeRecord,
    VacatedRecord,
};

struct_fields!(TreeRecord { created_ms, last_entry, seq, feed_floor, reserved_bytes, trash });
record!(TreeRecord, "tree record");

struct_fields!(Totals { files, folders, bytes, revisions, revision_bytes });

struct_fields!(EntryName { name, key });

struct_fields!(EntryRecord { id, created_ms, changed_seq, kind });
record!(EntryRecord, "entry record");

enum_fields!(EntryKind { 1 => Folder(folder), 2 => File(file) });

struct_fields!(FolderRecord { subtree_seq, arrived_whole, totals });

struct_fields!(FileRecord { head, revisions, revision_bytes });

struct_fields!(RevisionRecord {
    rev,
    bytes,
    content,
    etag,
    checksum,
    content_hash,
    headers,
    tags,
    modified_ms,
    client_modified_ms,
    author,
    reason,
    keep,
    label,
});
record!(RevisionRecord, "revision record");

struct_fields!(Author { user, device });

enum_fields!(RevisionReason { 1 => Upload, 2 => Copy, 3 => Restore });

enum_fields!(PlaceRecord { 1 => Live { parent, name }, 2 => Trashed { seq } });
record!(PlaceRecord, "place record");

struct_fields!(StoodRecord { until_ms, place });
record!(StoodRecord, "stood record");

enum_fields!(FormerPlace { 1 => Folder { parent, name }, 2 => Trash });

struct_fields!(MomentRecord { seq, last_entry });
record!(MomentRecord, "moment record");

struct_fields!(BrakeRecord { devices });
record!(BrakeRecord, "brake record");

struct_fields!(DeviceDeletes {
    device,
    since_ms,
    since_seq,
    deletes,
    entries,
    largest,
    of_entries,
    held_ms,
    allowed_until_ms,
});

struct_fields!(NameRecord { name, is_folder });
record!(NameRecord, "name record");

enum_fields!(ChangeRecord { 1 => Entry(entry), 2 => Vacated { parent, key } });
record!(ChangeRecord, "change record");

struct_fields!(VacatedRecord { seq, time_ms, entry, name, was_folder });
record!(VacatedRecord, "vacated record");

struct_fields!(TrashRecord { seq, trashed_ms, by, parent, name, path, entry, purging });
record!(TrashRecord, "trash record");

struct_fields!(SessionRecord {
    session,
    kind,
    created_ms,
    expires_ms,
    bytes,
    received,
    reserved,
    parts,
    closed,
    details,
    state,
    finished,
});
record!(SessionRecord, "session record");

struct_fields!(SessionPartRecord { state });
record!(SessionPartRecord, "session part record");

enum_fields!(SessionKind { 1 => Sequential, 2 => Concurrent });

struct_fields!(FinishedSession { path, entry });

struct_fields!(LinkRecord {
    link,
    secret_hash,
    entry,
    role,
    created_ms,
    created_by,
    expires_ms,
    password,
    downloads_max,
    downloads,
});
record!(LinkRecord, "link record");

enum_fields!(LinkRole { 1 => View, 2 => Edit, 3 => Drop });
