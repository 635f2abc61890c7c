//! Router of the drive API: which operation a request is. Who asks is proven by each handler's `Caller`, before it sees the body.

use std::sync::Arc;

use axum::Router;
use onggi_cluster::id::UserId;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

use crate::drive_api::cursor::CursorKey;
use crate::drive_api::description;
use crate::drive_api::operations::{
    account, copy_range, download, dropbox, entries, events, google, links, listing, mass_delete, presigned_upload,
    resume_upload, revisions, rewind, share, trash, tus, upload, upload_session,
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
        Router::from(description::routed(operations()))
            .merge(google::router())
            .merge(tus::router())
            .merge(dropbox::router())
            .with_state(self)
    }
}

/// The operations of the API itself: what is here is served, and described. The doors of others have routers of their own.
pub fn operations() -> Vec<UtoipaMethodRouter<DriveApi>> {
    vec![
        routes!(account::account),
        routes!(upload::upload),
        routes!(resume_upload::resume_upload, upload_session::upload_session, upload_session::cancel_upload),
        routes!(copy_range::copy_range),
        routes!(presigned_upload::parts),
        routes!(presigned_upload::complete),
        routes!(presigned_upload::cancel),
        routes!(download::download_by_get, download::download),
        routes!(entries::metadata),
        routes!(entries::create_folder),
        routes!(entries::move_entry),
        routes!(entries::copy_entry),
        routes!(trash::delete),
        routes!(trash::list_trash),
        routes!(trash::undelete),
        routes!(trash::purge),
        routes!(rewind::rewind),
        routes!(mass_delete::allow),
        routes!(mass_delete::undo),
        routes!(revisions::list_revisions),
        routes!(revisions::restore),
        routes!(revisions::update_revision),
        routes!(listing::list),
        routes!(listing::list_continue),
        routes!(listing::latest_cursor),
        routes!(listing::wait),
        routes!(events::events),
        routes!(listing::search),
        routes!(links::create),
        routes!(links::list),
        routes!(links::update),
        routes!(links::revoke),
        routes!(share::unlock),
        routes!(share::list),
        routes!(share::send),
        routes!(share::upload),
    ]
}
