//! Upload: a file in one request.

use futures::StreamExt;
use onggi_cluster::metadata::command::tree::{PutFile, TreeChange};
use onggi_cluster::metadata::outcome::EntryChanged;
use onggi_cluster::metadata::record::ETag;

use super::DriveService;
use super::actor::Actor;
use super::content_hash::ContentHash;
use super::new_file::{FileClaims, FileTarget};
use super::session::Pieces;
use crate::services::body_hash::BodyHash;
use crate::services::error::{Error, Result};
use crate::services::quota::Incoming;

impl DriveService {
    /// Nothing of `pieces` is polled before the tree is found and the bytes can fit.
    pub async fn put_file(
        &self,
        actor: &Actor,
        target: FileTarget,
        claims: FileClaims,
        mut pieces: Pieces,
    ) -> Result<EntryChanged> {
        let owner = actor.principal.owner_key();
        let incoming = Incoming { bytes: claims.bytes, quota_bytes: actor.principal.quota_bytes };
        let fits = self.read(actor, move |view, _| incoming.check_early(view, owner, || Ok(0))).await?;
        fits.map_err(Error::Refused)?;

        let mut writer = self.data.blob_writer(owner);
        let mut running = BodyHash::new(ContentHash::default());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(Error::Body)?;
            running.update(piece.clone()).await?;
            writer.push(piece).await?;
        }
        let (hashed, content) = futures::join!(running.finish(), writer.finish());
        let digests = hashed?.finish();
        claims.check(&digests)?;
        let (content, file) = (content?, target.file(&digests, ETag { md5: [0; 16], parts: None }));
        let put = |mode| {
            TreeChange::PutFile(PutFile {
                path: target.path.clone(),
                mode,
                rename: target.rename(actor),
                content: content.clone(),
                file: file.clone(),
            })
        };
        self.write_file(actor, &target, put).await
    }
}
