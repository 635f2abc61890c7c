//! CopyObject and UploadPartCopy.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, MetadataDirective,
    TaggingDirective, VersioningConfiguration,
};

use crate::support::{code, pattern, status, test_bucket};

#[tokio::test]
async fn a_copy_is_the_same_and_lives_on_its_own() {
    let (client, bucket) = test_bucket().await;
    for size in [0, 100, 40_000, 5_000_000] {
        let body = pattern(size, 3);
        let put = client
            .put_object()
            .bucket(&bucket)
            .key("from")
            .body(body.clone().into())
            .content_type("text/plain")
            .metadata("a", "1")
            .tagging("t=1");
        let put = put.send().await.unwrap();
        let copied = client.copy_object().bucket(&bucket).key("to").copy_source(format!("{bucket}/from"));
        let copied = copied.send().await.unwrap();
        assert_eq!(copied.copy_object_result().unwrap().e_tag(), put.e_tag());
        client.delete_object().bucket(&bucket).key("from").send().await.unwrap();
        let got = client.get_object().bucket(&bucket).key("to").send().await.unwrap();
        assert_eq!((got.content_type(), got.tag_count()), (Some("text/plain"), Some(1)));
        assert_eq!(got.metadata().unwrap()["a"], "1");
        assert!(got.body.collect().await.unwrap().into_bytes() == body, "{size}");
    }
}

#[tokio::test]
async fn directives() {
    let (client, bucket) = test_bucket().await;
    let put = client.put_object().bucket(&bucket).key("k ü").body(ByteStream::from_static(b"x"));
    put.content_type("text/plain").metadata("a", "1").tagging("t=1").send().await.unwrap();
    let copy = || client.copy_object().bucket(&bucket).key("to").copy_source(format!("{bucket}/k%20%C3%BC"));
    copy()
        .metadata_directive(MetadataDirective::Replace)
        .metadata("b", "2")
        .tagging_directive(TaggingDirective::Replace)
        .tagging("u=1&v=2")
        .send()
        .await
        .unwrap();
    let head = client.head_object().bucket(&bucket).key("to").send().await.unwrap();
    assert_eq!(head.content_type(), Some("binary/octet-stream"));
    assert_eq!(head.metadata().unwrap().get("a"), None);
    assert_eq!(head.metadata().unwrap()["b"], "2");
    let tags = client.get_object_tagging().bucket(&bucket).key("to").send().await.unwrap();
    assert_eq!(tags.tag_set().len(), 2);
    let copied = copy().checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    assert_eq!(
        copied.copy_object_result().unwrap().checksum_sha256(),
        Some("LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=")
    );
}

#[tokio::test]
async fn a_copy_onto_itself_must_change_something() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let copy = || client.copy_object().bucket(&bucket).key("k").copy_source(format!("/{bucket}/k"));
    assert_eq!(code(&copy().send().await), "InvalidRequest");
    copy().metadata_directive(MetadataDirective::Replace).metadata("mtime", "7").send().await.unwrap();
    let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(got.metadata().unwrap()["mtime"], "7");
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), "x");

    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket(&bucket).versioning_configuration(enabled).send().await.unwrap();
    let copied = copy().send().await.unwrap();
    assert!(copied.version_id().is_some());
    assert_eq!(copied.copy_source_version_id(), Some("null"));
}

#[tokio::test]
async fn conditions_on_source_and_destination() {
    let (client, bucket) = test_bucket().await;
    let put = client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let etag = put.e_tag().unwrap();
    let copy = |to: &str| client.copy_object().bucket(&bucket).key(to).copy_source(format!("{bucket}/k"));
    assert_eq!(status(&copy("to").copy_source_if_match("\"x\"").send().await), 412);
    assert_eq!(status(&copy("to").copy_source_if_none_match(etag).send().await), 412);
    copy("to").copy_source_if_match(etag).if_none_match("*").send().await.unwrap();
    let again = copy("to").if_none_match("*").send().await;
    assert_eq!((status(&again), code(&again)), (412, "PreconditionFailed".to_owned()));
    let missing = client.copy_object().bucket(&bucket).key("to").copy_source(format!("{bucket}/none")).send().await;
    assert_eq!((status(&missing), code(&missing)), (404, "NoSuchKey".to_owned()));
    assert_eq!(code(&client.copy_object().bucket(&bucket).key("to").copy_source("k").send().await), "InvalidArgument");
}

#[tokio::test]
async fn parts_are_copied_from_ranges() {
    let (client, bucket) = test_bucket().await;
    let body = pattern(11_000_000, 9);
    client.put_object().bucket(&bucket).key("from").body(body.clone().into()).send().await.unwrap();
    let created = client.create_multipart_upload().bucket(&bucket).key("to").send().await.unwrap();
    let upload = created.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=0-5999999"), (2, "bytes=6000000-10999999")] {
        let copied = client
            .upload_part_copy()
            .bucket(&bucket)
            .key("to")
            .upload_id(upload)
            .part_number(number)
            .copy_source(format!("{bucket}/from"))
            .copy_source_range(range)
            .send()
            .await
            .unwrap();
        let etag = copied.copy_part_result().unwrap().e_tag().map(str::to_owned);
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
    }
    let past = client.upload_part_copy().bucket(&bucket).key("to").upload_id(upload).part_number(3);
    let past = past.copy_source(format!("{bucket}/from")).copy_source_range("bytes=0-11000000").send().await;
    assert_eq!(code(&past), "InvalidArgument");
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    client
        .complete_multipart_upload()
        .bucket(&bucket)
        .key("to")
        .upload_id(upload)
        .multipart_upload(parts)
        .send()
        .await
        .unwrap();
    let got = client.get_object().bucket(&bucket).key("to").send().await.unwrap();
    assert!(got.body.collect().await.unwrap().into_bytes() == body);
    client.copy_object().bucket(&bucket).key("copy").copy_source(format!("{bucket}/to")).send().await.unwrap();
    client.delete_object().bucket(&bucket).key("to").send().await.unwrap();
    let got = client.get_object().bucket(&bucket).key("copy").send().await.unwrap();
    assert!(got.body.collect().await.unwrap().into_bytes() == body, "the parts stay while a copy names them");
}
