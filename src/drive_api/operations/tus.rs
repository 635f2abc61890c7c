//! The tus door: resumable uploads for browsers (tus 1.0, with creation, creation-with-upload, creation-defer-length, expiration,
//! checksum, termination and concatenation), on the same sessions as every other upload.
//! Owns: the protocol's headers and statuses. A client takes 409 for a wrong offset and asks again, so that nothing else may answer it.

mod checked;
mod concat;
mod metadata;
mod patch;
mod reply;
mod uploads;

use axum::Router;
use axum::routing::{head, options};

use crate::drive_api::router::DriveApi;

pub fn router() -> Router<DriveApi> {
    let collection = || options(uploads::capabilities).post(uploads::create);
    Router::new().route("/files/tus", collection()).route("/files/tus/", collection()).route(
        "/files/tus/{session}",
        head(uploads::progress)
            .patch(patch::patch)
            .delete(uploads::terminate)
            .post(patch::overridden)
            .options(uploads::capabilities),
    )
}
