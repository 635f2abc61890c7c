//! Links: the records of a tree's share links. Who is let in by one is the business of `share_service`.

use onggi_cluster::id::{EntryId, LinkId};
use onggi_cluster::metadata::command::tree::{At, LinkUpdate, TreeChange};
use onggi_cluster::metadata::key::TreeSpace;
use onggi_cluster::metadata::outcome::{Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::tree::{LinkRecord, TreePath};
use onggi_cluster::metadata::view::MetadataView;

use super::DriveService;
use super::actor::Actor;
use super::entries::Entry;
use super::name;
use crate::services::error::{Error, Result};

/// Links looked at in one scan.
const SCAN: usize = 1000;

/// A link, and what it names.
#[derive(Clone, Debug)]
pub struct StandingLink {
    pub link: LinkRecord,
    /// `None`: removed, or in the trash.
    pub entry: Option<Entry>,
}

pub struct LinkPage {
    pub links: Vec<StandingLink>,
    /// What the next page comes after.
    pub next: Option<LinkId>,
}

impl DriveService {
    pub(in crate::services) async fn create_link(&self, actor: &Actor, link: LinkRecord) -> Result<()> {
        self.change_link(actor, TreeChange::CreateLink { link }).await
    }

    pub(in crate::services) async fn update_link(&self, actor: &Actor, link: LinkId, update: LinkUpdate) -> Result<()> {
        self.change_link(actor, TreeChange::UpdateLink { link, update }).await
    }

    pub(in crate::services) async fn remove_link(&self, actor: &Actor, link: LinkId) -> Result<()> {
        self.change_link(actor, TreeChange::RemoveLink { link }).await
    }

    /// `LinkExpired`: there are none left.
    pub(in crate::services) async fn count_download(&self, actor: &Actor, link: LinkId) -> Result<()> {
        self.change_link(actor, TreeChange::CountDownload { link }).await
    }

    async fn change_link(&self, actor: &Actor, change: TreeChange) -> Result<()> {
        match self.change(actor, change).await? {
            Outcome::Done => Ok(()),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    pub(in crate::services) async fn link(&self, actor: &Actor, link: LinkId) -> Result<Option<StandingLink>> {
        self.read(actor, move |view, tree| {
            let found = query::tree::link(view, tree, link)?;
            found.map(|link| standing(view, tree, link)).transpose()
        })
        .await
    }

    /// In the order of their ids; `of`: those of one entry.
    pub(in crate::services) async fn links(
        &self,
        actor: &Actor,
        of: Option<EntryId>,
        after: Option<LinkId>,
        limit: usize,
    ) -> Result<LinkPage> {
        self.read(actor, move |view, tree| {
            let (mut links, mut after) = (Vec::new(), after);
            loop {
                let scanned = query::tree::links(view, tree, after, SCAN)?;
                let is_last = scanned.len() < SCAN;
                for link in scanned {
                    if links.len() == limit {
                        return Ok(LinkPage { links, next: after });
                    }
                    after = Some(link.link);
                    if of.is_none_or(|entry| entry == link.entry) {
                        links.push(standing(view, tree, link)?);
                    }
                }
                if is_last {
                    return Ok(LinkPage { links, next: None });
                }
            }
        })
        .await
    }

    /// What lies at `path` below `top`, wherever that is now.
    pub(in crate::services) async fn entry_below(&self, actor: &Actor, top: EntryId, path: TreePath) -> Result<Entry> {
        let found = self
            .read(actor, move |view, tree| {
                let Some(top) = query::tree::find(view, tree, &At::Entry(top))? else { return Ok(None) };
                query::tree::find_below(view, tree, top, &path)
            })
            .await?;
        found.map(Entry::from).ok_or(Error::Refused(Refusal::NoSuchEntry))
    }

    /// Where `path` below `top` is now, whether something is there or not.
    pub(in crate::services) async fn path_below(
        &self,
        actor: &Actor,
        top: EntryId,
        path: TreePath,
    ) -> Result<TreePath> {
        let top = self.entry(actor, At::Entry(top)).await?;
        Ok([name::tree_path(&top.path)?, path].concat())
    }
}

fn standing(view: &dyn MetadataView, tree: TreeSpace, link: LinkRecord) -> onggi_cluster::Result<StandingLink> {
    let entry = query::tree::find(view, tree, &At::Entry(link.entry))?.map(Entry::from);
    Ok(StandingLink { link, entry })
}
