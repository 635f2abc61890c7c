//! Links: what their owner does with them.

use std::time::Duration;

use onggi_cluster::id::LinkId;
use onggi_cluster::metadata::command::tree::{At, LinkUpdate};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::tree::{Author, LinkRecord, LinkRole};

use super::ShareService;
use super::error::{Result, ShareError};
use crate::services::drive::actor::Actor;
use crate::services::drive::entries::Entry;
use crate::services::drive::links::StandingLink;
use crate::services::{Error, Secret, fresh};

/// Links of one page of a list.
const PAGE_MAX: usize = 1000;
const PASSWORD_BYTES_MAX: usize = 1024;
/// A link that ends before it can be passed on is a mistake.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// What is asked of a link; `Some(None)` takes a limit away.
#[derive(Clone, Debug, Default)]
pub struct LinkTerms {
    pub expires_ms: Option<Option<u64>>,
    pub password: Option<Option<Secret>>,
    pub downloads_max: Option<Option<u64>>,
}

/// A link as its owner sees it.
pub struct Shared {
    pub link: LinkRecord,
    /// `None`: removed, or in the trash.
    pub entry: Option<Entry>,
    /// `None`: made under another key of the cluster.
    pub token: Option<Secret>,
}

pub struct SharedPage {
    pub links: Vec<Shared>,
    pub next: Option<LinkId>,
}

impl ShareService {
    pub async fn create(&self, actor: &Actor, at: At, role: LinkRole, terms: LinkTerms) -> Result<Shared> {
        let entry = self.drive.entry(actor, at).await?;
        if role == LinkRole::Drop && !entry.record.is_folder() {
            return Err(ShareError::Invalid("only into a folder can something be dropped"));
        }
        let LinkUpdate { expires_ms, password, downloads_max } = self.checked(terms).await?;
        let mut id = LinkId([0; 16]);
        fresh::fill(&mut id.0);
        let token = self.key.token(actor.principal.user, id);
        let link = LinkRecord {
            link: id,
            secret_hash: token.hash(),
            entry: entry.record.id,
            role,
            created_ms: fresh::unix_ms(),
            created_by: Author { user: actor.principal.user, device: actor.device.clone() },
            expires_ms: expires_ms.flatten(),
            password: password.flatten(),
            downloads_max: downloads_max.flatten(),
            downloads: 0,
        };
        self.drive.create_link(actor, link.clone()).await?;
        audit(actor, "create share link", id);
        Ok(Shared { link, entry: Some(entry), token: Some(token.into_text()) })
    }

    /// `of`: those of one entry.
    pub async fn list(&self, actor: &Actor, of: Option<At>, after: Option<LinkId>, limit: usize) -> Result<SharedPage> {
        let entry = match of {
            Some(at) => Some(self.drive.entry(actor, at).await?.record.id),
            None => None,
        };
        let limit = limit.clamp(1, PAGE_MAX);
        let page = self.drive.links(actor, entry, after, limit).await?;
        let links = page.links.into_iter().map(|standing| self.shared(actor, standing)).collect();
        Ok(SharedPage { links, next: page.next })
    }

    pub async fn update(&self, actor: &Actor, link: LinkId, terms: LinkTerms) -> Result<Shared> {
        let update = self.checked(terms).await?;
        self.drive.update_link(actor, link, update).await?;
        audit(actor, "change share link", link);
        let standing = self.drive.link(actor, link).await?.ok_or(Error::Refused(Refusal::NoSuchLink))?;
        Ok(self.shared(actor, standing))
    }

    /// Which link of the actor's the text in an address is; whether it stands is not asked.
    pub fn link_of(&self, actor: &Actor, token: &str) -> Option<LinkId> {
        self.key.parse(token).filter(|token| token.user == actor.principal.user).map(|token| token.link)
    }

    pub async fn revoke(&self, actor: &Actor, link: LinkId) -> Result<()> {
        self.drive.remove_link(actor, link).await?;
        audit(actor, "revoke share link", link);
        Ok(())
    }

    fn shared(&self, actor: &Actor, standing: StandingLink) -> Shared {
        let token = self.key.token(actor.principal.user, standing.link.link);
        let is_the_one = token.hash() == standing.link.secret_hash;
        Shared { token: is_the_one.then(|| token.into_text()), entry: standing.entry, link: standing.link }
    }

    async fn checked(&self, terms: LinkTerms) -> Result<LinkUpdate> {
        let earliest_ms = fresh::unix_ms().saturating_sub(CLOCK_TOLERANCE.as_millis() as u64);
        if terms.expires_ms.flatten().is_some_and(|expires_ms| expires_ms < earliest_ms) {
            return Err(ShareError::Invalid("the link would have ended already"));
        }
        if terms.downloads_max.flatten() == Some(0) {
            return Err(ShareError::Invalid("a link gives out one download at least"));
        }
        let password = match terms.password {
            None => None,
            Some(None) => Some(None),
            Some(Some(password)) => Some(Some(self.hash(password).await?)),
        };
        Ok(LinkUpdate { expires_ms: terms.expires_ms, password, downloads_max: terms.downloads_max })
    }

    async fn hash(&self, password: Secret) -> Result<String> {
        if password.expose().is_empty() || password.expose().len() > PASSWORD_BYTES_MAX {
            return Err(ShareError::Invalid("a password has one byte at least, and 1,024 at most"));
        }
        Ok(self.accounts.hash_password(password).await?.phc)
    }
}

fn audit(actor: &Actor, action: &'static str, link: LinkId) {
    let (user, link) = (&actor.principal.name, hex::encode(&link.0[..4]));
    tracing::info!(target: "onggi::audit", %user, action, link, "share link");
}
