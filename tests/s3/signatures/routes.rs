//! One request for each row of the router's table, and what must be there for it to succeed.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, CorsConfiguration, CorsRule, Tag, Tagging, VersioningConfiguration};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use onggi::s3_api::router::Operation;
use onggi::s3_api::router::operation::{Marker, Row, Scope, Support, Verb};

use super::wire::Wire;
use crate::support::{pattern, unique};

pub const BUCKET: &str = "bucket-one";
pub const OTHER_BUCKET: &str = "bucket-two";
const EMPTY_BUCKET: &str = "bucket-empty";
const KEY: &str = "dir/key";
const PART: &[u8] = b"part";

/// What the requests of some rows name.
pub struct Fixture {
    pub upload: String,
}

impl Fixture {
    /// Also between two requests that succeed: many take away what they name.
    pub async fn prepare(client: &Client) -> Self {
        for bucket in [BUCKET, OTHER_BUCKET, EMPTY_BUCKET] {
            let _ = client.create_bucket().bucket(bucket).send().await;
        }
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        client.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled).send().await.unwrap();
        let body = ByteStream::from_static(b"an object");
        client.put_object().bucket(BUCKET).key(KEY).tagging("a=1").body(body).send().await.unwrap();
        let tag = Tag::builder().key("a").value("1").build().unwrap();
        let tags = Tagging::builder().tag_set(tag).build().unwrap();
        client.put_bucket_tagging().bucket(BUCKET).tagging(tags).send().await.unwrap();
        let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("https://a.example").build().unwrap();
        let cors = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
        client.put_bucket_cors().bucket(BUCKET).cors_configuration(cors).send().await.unwrap();
        let upload = client.create_multipart_upload().bucket(BUCKET).key(KEY).send().await.unwrap();
        let upload = upload.upload_id().unwrap().to_owned();
        let part = ByteStream::from_static(PART);
        let parts = client.upload_part().bucket(BUCKET).key(KEY).upload_id(&upload).part_number(1);
        parts.body(part).send().await.unwrap();
        Self { upload }
    }

    /// The request of a row, not signed; `None` for what proves itself another way (forms, preflights) or never comes here.
    pub fn request(&self, row: &Row, host: &str) -> Option<Wire> {
        if matches!(row.marker, Marker::Form | Marker::ElsewhereOnly) || row.operation == Operation::Preflight {
            return None;
        }
        let bucket = match row.operation {
            Operation::CreateBucket => unique("new-bucket"),
            Operation::DeleteBucket => EMPTY_BUCKET.to_owned(),
            _ => BUCKET.to_owned(),
        };
        let key = match row.operation {
            Operation::CopyObject | Operation::RenameObject => "dir/target",
            _ => KEY,
        };
        let mut wire = Wire { method: format!("{:?}", row.verb).to_ascii_uppercase(), ..Wire::default() };
        wire.path = match row.scope {
            Scope::Service => "/".to_owned(),
            Scope::Bucket => format!("/{bucket}"),
            Scope::Object => format!("/{bucket}/{key}"),
        };
        wire.set_header("host", host);
        let named = |name: &str| if name == "uploadId" { self.upload.clone() } else { String::new() };
        match row.marker {
            Marker::Query(name) | Marker::CopySource(Some(name)) => wire.set_parameter(name, named(name)),
            Marker::QueryWith(name, second) => {
                wire.set_parameter(name, "");
                wire.set_parameter(second, "1");
            }
            Marker::ListType2 => wire.set_parameter("list-type", "2"),
            Marker::Plain | Marker::CopySource(None) | Marker::Form | Marker::ElsewhereOnly => {}
        }
        if matches!(row.marker, Marker::CopySource(_)) {
            wire.set_header("x-amz-copy-source", format!("/{BUCKET}/{KEY}"));
        }
        match row.operation {
            Operation::UploadPart => wire.set_parameter("partNumber", "1"),
            Operation::UploadPartCopy => wire.set_parameter("partNumber", "2"),
            Operation::GetObjectAttributes => wire.set_header("x-amz-object-attributes", "ETag"),
            Operation::RenameObject => wire.set_header("x-amz-rename-source", format!("/{BUCKET}/{KEY}")),
            Operation::PutObject => wire.set_header("x-amz-meta-color", "blue"),
            _ => {}
        }
        wire.body = body(row.operation);
        let is_document = row.support == Support::Enforced && matches!(row.verb, Verb::Put | Verb::Post);
        if is_document && wire.body.starts_with(b"<") {
            wire.set_header("content-md5", STANDARD.encode(Md5::digest(&wire.body)));
        }
        Some(wire)
    }
}

fn body(operation: Operation) -> Vec<u8> {
    let document = match operation {
        // Two whole chunks and a bit.
        Operation::PutObject | Operation::UploadPart => return pattern(20_000, 7),
        Operation::DeleteObjects => format!("<Delete><Object><Key>{KEY}</Key></Object></Delete>"),
        Operation::PutBucketVersioning => {
            "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>".to_owned()
        }
        Operation::PutBucketTagging | Operation::PutObjectTagging => {
            "<Tagging><TagSet><Tag><Key>b</Key><Value>2</Value></Tag></TagSet></Tagging>".to_owned()
        }
        Operation::PutBucketCors => {
            let rule = "<AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin>";
            format!("<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>")
        }
        Operation::CompleteMultipartUpload => {
            let etag = hex::encode(Md5::digest(PART));
            let part = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
            format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>")
        }
        _ => String::new(),
    };
    document.into_bytes()
}
