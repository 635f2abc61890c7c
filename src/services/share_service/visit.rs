//! Visit: what somebody may do who came by a link.

use onggi_cluster::metadata::command::tree::{At, WriteMode};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::tree::{LinkRecord, LinkRole, TreePath};
use subtle::ConstantTimeEq;

use super::ShareService;
use super::error::{Result, ShareError};
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;
use crate::services::drive::feed::{Page, Position, Stage};
use crate::services::drive::links::StandingLink;
use crate::services::drive::new_file::{FileClaims, FileTarget};
use crate::services::drive::session::Pieces;
use crate::services::drive::stored_file::StoredFile;
use crate::services::{Error, fresh};

/// As history shows it.
const DEVICE: &str = "share link";

/// The link is one of ours and stands; whether its password was said is not asked yet.
pub(super) struct Opened {
    pub actor: Actor,
    pub standing: StandingLink,
}

/// Somebody was let in.
#[derive(Clone, Debug)]
pub struct Visit {
    pub link: LinkRecord,
    /// What was shared, where it is now.
    pub top: Entry,
    /// The owner: everything is done in their name.
    actor: Actor,
}

/// A file that a visitor brings.
pub struct Arriving {
    pub path: TreePath,
    pub bytes: Option<u64>,
    pub media_type: Option<String>,
    pub pieces: Pieces,
}

impl ShareService {
    /// `unlocked`: what `unlock` gave.
    pub async fn visit(&self, token: &str, unlocked: Option<&str>) -> Result<Visit> {
        let Opened { actor, standing } = self.open(token).await?;
        let link = standing.link;
        if let Some(phc) = &link.password {
            let is_unlocked = |proof| self.key.is_unlocked(link.link, phc, proof, fresh::unix_ms());
            if !unlocked.is_some_and(is_unlocked) {
                return Err(ShareError::PasswordRequired);
            }
        }
        let top = standing.entry.ok_or_else(gone)?;
        Ok(Visit { link, top, actor })
    }

    pub(super) async fn open(&self, token: &str) -> Result<Opened> {
        let token = self.key.parse(token).ok_or_else(gone)?;
        let principal = self.accounts.principal(token.user).await?.ok_or_else(gone)?;
        let actor = Actor { principal, device: DEVICE.to_owned() };
        let standing = self.drive.link(&actor, token.link).await?.ok_or_else(gone)?;
        let is_the_one: bool = standing.link.secret_hash.ct_eq(&token.hash()).into();
        if !is_the_one {
            return Err(gone());
        }
        if standing.link.expires_ms.is_some_and(|expires_ms| expires_ms <= fresh::unix_ms()) {
            return Err(Error::Refused(Refusal::LinkExpired).into());
        }
        Ok(Opened { actor, standing })
    }

    /// What lies at a path below what was shared; the empty path is that itself.
    pub async fn entry(&self, visit: &Visit, path: TreePath) -> Result<Entry> {
        visit.must_see()?;
        Ok(self.drive.entry_below(&visit.actor, visit.top.record.id, path).await?)
    }

    /// A page of a folder; `after`: where the last one ended.
    pub async fn list_folder(
        &self,
        visit: &Visit,
        folder: &Entry,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Page> {
        visit.must_see()?;
        let Some(position) = after else {
            return Ok(self.drive.list(&visit.actor, At::Entry(folder.record.id), false, limit).await?);
        };
        // Of a listing of this very folder, and not of what changed elsewhere.
        let is_here = position.folder == folder.record.id && !position.recursive;
        if !is_here || !matches!(position.stage, Stage::Listing { .. }) {
            return Err(Error::CursorReset.into());
        }
        Ok(self.drive.go_on(&visit.actor, position, limit).await?)
    }

    /// To be read. `counts`: this is a download, and not the rest of one.
    pub async fn file(&self, visit: &Visit, path: TreePath, counts: bool) -> Result<StoredFile> {
        let entry = self.entry(visit, path).await?;
        let file = self.drive.file(&visit.actor, At::Entry(entry.record.id), None).await?;
        if counts {
            self.drive.count_download(&visit.actor, visit.link.link).await?;
        }
        Ok(file)
    }

    /// `None`: who may only drop files is told nothing of them.
    pub async fn put_file(&self, visit: &Visit, arriving: Arriving) -> Result<Option<Entry>> {
        let mode = match visit.link.role {
            LinkRole::View => return Err(ShareError::Denied("the link is for looking only")),
            LinkRole::Edit => WriteMode::Overwrite,
            LinkRole::Drop => WriteMode::Add,
        };
        let target = FileTarget {
            path: self.drive.path_below(&visit.actor, visit.top.record.id, arriving.path).await?,
            autorename: mode == WriteMode::Add,
            mode,
            client_modified_ms: None,
            media_type: arriving.media_type,
        };
        let claims = FileClaims { bytes: arriving.bytes, ..FileClaims::default() };
        let stored = self.drive.put_file(&visit.actor, target, claims, arriving.pieces).await?;
        Ok((visit.link.role == LinkRole::Edit).then(|| stored.into()))
    }
}

impl Visit {
    pub fn owner(&self) -> &Actor {
        &self.actor
    }

    fn must_see(&self) -> Result<()> {
        match self.link.role {
            LinkRole::View | LinkRole::Edit => Ok(()),
            LinkRole::Drop => Err(ShareError::Denied("into this link files can be put, and nothing is shown")),
        }
    }
}

fn gone() -> ShareError {
    Error::Refused(Refusal::NoSuchLink).into()
}
