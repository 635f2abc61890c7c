//! Operations: one file each, named as AWS names them: parse, one service call, reply.

pub mod abort_multipart_upload;
pub mod complete_multipart_upload;
pub mod copy_object;
pub mod create_bucket;
pub mod create_multipart_upload;
pub mod delete_bucket;
pub mod delete_bucket_cors;
pub mod delete_bucket_tagging;
pub mod delete_object;
pub mod delete_object_tagging;
pub mod delete_objects;
pub mod get_bucket_cors;
pub mod get_bucket_location;
pub mod get_bucket_tagging;
pub mod get_bucket_versioning;
pub mod get_object;
pub mod get_object_attributes;
pub mod get_object_tagging;
pub mod head_bucket;
pub mod head_object;
pub mod list_buckets;
pub mod list_multipart_uploads;
pub mod list_object_versions;
pub mod list_objects;
pub mod list_objects_v2;
pub mod list_parts;
pub mod post_object;
pub mod preflight;
pub mod put_bucket_cors;
pub mod put_bucket_tagging;
pub mod put_bucket_versioning;
pub mod put_object;
pub mod put_object_tagging;
pub mod rename_object;
pub mod upload_part;
pub mod upload_part_copy;

use crate::s3_api::api::S3Options;
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::reply::Reply;
use crate::s3_api::request::Request;
use crate::s3_api::router::{Operation, Support};
use crate::services::Services;

/// Runs what a proven principal asks for. PostObject and Preflight prove themselves otherwise, and do not come here.
pub async fn run(services: &Services, options: &S3Options, operation: Operation, request: Request) -> Result<Reply> {
    match operation {
        Operation::ListBuckets => list_buckets::list_buckets(services, options, request).await,
        Operation::CreateBucket => create_bucket::create_bucket(services, request).await,
        Operation::HeadBucket => head_bucket::head_bucket(services, options, request).await,
        Operation::DeleteBucket => delete_bucket::delete_bucket(services, request).await,
        Operation::GetBucketLocation => get_bucket_location::get_bucket_location(services, request).await,
        Operation::GetBucketVersioning => get_bucket_versioning::get_bucket_versioning(services, request).await,
        Operation::PutBucketVersioning => put_bucket_versioning::put_bucket_versioning(services, request).await,
        Operation::GetBucketTagging => get_bucket_tagging::get_bucket_tagging(services, request).await,
        Operation::PutBucketTagging => put_bucket_tagging::put_bucket_tagging(services, request).await,
        Operation::DeleteBucketTagging => delete_bucket_tagging::delete_bucket_tagging(services, request).await,
        Operation::GetBucketCors => get_bucket_cors::get_bucket_cors(services, request).await,
        Operation::PutBucketCors => put_bucket_cors::put_bucket_cors(services, request).await,
        Operation::DeleteBucketCors => delete_bucket_cors::delete_bucket_cors(services, request).await,

        Operation::ListObjects => list_objects::list_objects(services, request).await,
        Operation::ListObjectsV2 => list_objects_v2::list_objects_v2(services, request).await,
        Operation::ListObjectVersions => list_object_versions::list_object_versions(services, request).await,
        Operation::DeleteObjects => delete_objects::delete_objects(services, request).await,

        Operation::GetObject => get_object::get_object(services, request).await,
        Operation::HeadObject => head_object::head_object(services, request).await,
        Operation::PutObject => put_object::put_object(services, request).await,
        Operation::CopyObject => copy_object::copy_object(services, request).await,
        Operation::RenameObject => rename_object::rename_object(services, request).await,
        Operation::DeleteObject => delete_object::delete_object(services, request).await,
        Operation::GetObjectAttributes => get_object_attributes::get_object_attributes(services, request).await,
        Operation::GetObjectTagging => get_object_tagging::get_object_tagging(services, request).await,
        Operation::PutObjectTagging => put_object_tagging::put_object_tagging(services, request).await,
        Operation::DeleteObjectTagging => delete_object_tagging::delete_object_tagging(services, request).await,

        Operation::CreateMultipartUpload => create_multipart_upload::create_multipart_upload(services, request).await,
        Operation::UploadPart => upload_part::upload_part(services, request).await,
        Operation::UploadPartCopy => upload_part_copy::upload_part_copy(services, request).await,
        Operation::CompleteMultipartUpload => {
            complete_multipart_upload::complete_multipart_upload(services, request).await
        }
        Operation::AbortMultipartUpload => abort_multipart_upload::abort_multipart_upload(services, request).await,
        Operation::ListParts => list_parts::list_parts(services, request).await,
        Operation::ListMultipartUploads => list_multipart_uploads::list_multipart_uploads(services, request).await,

        not_enforced => answer_unenforced(services, not_enforced, request).await,
    }
}

/// A setting that cannot be made here is not there, if the bucket is; everything else is 501.
async fn answer_unenforced(services: &Services, operation: Operation, request: Request) -> Result<Reply> {
    match operation.support() {
        Support::NeverConfigured(code) => {
            services.buckets.get(&request.principal, request.bucket()?).await?;
            Err(code.into())
        }
        Support::NotImplemented | Support::Enforced => Err(S3Error::not_implemented(operation.name())),
    }
}
