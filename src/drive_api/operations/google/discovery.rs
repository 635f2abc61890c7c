//! `GET /discovery/v1/apis/drive/v3/rest`: what google-api-python-client builds its methods from. It says nothing of any user.

use axum::Json;
use http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::google_error::Result;
use crate::drive_api::error::DriveError;
use crate::drive_api::request;

const DOCUMENT: &str = include_str!("discovery.json");

pub async fn discovery(uri: Uri, headers: HeaderMap) -> Result<Json<Value>> {
    let root = format!("{}/", request::origin(&uri, &headers));
    let mut document = document().map_err(|error| DriveError::invalid(error.to_string()))?;
    document["baseUrl"] = json!(format!("{root}drive/v3/"));
    document["rootUrl"] = json!(root);
    Ok(Json(document))
}

fn document() -> serde_json::Result<Value> {
    serde_json::from_str(DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_what_clients_need() {
        let document = document().unwrap();
        for (resource, methods) in [
            ("files", ["list", "get", "create", "update", "delete"].as_slice()),
            ("revisions", &["list", "get", "update"]),
        ] {
            for method in methods {
                assert!(document["resources"][resource]["methods"][method]["path"].is_string(), "{resource}.{method}");
            }
        }
        assert!(
            document["resources"]["files"]["methods"]["create"]["mediaUpload"]["protocols"]["resumable"].is_object()
        );
    }
}
