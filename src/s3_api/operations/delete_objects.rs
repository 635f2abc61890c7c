//! DeleteObjects.

use onggi_cluster::metadata::outcome::{ObjectDeleted, Refusal};

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::version_id;
use crate::s3_api::xml::delete_objects::{self, DeleteEntry, DeleteReply, DeletedObject};
use crate::services::object_service::Deletion;
use crate::services::{Error, ObjectKey, Services};

/// One entry of the log for all keys; each has its own result. A key that is not there counts as deleted.
pub async fn delete_objects(services: &Services, request: Request) -> Result<Reply> {
    let bucket = request.bucket()?.clone();
    // Only after the bucket is known to be the caller's is the document asked for.
    services.buckets.get(&request.principal, &bucket).await?;
    let document = request.body.into_document(&request.headers, DocumentProof::Required).await?;
    let delete = delete_objects::parse_request(&document)?;

    let parsed: Vec<Result<Deletion>> = delete.objects.iter().map(deletion).collect();
    let valid = parsed.iter().filter_map(|deletion| deletion.as_ref().ok().cloned()).collect();
    let mut decided = services.objects.delete_many(&request.principal, &bucket, valid).await?.into_iter();
    let replies: Vec<_> = parsed
        .into_iter()
        .zip(&delete.objects)
        .map(|(deletion, entry)| DeleteReply {
            key: &entry.key,
            version_id: entry.version_id.as_deref(),
            outcome: deletion.and_then(|_| deleted(decided.next())),
        })
        .collect();
    Ok(reply::xml(delete_objects::to_xml(&replies, delete.quiet)))
}

fn deletion(entry: &DeleteEntry) -> Result<Deletion> {
    if entry.not_implemented {
        return Err(S3Error::not_implemented("A condition on the size or time of an object to delete"));
    }
    let version = version_id::parse(entry.version_id.as_deref())?;
    Ok(Deletion { key: ObjectKey::parse(entry.key.as_str())?, version, condition: entry.condition.clone() })
}

/// `decided` has an outcome for each valid deletion, in order.
fn deleted(decided: Option<Result<ObjectDeleted, Refusal>>) -> Result<DeletedObject> {
    let deleted = decided.unwrap_or(Err(Refusal::NoSuchKey)).map_err(Error::Refused)?;
    let version = deleted.version.map(|version| version_id::text(version, deleted.is_null));
    Ok(DeletedObject {
        delete_marker: deleted.delete_marker,
        delete_marker_version_id: version.filter(|_| deleted.delete_marker),
    })
}
