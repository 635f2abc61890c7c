//! Column families: their names on disk, and which of them the write-ahead log covers (docs/data-layout.md).

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ColumnFamily {
    RaftLog,
    RaftState,
    Metadata,
    InlinePayload,
    ChunkIndex,
}

impl ColumnFamily {
    pub const ALL: [Self; 5] = [Self::RaftLog, Self::RaftState, Self::Metadata, Self::InlinePayload, Self::ChunkIndex];

    pub fn name(self) -> &'static str {
        match self {
            Self::RaftLog => "raft_log",
            Self::RaftState => "raft_state",
            Self::Metadata => "metadata",
            Self::InlinePayload => "inline_payload",
            Self::ChunkIndex => "chunk_index",
        }
    }

    /// The Raft families go through the write-ahead log. The others are rebuilt from them, or from the extents.
    pub fn is_logged(self) -> bool {
        match self {
            Self::RaftLog | Self::RaftState => true,
            Self::Metadata | Self::InlinePayload | Self::ChunkIndex => false,
        }
    }
}
