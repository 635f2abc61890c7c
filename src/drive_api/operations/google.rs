//! Google's door: what its clients expect beside the native API (Drive v3, as far as files and revisions go).

pub mod discovery;
pub mod file_resource;
pub mod files;
pub mod google_error;
pub mod google_metadata;
pub mod query;
pub mod revisions;
pub mod uploads;

use axum::Router;
use axum::routing::{get, patch, post, put};

use crate::drive_api::operations::upload_session;
use crate::drive_api::router::DriveApi;

pub fn router() -> Router<DriveApi> {
    Router::new()
        .route("/discovery/v1/apis/drive/v3/rest", get(discovery::discovery))
        .route("/upload/drive/v3/files", post(uploads::create))
        .route("/upload/drive/v3/files/{id}", patch(uploads::update).put(uploads::update))
        .route("/resumable/upload/drive/v3/files", post(uploads::create))
        .route("/resumable/upload/drive/v3/files/{id}", patch(uploads::update).put(uploads::update))
        .route("/upload/drive/v3/sessions/{session}", put(uploads::resume).delete(upload_session::cancel_upload))
        .route("/drive/v3/files", get(files::list).post(files::create))
        .route("/drive/v3/files/{id}", get(files::get).patch(files::update).delete(files::delete))
        .route("/drive/v3/files/{id}/revisions", get(revisions::list))
        .route("/drive/v3/files/{id}/revisions/{rev}", get(revisions::get).patch(revisions::update))
}
