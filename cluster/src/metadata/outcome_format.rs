//! Outcome format: the bytes of what was decided, as the request ring keeps them.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::outcome::{EntryChanged, ObjectDeleted, ObjectWritten, Outcome, Refusal, RewindCounts, Rewound};

record!(Outcome, "outcome");

enum_fields!(Outcome {
    0 => Done,
    1 => UserCreated { user },
    2 => BucketReserved { reservation },
    3 => BucketCreated { bucket },
    4 => ObjectWritten(written),
    5 => ObjectsDeleted(deleted),
    6 => TagsSet { version, is_null },
    7 => UploadCreated { upload },
    8 => Refused(refusal),
    9 => NodeAdmitted { node },
    10 => SplitBegun { child },
    11 => EntryChanged(changed),
    12 => Purged { more },
    13 => SessionAppended { received },
    14 => Rewound(rewound),
    15 => DeviceHeld,
    20 => PasswordSet { sign_ins },
    21 => GrantReused,
});

struct_fields!(ObjectWritten { version, is_null, versioned, etag, modified_ms, checksum, bytes });

struct_fields!(EntryChanged { path, entry, unchanged, trashed });

struct_fields!(Rewound { counts, next });

struct_fields!(RewindCounts { restored, moved, removed, reset, lost });

struct_fields!(ObjectDeleted { version, is_null, delete_marker });

enum_fields!(Refusal {
    1 => AlreadyInitialized,
    2 => NoSuchUser,
    3 => RootUser,
    4 => UserExists,
    5 => UserOwnsBuckets,
    6 => NoSuchAccessKey,
    7 => AccessKeyExists,
    8 => BucketNameTaken,
    9 => BucketOwnedByYou,
    10 => StaleReservation,
    11 => NoSuchBucket,
    12 => BucketNotEmpty,
    13 => NoSuchKey,
    14 => NoSuchVersion,
    15 => DeleteMarker,
    16 => CopySourceGone,
    17 => NoSuchUpload,
    18 => InvalidPart { number },
    19 => InvalidPartOrder,
    20 => PartTooSmall { number, bytes },
    21 => ObjectTooLarge,
    22 => SizeMismatch,
    23 => ChecksumMismatch,
    24 => ChecksumAlgorithmMismatch,
    25 => PreconditionFailed,
    26 => QuotaExceeded,
    27 => RequestTooOld,
    28 => StalePartitionMap,
    29 => FounderKnown,
    30 => AuthorityExists,
    31 => TokenExists,
    32 => NoSuchToken,
    33 => TokenExpired,
    34 => TokenUsed { by },
    35 => DriveKnown { node },
    36 => NoSuchNode,
    37 => NodeRemoved,
    38 => NodeHoldsGroups { groups },
    39 => TooFewNodes { needed },
    40 => StaleGroup,
    41 => InvalidGroup,
    42 => OwnerElsewhere,
    43 => NoSuchGroup,
    44 => SplitUnderWay { child },
    45 => InvalidBoundary,
    46 => StaleSplit,
    47 => WrongBucketKind,
    48 => NoSuchEntry,
    49 => EntryExists { entry, is_folder },
    50 => NotAFolder,
    51 => NotAFile,
    52 => StaleRevision { head },
    53 => NoSuchRevision,
    54 => IntoItself,
    55 => TooManyEntries { limit },
    56 => PathTooDeep,
    57 => ParentGone,
    58 => NoSuchTrashItem,
    59 => NoSuchSession,
    60 => IncorrectOffset { expected },
    61 => SessionClosed,
    62 => SessionNotClosed,
    63 => SessionIncomplete { missing_at },
    64 => TooManyParts,
    65 => NoSuchLink,
    66 => LinkExpired,
    70 => NoSuchGrant,
    71 => GrantExists,
    72 => GrantExpired,
    73 => TooManyGrants { max },
    74 => PasswordChanged,
    75 => TooFewCopies,
    80 => TooFarBack { earliest_ms },
    81 => DeviceHeld,
    82 => NoSuchDevice,
});
