//! Requests that must fail, and the exact way in which they do.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption, StorageClass};

use crate::support::{client_with, code, server, status, test_bucket};

#[tokio::test]
async fn who_asks_must_be_proven() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").send().await.unwrap();
    let server = server().await;
    let wrong_secret = client_with(&server.endpoint(), &server.access_key, "wrong");
    let refused = wrong_secret.get_object().bucket(&bucket).key("k").send().await;
    assert_eq!((status(&refused), code(&refused)), (403, "SignatureDoesNotMatch".to_owned()));
    let unknown = client_with(&server.endpoint(), "OGNOBODYKNOWSTHISKEY", &server.secret);
    let refused = unknown.get_object().bucket(&bucket).key("k").send().await;
    assert_eq!((status(&refused), code(&refused)), (403, "InvalidAccessKeyId".to_owned()));
}

/// Nothing is accepted and then ignored.
#[tokio::test]
async fn what_is_not_enforced_is_refused() {
    let (client, bucket) = test_bucket().await;
    let put = || client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"x"));
    let encrypted = put().server_side_encryption(ServerSideEncryption::Aes256).send().await;
    assert_eq!((status(&encrypted), code(&encrypted)), (501, "NotImplemented".to_owned()));
    assert_eq!(status(&put().acl(ObjectCannedAcl::PublicRead).send().await), 501);
    assert_eq!(code(&put().storage_class(StorageClass::Glacier).send().await), "InvalidStorageClass");
    assert_eq!(status(&client.head_object().bucket(&bucket).key("k").send().await), 404, "and nothing was stored");
    put().acl(ObjectCannedAcl::Private).storage_class(StorageClass::Standard).send().await.unwrap();
    assert_eq!(status(&client.get_object_acl().bucket(&bucket).key("k").send().await), 501);
    assert_eq!(status(&client.get_object_torrent().bucket(&bucket).key("k").send().await), 501);
}

#[tokio::test]
async fn parameters_are_checked() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").send().await.unwrap();
    let get = || client.get_object().bucket(&bucket).key("k");
    assert_eq!(code(&get().version_id("nonsense").send().await), "InvalidArgument");
    let unknown = get().version_id("00112233445566778899aabbccddeeff").send().await;
    assert_eq!((status(&unknown), code(&unknown)), (404, "NoSuchVersion".to_owned()));
    assert_eq!(code(&get().part_number(2).send().await), "InvalidPartNumber");
    assert_eq!(code(&get().part_number(1).range("bytes=0-1").send().await), "InvalidRequest");
    let listed = client.list_objects_v2().bucket(&bucket).continuation_token("!").send().await;
    assert_eq!(code(&listed), "InvalidArgument");
    assert_eq!(code(&client.list_objects_v2().bucket(&bucket).max_keys(-1).send().await), "InvalidArgument");
    let marker = client.list_object_versions().bucket(&bucket).version_id_marker("null").send().await;
    assert_eq!(code(&marker), "InvalidArgument");
    let uploads = client.list_multipart_uploads().bucket(&bucket).key_marker("k").upload_id_marker("x").send().await;
    assert_eq!(code(&uploads), "InvalidArgument");
    let parts = client.list_parts().bucket(&bucket).key("k").upload_id("x").send().await;
    assert_eq!((status(&parts), code(&parts)), (404, "NoSuchUpload".to_owned()));
}

#[tokio::test]
async fn the_expected_owner_must_be_the_owner() {
    let (client, bucket) = test_bucket().await;
    let listed = client.list_objects().bucket(&bucket).expected_bucket_owner("999999999999").send().await;
    assert_eq!((status(&listed), code(&listed)), (403, "AccessDenied".to_owned()));
    client.list_objects().bucket(&bucket).expected_bucket_owner("000000000001").send().await.unwrap();
}
