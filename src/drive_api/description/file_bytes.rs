//! File bytes: what every operation takes and answers that sends the bytes of a file.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, Schema, Type};
use utoipa::{IntoParams, IntoResponses};

/// For the description only: the bytes themselves are streamed.
pub struct FileBytes;

impl IntoParams for FileBytes {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = ["Range", "If-Range", "If-None-Match", "If-Modified-Since"];
        let header = |name| ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).schema(Some(text()));
        names.map(|name| header(name).build()).into()
    }
}

impl IntoResponses for FileBytes {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let header = |description| HeaderBuilder::new().schema(Some(text())).description(Some(description)).build();
        let bytes = |description: &str| {
            ResponseBuilder::new()
                .description(description)
                .content("*/*", ContentBuilder::new().build())
                .header("ETag", header("The revision."))
                .header("Onggi-Entry", header("The entry as JSON, for who is signed in."))
        };
        let error = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorJson"))).build();
        let answers = [
            ("200", bytes("The whole file, with the type it has.")),
            ("206", bytes("The range.").header("Content-Range", header("Which bytes of how many."))),
            ("304", ResponseBuilder::new().description("It is the one that is known.")),
            ("416", ResponseBuilder::new().description("The file is shorter.").content("application/json", error)),
        ];
        answers.map(|(status, answer)| (status.to_owned(), answer.build().into())).into()
    }
}

fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).build().into()
}
