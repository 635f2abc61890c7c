//! Router of the drive API: which operation a request is. Who asks is proven by each handler's `Caller`, before it sees the body.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};
use onggi_cluster::id::UserId;

use crate::drive_api::cursor::CursorKey;
use crate::drive_api::operations::{
    account, download, dropbox, entries, events, google, links, listing, presigned_upload, resume_upload, revisions,
    share, trash, tus, upload, upload_session,
};
use crate::drive_api::seal::SealKey;
use crate::s3_api::presign::Presigner;
use crate::services::account_service::AccountService;
use crate::services::drive::DriveService;
use crate::services::share_service::ShareService;
use crate::services::{KeyPair, Services};

/// Cheap to clone.
#[derive(Clone)]
pub struct DriveApi {
    services: Services,
    cursors: CursorKey,
    uploads: SealKey,
    temporary_links: SealKey,
    presigner: Arc<Presigner>,
}

impl DriveApi {
    pub fn new(services: Services, presigner: Presigner, master_key: &[u8; 32]) -> Self {
        Self {
            services,
            cursors: CursorKey::derive(master_key),
            uploads: SealKey::derive(master_key, "onggi presigned upload v1"),
            temporary_links: SealKey::derive(master_key, "onggi temporary link v1"),
            presigner: Arc::new(presigner),
        }
    }

    pub(super) fn drive(&self) -> &DriveService {
        &self.services.drive
    }

    pub(super) fn cursors(&self) -> &CursorKey {
        &self.cursors
    }

    pub(super) fn accounts(&self) -> &AccountService {
        &self.services.accounts
    }

    /// Seals uploads whose parts go to S3.
    pub(super) fn uploads(&self) -> &SealKey {
        &self.uploads
    }

    pub(super) fn temporary_links(&self) -> &SealKey {
        &self.temporary_links
    }

    pub(super) fn presigner(&self) -> &Presigner {
        &self.presigner
    }

    pub(super) fn drive_key(&self, user: UserId) -> KeyPair {
        self.services.identity.drive_key(user)
    }

    pub(super) fn shares(&self) -> &ShareService {
        &self.services.shares
    }

    pub fn router(self) -> Router {
        Router::new()
            .route("/account", get(account::account))
            .route("/files/upload", post(upload::upload))
            .route(
                "/files/upload/{session}",
                put(resume_upload::resume_upload)
                    .get(upload_session::upload_session)
                    .delete(upload_session::cancel_upload),
            )
            .route("/files/upload/presigned/{upload}/parts", get(presigned_upload::parts))
            .route("/files/upload/presigned/{upload}/complete", post(presigned_upload::complete))
            .route("/files/upload/presigned/{upload}", delete(presigned_upload::cancel))
            .route("/files/download", get(download::download_by_get).post(download::download))
            .route("/files/metadata", post(entries::metadata))
            .route("/files/create_folder", post(entries::create_folder))
            .route("/files/move", post(entries::move_entry))
            .route("/files/copy", post(entries::copy_entry))
            .route("/files/delete", post(trash::delete))
            .route("/files/list_trash", post(trash::list_trash))
            .route("/files/undelete", post(trash::undelete))
            .route("/files/purge", post(trash::purge))
            .route("/files/list_revisions", post(revisions::list_revisions))
            .route("/files/restore", post(revisions::restore))
            .route("/files/update_revision", post(revisions::update_revision))
            .route("/files/list", post(listing::list))
            .route("/files/list/continue", post(listing::list_continue))
            .route("/files/list/latest_cursor", post(listing::latest_cursor))
            .route("/files/wait", post(listing::wait))
            .route("/files/events", get(events::events))
            .route("/files/search", post(listing::search))
            .route("/links/create", post(links::create))
            .route("/links/list", post(links::list))
            .route("/links/update", post(links::update))
            .route("/links/revoke", post(links::revoke))
            .merge(share::router())
            .merge(google::router())
            .merge(tus::router())
            .merge(dropbox::router())
            .with_state(self)
    }
}
