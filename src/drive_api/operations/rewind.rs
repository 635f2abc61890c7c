//! Rewind: a folder goes back to how it was at a time.

use axum::Json;
use axum::extract::State;
use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::{At, RewindCursor, RewindStage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::request::{By, Document, EntryReference};
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::drive::rewind::RewindPosition;

/// Without `path` and `id`: the whole drive.
#[derive(Deserialize, ToSchema)]
pub struct Rewind {
    #[serde(flatten)]
    folder: EntryReference,
    #[schema(example = "2026-11-22T20:00:00Z")]
    to: String,
    /// Only count.
    #[serde(default)]
    preview: bool,
    /// As the answer before gave it.
    cursor: Option<String>,
}

/// Counts of this call: those of all calls of one rewind add up.
#[derive(Serialize, ToSchema)]
pub struct Rewound {
    /// Entries that come out of the trash, with what is below.
    restored: u64,
    /// Entries that go back to where they stood; a folder is one.
    moved: u64,
    /// Entries that were not there then, and go to the trash, with what is below.
    removed: u64,
    /// Files that get the contents that they had.
    reset: u64,
    /// What cannot be as it was: it, its contents of then, or the folder it stood in is gone for good.
    lost: u64,
    /// There is more to do: ask again with it. `null`: the folder is as it was.
    cursor: Option<String>,
}

/// Back to how a folder was at a time
///
/// Nothing is lost: what came since goes to the trash, contents become revisions, and a rewind can itself be rewound.
#[utoipa::path(
    post, path = "/files/rewind", tag = "trash", request_body = Rewind,
    responses((status = 200, description = "What was done, or would be.", body = Rewound)),
)]
pub async fn rewind(
    State(api): State<DriveApi>,
    By(actor): By,
    Document(asked): Document<Rewind>,
) -> Result<Json<Rewound>> {
    let folder = match &asked.folder {
        EntryReference { path: None, id: None } => At::Entry(EntryId::ROOT),
        reference => reference.at()?,
    };
    let to_ms = text_form::parse_time(&asked.to).ok_or_else(|| DriveError::invalid("`to` is no time"))?;
    let from = match asked.cursor.as_deref() {
        Some(cursor) => parse(cursor).ok_or_else(|| DriveError::invalid("`cursor` is none of a rewind"))?,
        None => RewindPosition::default(),
    };
    let done = match asked.preview {
        true => api.drive().preview_rewind(&actor, folder, to_ms, from).await?,
        false => api.drive().rewind(&actor, folder, to_ms, from).await?,
    };
    let counts = done.counts;
    Ok(Json(Rewound {
        restored: counts.restored,
        moved: counts.moved,
        removed: counts.removed,
        reset: counts.reset,
        lost: counts.lost,
        cursor: done.next.map(text),
    }))
}

/// It is not sealed: it leads nowhere but through the tree of whoever brings it, and from anywhere to the same end.
fn text(position: RewindPosition) -> String {
    let (stage, at, until) = match position.cursor {
        None => (0, 0, 0),
        Some(RewindCursor { stage, at, until }) => (number(stage), at, until),
    };
    let RewindPosition { passes, has_changed, leaving, .. } = position;
    format!("{passes}-{}-{leaving}-{stage}-{at}-{until}", u8::from(has_changed))
}

fn parse(text: &str) -> Option<RewindPosition> {
    let mut numbers = text.split('-').map(|part| part.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    let (passes, has_changed, leaving) = (next()?, next()? > 0, next()?);
    let (stage, at, until) = (next()?, next()?, next()?);
    let cursor = match stage {
        0 => None,
        stage => Some(RewindCursor { stage: STAGES.into_iter().find(|known| number(*known) == stage)?, at, until }),
    };
    Some(RewindPosition { passes: u32::try_from(passes).ok()?, has_changed, cursor, leaving })
}

const STAGES: [RewindStage; 4] =
    [RewindStage::Trash, RewindStage::Places, RewindStage::Arrivals, RewindStage::Contents];

fn number(stage: RewindStage) -> u64 {
    match stage {
        RewindStage::Trash => 1,
        RewindStage::Places => 2,
        RewindStage::Arrivals => 3,
        RewindStage::Contents => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        let cursor = STAGES.map(|stage| Some(RewindCursor { stage, at: 300, until: u64::MAX }));
        for cursor in cursor.into_iter().chain([None]) {
            let position = RewindPosition { passes: 2, has_changed: true, cursor, leaving: 7 };
            assert_eq!(parse(&text(position)), Some(position));
        }
        for bad in ["", "x", "1-1-0-5-0-0", "1-1-0-1-0", "99999999999-1-0-1-0-0", "-1-1-0-1-0-0"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
