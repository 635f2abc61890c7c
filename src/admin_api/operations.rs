//! Operations of the admin API, one per file: read the request, call one service, write the answer.

mod create_key;
mod create_user;
mod delete_key;
mod delete_user;
mod list_buckets;
mod list_keys;
mod list_users;
mod scrub_status;
mod start_scrub;
mod status;
mod update_key;
mod update_user;
mod wire;

pub use create_key::create_key;
pub use create_user::create_user;
pub use delete_key::delete_key;
pub use delete_user::delete_user;
pub use list_buckets::list_buckets;
pub use list_keys::list_keys;
pub use list_users::list_users;
pub use scrub_status::scrub_status;
pub use start_scrub::start_scrub;
pub use status::status;
pub use update_key::update_key;
pub use update_user::update_user;
