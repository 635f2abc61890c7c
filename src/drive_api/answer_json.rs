//! Answers that many operations share: what went wrong, and that something is done.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// How every operation says that it did not do what was asked. 503 and 429 come with `Retry-After`: what failed is never "not there".
#[derive(Serialize, ToSchema)]
pub struct ErrorJson {
    error: ErrorBody,
}

/// Beside `code` and `message` stands what a program needs to go on: `head_rev` of a `stale_revision`, `expected_offset` of an
/// `incorrect_offset`, `rule` of a `name_invalid`, `what` of an `exists`, `missing_at` of an `incomplete`, `limit` of a `too_many_entries`,
/// `earliest` of a `too_far_back`, `reason` of an `invalid` whose bytes are not those of the `content_hash`.
#[derive(Serialize, ToSchema)]
struct ErrorBody {
    /// What a program switches on.
    #[schema(example = "not_found")]
    code: &'static str,
    /// For people.
    message: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl ErrorJson {
    pub fn new(code: &'static str, message: String, fields: Map<String, Value>) -> Self {
        Self { error: ErrorBody { code, message, fields } }
    }
}

/// It is done, and there is nothing to say about it.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {}
