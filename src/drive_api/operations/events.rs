//! `GET /files/events`: server-sent events; one `change` whenever the cursor has something to tell.
//! Owns: that a client which falls behind is told once, not once for each change.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use http::Uri;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use onggi_cluster::metadata::command::tree::At;
use serde::Deserialize;
use serde_json::json;

use crate::drive_api::error::Result;
use crate::drive_api::operations::listing::open;
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;
use crate::services::drive::feed::Position;

/// Without a word for so long, proxies and phones give a connection up.
const COMMENT_INTERVAL: Duration = Duration::from_secs(25);
/// Then the client connects again, and proves again who it is.
const STREAM_TIME_MAX: Duration = Duration::from_secs(15 * 60);

#[derive(Deserialize)]
struct EventsQuery {
    cursor: String,
}

pub async fn events(State(api): State<DriveApi>, By(actor): By, uri: Uri) -> Result<Response> {
    let EventsQuery { cursor } = request::query(&uri)?;
    let position = open(&api, &actor, &cursor)?;
    // A cursor that cannot be used is told as an error, not as a stream that ends.
    api.drive().latest(&actor, At::Entry(position.folder), position.recursive).await?;
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(stream(api, actor, position))).into_response())
}

struct Watching {
    api: DriveApi,
    actor: Actor,
    position: Position,
    end: tokio::time::Instant,
}

fn stream(
    api: DriveApi,
    actor: Actor,
    position: Position,
) -> impl Stream<Item = std::result::Result<Bytes, Infallible>> {
    let watching = Watching { api, actor, position, end: tokio::time::Instant::now() + STREAM_TIME_MAX };
    futures::stream::unfold(watching, |mut watching| async move {
        if tokio::time::Instant::now() >= watching.end {
            return None;
        }
        let text = watching.next().await?;
        Some((Ok(Bytes::from(text)), watching))
    })
}

impl Watching {
    /// `None`: something is wrong; the client connects again and is told what.
    async fn next(&mut self) -> Option<String> {
        let (drive, actor) = (self.api.drive(), &self.actor);
        if !drive.wait(actor.principal.user, &self.position, COMMENT_INTERVAL).await.ok()? {
            return Some(": still here\n\n".to_owned());
        }
        let cursor = self.api.cursors().seal(actor.principal.user, &self.position);
        let at = At::Entry(self.position.folder);
        self.position = drive.latest(actor, at, self.position.recursive).await.ok()?;
        Some(format!("event: change\ndata: {}\n\n", json!({ "cursor": cursor })))
    }
}
