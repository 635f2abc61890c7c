//! Console: the web page of the drive, as it was built, from the binary.
//! Owns: the page's own paths, and the headers that say what the page may do. `console/app` has the sources, `console/dist` what they
//! were built to.
//! Does not own: the calls that the page makes (`drive_api`): it has no way to data that another client has not.

mod assets;
mod policy;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;

use crate::console::assets::{Caching, Requested};

/// Paths that the page draws by itself: these are answered with the page, and no other path is.
const PAGES: [&str; 10] =
    ["/", "/drive", "/drive/", "/drive/{*path}", "/search", "/trash", "/shared", "/devices", "/connect", "/s/{token}"];

pub fn router() -> Router {
    let mut router = Router::new().route("/assets/{*file}", get(asset)).route("/favicon.svg", get(favicon));
    for path in PAGES {
        router = router.route(path, get(page));
    }
    router
}

/// Whether a request is for the page itself, for the record.
pub fn owns(path: &str) -> bool {
    let rooms = PAGES.into_iter().chain(["/assets", "/favicon.svg"]).filter(|page| !page.ends_with(['/', '}']));
    path == "/"
        || rooms
            .into_iter()
            .any(|room| path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

async fn page(headers: HeaderMap) -> Response {
    Requested { file: "index.html", caching: Caching::Checked }.response(&headers)
}

async fn favicon(headers: HeaderMap) -> Response {
    Requested { file: "favicon.svg", caching: Caching::Checked }.response(&headers)
}

/// The names of these carry a hash of what is in them.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    Requested { file: &format!("assets/{file}"), caching: Caching::Immutable }.response(&headers)
}
