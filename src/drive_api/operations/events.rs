//! `GET /files/events`: server-sent events; one `change` whenever the cursor has something to tell.
//! Owns: that a client which falls behind is told once, not once for each change, and that the stream ends when its proof does.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use onggi_cluster::metadata::command::tree::At;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use utoipa::IntoParams;

use crate::drive_api::error::Result;
use crate::drive_api::operations::listing::open;
use crate::drive_api::request::{self, By};
use crate::drive_api::router::DriveApi;
use crate::services::drive::actor::Actor;
use crate::services::drive::feed::Position;

/// Without a word for so long, proxies and phones give a connection up.
const COMMENT_INTERVAL: Duration = Duration::from_secs(25);
/// Who may not come in any more is told nothing more from then on.
const PROOF_INTERVAL: Duration = Duration::from_secs(1);
/// Then the client connects again: no stream outlives the balance of connections over nodes by more.
const STREAM_TIME_MAX: Duration = Duration::from_secs(15 * 60);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    cursor: String,
}

/// Changes, as server-sent events
///
/// `event: change` with `data: {"cursor": …}` whenever the cursor has something to tell. The stream ends after a quarter of an hour at the latest: connect again.
#[utoipa::path(
    get, path = "/files/events", tag = "listing", params(EventsQuery),
    responses((status = 200, description = "Events.", body = String, content_type = "text/event-stream")),
)]
pub async fn events(State(api): State<DriveApi>, By(actor): By, request: Request) -> Result<Response> {
    let (head, _) = request.into_parts();
    let EventsQuery { cursor } = request::query(&head.uri)?;
    let position = open(&api, &actor, &cursor)?;
    // A cursor that cannot be used is told as an error, not as a stream that ends.
    api.drive().latest(&actor, At::Entry(position.folder), position.recursive).await?;
    let now = Instant::now();
    let watching = Watching { api, head, actor, position, spoke: now, end: now + STREAM_TIME_MAX };
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(stream(watching))).into_response())
}

struct Watching {
    api: DriveApi,
    /// With the proof of who asks.
    head: Parts,
    actor: Actor,
    position: Position,
    spoke: Instant,
    end: Instant,
}

fn stream(watching: Watching) -> impl Stream<Item = std::result::Result<Bytes, Infallible>> {
    futures::stream::unfold(watching, |mut watching| async move {
        let text = watching.next().await?;
        watching.spoke = Instant::now();
        Some((Ok(Bytes::from(text)), watching))
    })
}

impl Watching {
    /// `None`: the time is over or something is wrong; the client connects again and is told what.
    async fn next(&mut self) -> Option<String> {
        while Instant::now() < self.end {
            let has_changed =
                self.api.drive().wait(self.actor.principal.user, &self.position, PROOF_INTERVAL).await.ok()?;
            By::from_request_parts(&mut self.head, &self.api).await.ok()?;
            if has_changed {
                return self.change().await;
            }
            if self.spoke.elapsed() >= COMMENT_INTERVAL {
                return Some(": still here\n\n".to_owned());
            }
        }
        None
    }

    async fn change(&mut self) -> Option<String> {
        let cursor = self.api.cursors().seal(self.actor.principal.user, &self.position);
        let at = At::Entry(self.position.folder);
        self.position = self.api.drive().latest(&self.actor, at, self.position.recursive).await.ok()?;
        Some(format!("event: change\ndata: {}\n\n", json!({ "cursor": cursor })))
    }
}
