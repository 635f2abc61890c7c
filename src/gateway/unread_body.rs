//! Unread body: a request that is refused before its body was read, or before the client sent it (`Expect: 100-continue`).
//! Owns: the end of the connection after such a refusal, announced to the client.
//! Does not own: the interim `100 Continue` (hyper sends it when the body is first read), what is still read afterwards (`linger`).
//! Invariant: no connection is used again on which a body may or may not follow. Hyper itself tries one more read for a small
//! body, would take the first bytes of the client's next request for it, and closes without a word if it finds a part only: the
//! next request of a client that keeps connections would then get no answer.

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Body;

/// Taken from a request before its API consumes it.
#[derive(Clone, Copy)]
pub struct UnreadBody {
    may_be_left: bool,
}

impl UnreadBody {
    pub fn of<B: Body>(request: &Request<B>) -> Self {
        // HTTP/2 ends the stream of a refused request and keeps the connection.
        let one_request_at_a_time = request.version() <= Version::HTTP_11;
        Self { may_be_left: one_request_at_a_time && !request.body().is_end_stream() }
    }

    /// A success has read the body; a refusal may have come before it.
    pub fn settle<B>(self, response: &mut Response<B>) {
        if self.may_be_left && !response.status().is_success() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response, Version};
    use http_body_util::Full;

    use super::UnreadBody;

    fn closes(body: &'static str, version: Version, status: u16) -> bool {
        let request = Request::put("/bucket/key").version(version).body(Full::<bytes::Bytes>::from(body)).unwrap();
        let mut response = Response::builder().status(status).body(()).unwrap();
        UnreadBody::of(&request).settle(&mut response);
        response.headers().get("connection").is_some_and(|value| value == "close")
    }

    #[test]
    fn a_refusal_of_a_body_ends_the_connection() {
        assert!(closes("body", Version::HTTP_11, 412));
        assert!(closes("body", Version::HTTP_11, 503));
    }

    #[test]
    fn other_connections_are_used_again() {
        assert!(!closes("body", Version::HTTP_11, 200));
        assert!(!closes("", Version::HTTP_11, 404));
        assert!(!closes("body", Version::HTTP_2, 412));
    }
}
