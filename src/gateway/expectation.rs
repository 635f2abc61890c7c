//! Expectation: `Expect: 100-continue`, where a client holds its body back until it is asked for it.
//! Owns: the end of the connection after a refusal.
//! Does not own: the interim `100 Continue`; hyper sends it when the body is first read.
//! Invariant: no connection is used again on which a body may or may not follow. Hyper itself tries one more read for a small
//! body, and would take the first bytes of the client's next request for it.

use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};

/// Taken from a request before its API consumes it.
#[derive(Clone, Copy)]
pub struct Expectation {
    body_may_be_held_back: bool,
}

impl Expectation {
    pub fn of<B>(request: &Request<B>) -> Self {
        // HTTP/2 ends the stream of a refused request and keeps the connection.
        let one_request_at_a_time = request.version() <= Version::HTTP_11;
        Self { body_may_be_held_back: one_request_at_a_time && request.headers().contains_key(EXPECT) }
    }

    /// A success has read the body; a refusal may have come before it.
    pub fn settle<B>(self, response: &mut Response<B>) {
        if self.body_may_be_held_back && !response.status().is_success() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{Request, Response, Version};

    use super::Expectation;

    fn closes(expects: bool, version: Version, status: u16) -> bool {
        let mut request = Request::put("/bucket/key").version(version);
        if expects {
            request = request.header("expect", "100-continue");
        }
        let mut response = Response::builder().status(status).body(()).unwrap();
        Expectation::of(&request.body(()).unwrap()).settle(&mut response);
        response.headers().get("connection").is_some_and(|value| value == "close")
    }

    #[test]
    fn a_refusal_of_a_body_that_was_not_asked_for_ends_the_connection() {
        assert!(closes(true, Version::HTTP_11, 412));
        assert!(closes(true, Version::HTTP_11, 503));
    }

    #[test]
    fn other_connections_are_used_again() {
        assert!(!closes(true, Version::HTTP_11, 200));
        assert!(!closes(false, Version::HTTP_11, 412));
        assert!(!closes(true, Version::HTTP_2, 412));
    }
}
