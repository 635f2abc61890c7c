//! Concatenation: uploads that came side by side, whole each, become one file in the order that is asked for (tus 1.0).
//! Owns: the copy of their bytes, and how long they are kept after it.
//! Does not own: which uploads may be asked for, and what a client is told (the tus door).
//! Invariant: they stay as they are until the file is there; so whatever fails on the way is asked for again.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use onggi_cluster::metadata::command::tree::{AppendSession, TreeChange};
use onggi_cluster::metadata::command::{NewContent, NewPart};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::tree::SessionKind;
use onggi_cluster::metadata::record::{Content, ManifestRecord};

use super::DriveService;
use super::actor::Actor;
use super::new_file::FileTarget;
use super::session::{NewSession, Session};
use super::session_details::SessionDetails;
use crate::services::error::{BoxError, Error, Result};
use crate::services::fresh;
use crate::services::object_reader::StoredContent;

/// The answer may be lost, and the client ask again; until then they count against the quota beside the file.
const KEPT_AFTERWARDS: Duration = Duration::from_secs(3600);

impl DriveService {
    /// The session of the whole, finished. Runs on when the caller is dropped, as connections are that wait for long.
    pub async fn concatenate(
        &self,
        actor: &Actor,
        partials: Vec<Session>,
        details: SessionDetails,
        target: FileTarget,
    ) -> Result<Session> {
        let (service, actor) = (self.clone(), actor.clone());
        let run = async move { service.copy_and_finish(&actor, partials, details, target).await };
        tokio::spawn(run).await.map_err(|_panic| Error::Hashing)?
    }

    async fn copy_and_finish(
        &self,
        actor: &Actor,
        partials: Vec<Session>,
        details: SessionDetails,
        target: FileTarget,
    ) -> Result<Session> {
        let bytes = partials.iter().map(|partial| partial.record.received).sum();
        let new = NewSession { details, kind: SessionKind::Sequential, bytes: Some(bytes) };
        let whole = self.create_session(actor, new).await?;
        let copied = async {
            let session = self.session(actor, whole).await?;
            self.copy_into(actor, &session, &partials).await?;
            let session = self.session(actor, whole).await?;
            let claims = session.details.claims(bytes);
            self.finish_session(actor, &session, &target, &claims).await
        };
        if let Err(error) = copied.await {
            // The error is what counts. What cannot be dropped now is dropped when it expires.
            let _: Result<()> = self.abort_session(actor, whole).await;
            return Err(error);
        }
        for partial in &partials {
            self.release_partial(actor, partial).await?;
        }
        self.session(actor, whole).await
    }

    async fn copy_into(&self, actor: &Actor, whole: &Session, partials: &[Session]) -> Result<()> {
        let mut sources = Vec::with_capacity(partials.len());
        for partial in partials {
            sources.push(self.stored_session(actor, partial).await?);
        }
        let content = self.content.clone();
        let pieces = futures::stream::iter(sources.into_iter().map(Ok::<_, BoxError>))
            .and_then(move |source| {
                let content = content.clone();
                async move { Ok(content.read(&source, 0..source.bytes).await?.into_pieces()) }
            })
            .try_flatten()
            .boxed();
        match self.append(actor, whole, 0, pieces).await?.broke_off {
            None => Ok(()),
            Some(error) => Err(of_source(error)),
        }
    }

    /// What a session holds, as a manifest would name it.
    async fn stored_session(&self, actor: &Actor, session: &Session) -> Result<StoredContent> {
        let (owner, upload, count) = (actor.principal.owner_key(), session.record.session, session.record.parts);
        let (bucket, parts) = self
            .read(actor, move |view, tree| {
                let parts = query::parts(view, owner, tree.0.bucket, upload, 0, usize::from(count))?;
                Ok((tree.0.bucket, parts))
            })
            .await?;
        let manifest = ManifestRecord { parts: parts.iter().map(|part| (part.number, part.bytes)).collect() };
        let bytes = parts.iter().map(|part| part.bytes).sum();
        if bytes != session.record.received {
            // Given up meanwhile.
            return Err(Error::Refused(Refusal::NoSuchSession));
        }
        Ok(StoredContent { owner, content: Content::Parts { bucket, upload }, bytes, manifest: Some(manifest) })
    }

    /// It takes no more bytes, and goes soon. Gone already, or released by another concatenation: as good.
    async fn release_partial(&self, actor: &Actor, partial: &Session) -> Result<()> {
        let append = AppendSession {
            session: partial.record.session,
            offset: partial.record.received,
            part: NewPart { number: 0, content: NewContent::empty(), md5: [0; 16], checksum: None },
            state: Bytes::new(),
            expires_ms: fresh::unix_ms() + KEPT_AFTERWARDS.as_millis() as u64,
            close: true,
        };
        match self.change(actor, TreeChange::AppendSession(append)).await {
            Err(Error::Refused(Refusal::NoSuchSession | Refusal::SessionClosed)) => Ok(()),
            released => released.map(drop),
        }
    }
}

/// Not the client's body broke off, but what is stored.
fn of_source(error: Error) -> Error {
    match error {
        Error::Body(source) => match source.downcast::<onggi_cluster::Error>() {
            Ok(cluster) => Error::Cluster(*cluster),
            Err(source) => source.downcast::<Error>().map_or(Error::Vanished, |error| *error),
        },
        error => error,
    }
}
