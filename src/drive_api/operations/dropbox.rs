//! The Dropbox door: its v2 routes, for its SDKs and what is built on them (Dropbox, "HTTP documentation"; the SDKs' own sources).
//! Owns: the forms of arguments, results and errors. What a route does is the services' own.

mod argument;
mod auth;
mod batch;
mod download;
mod entries;
mod list_folder;
mod metadata;
mod rev;
mod revisions;
mod route_error;
mod search;
mod sharing;
mod temporary_link;
mod upload;
mod upload_batch;
mod upload_session;
mod users;

use axum::Router;
use axum::routing::{get, post};

use crate::drive_api::router::DriveApi;

pub fn router() -> Router<DriveApi> {
    Router::new()
        .route("/2/check/user", post(users::check_user))
        .route("/2/auth/token/revoke", post(auth::revoke_token))
        .route("/2/users/get_account", post(users::get_account))
        .route("/2/users/get_current_account", post(users::get_current_account))
        .route("/2/users/get_space_usage", post(users::get_space_usage))
        .route("/2/files/upload", post(upload::upload))
        .route("/2/files/upload_session/start", post(upload_session::start))
        .route("/2/files/upload_session/append_v2", post(upload_session::append))
        .route("/2/files/upload_session/finish", post(upload_session::finish))
        .route("/2/files/upload_session/start_batch", post(upload_batch::start_batch))
        .route("/2/files/upload_session/finish_batch_v2", post(upload_batch::finish_batch))
        .route("/2/files/download", post(download::download))
        .route("/2/files/get_metadata", post(entries::get_metadata))
        .route("/2/files/create_folder_v2", post(entries::create_folder))
        .route("/2/files/delete_v2", post(entries::delete))
        .route("/2/files/permanently_delete", post(entries::permanently_delete))
        .route("/2/files/move_v2", post(entries::move_entry))
        .route("/2/files/copy_v2", post(entries::copy_entry))
        .route("/2/files/delete_batch", post(batch::delete))
        .route("/2/files/create_folder_batch", post(batch::create_folders))
        .route("/2/files/move_batch_v2", post(batch::move_entries))
        .route("/2/files/copy_batch_v2", post(batch::copy_entries))
        .route("/2/files/get_temporary_link", post(temporary_link::get_temporary_link))
        .route("/t/{link}", get(temporary_link::send))
        .route("/2/sharing/create_shared_link_with_settings", post(sharing::create))
        .route("/2/sharing/list_shared_links", post(sharing::list))
        .route("/2/sharing/modify_shared_link_settings", post(sharing::modify))
        .route("/2/sharing/revoke_shared_link", post(sharing::revoke))
        .route("/2/sharing/share_folder", post(sharing::share_folder))
        .route("/2/files/list_folder", post(list_folder::list_folder))
        .route("/2/files/list_folder/continue", post(list_folder::list_folder_continue))
        .route("/2/files/list_folder/get_latest_cursor", post(list_folder::get_latest_cursor))
        .route("/2/files/list_folder/longpoll", post(list_folder::longpoll))
        .route("/2/files/list_revisions", post(revisions::list_revisions))
        .route("/2/files/restore", post(revisions::restore))
        .route("/2/files/search_v2", post(search::search))
}
