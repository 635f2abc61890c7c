//! Checksums: verified, kept and given back.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
};

use crate::support::{code, pattern, test_bucket};

#[tokio::test]
async fn every_algorithm_is_kept() {
    let (client, bucket) = test_bucket().await;
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let put = client.put_object().bucket(&bucket).key("k").body(pattern(100_000, 1).into());
        let put = put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let head = client.head_object().bucket(&bucket).key("k").checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        let of_put = [
            put.checksum_crc32(),
            put.checksum_crc32_c(),
            put.checksum_crc64_nvme(),
            put.checksum_sha1(),
            put.checksum_sha256(),
        ];
        let of_head = [
            head.checksum_crc32(),
            head.checksum_crc32_c(),
            head.checksum_crc64_nvme(),
            head.checksum_sha1(),
            head.checksum_sha256(),
        ];
        assert_eq!(of_put, of_head, "{algorithm:?}");
        assert_eq!(of_put.iter().flatten().count(), 1, "{algorithm:?}");
        assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
        let listed = client.list_objects_v2().bucket(&bucket).send().await.unwrap();
        assert_eq!(listed.contents()[0].checksum_algorithm(), [algorithm]);
        let part = client.get_object().bucket(&bucket).key("k").range("bytes=0-9");
        let part = part.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(part.checksum_type(), None, "a range shows no checksum of the whole");
        assert_eq!(part.body.collect().await.unwrap().into_bytes().len(), 10);
    }
}

#[tokio::test]
async fn a_wrong_checksum_stores_nothing() {
    let (client, bucket) = test_bucket().await;
    let put = || client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"x"));
    assert_eq!(code(&put().checksum_crc32("AAAAAA==").send().await), "BadDigest");
    assert_eq!(code(&put().content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").send().await), "BadDigest");
    assert_eq!(code(&put().content_md5("nonsense").send().await), "InvalidDigest");
    assert_eq!(code(&put().checksum_crc32("nonsense").send().await), "InvalidRequest");
    assert_eq!(code(&client.get_object().bucket(&bucket).key("k").send().await), "NoSuchKey");
    put().content_md5("nUREwGMPCM/s5NYc5VMdHw==").send().await.unwrap_err();
    put().content_md5("nUhgq3p+vnvl1uFJOsE2Rg==").send().await.unwrap_err();
}

async fn multipart(
    algorithm: ChecksumAlgorithm,
    kind: Option<ChecksumType>,
) -> (aws_sdk_s3::Client, String, Vec<Vec<u8>>) {
    let (client, bucket) = test_bucket().await;
    let bodies = vec![pattern(5 * 1024 * 1024, 1), pattern(1000, 2)];
    let created = client.create_multipart_upload().bucket(&bucket).key("k").checksum_algorithm(algorithm.clone());
    let created = created.set_checksum_type(kind).send().await.unwrap();
    let upload = created.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, body) in (1..).zip(&bodies) {
        let request = client.upload_part().bucket(&bucket).key("k").upload_id(upload).part_number(number);
        let part = request.checksum_algorithm(algorithm.clone()).body(body.clone().into()).send().await.unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .set_checksum_crc32(part.checksum_crc32)
                .set_checksum_sha256(part.checksum_sha256)
                .set_checksum_crc64_nvme(part.checksum_crc64_nvme)
                .build(),
        );
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = client.complete_multipart_upload().bucket(&bucket).key("k").upload_id(upload);
    complete.multipart_upload(parts).send().await.unwrap();
    (client, bucket, bodies)
}

#[tokio::test]
async fn a_composite_checksum_is_of_the_parts() {
    let (client, bucket, bodies) = multipart(ChecksumAlgorithm::Sha256, None).await;
    let head = client.head_object().bucket(&bucket).key("k").checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!(head.checksum_type(), Some(&ChecksumType::Composite));
    assert!(head.checksum_sha256().unwrap().ends_with("-2"));
    let attributes = client
        .get_object_attributes()
        .bucket(&bucket)
        .key("k")
        .object_attributes(ObjectAttributes::Etag)
        .object_attributes(ObjectAttributes::Checksum)
        .object_attributes(ObjectAttributes::ObjectParts)
        .object_attributes(ObjectAttributes::ObjectSize)
        .send()
        .await
        .unwrap();
    assert_eq!(attributes.e_tag(), head.e_tag().map(|etag| etag.trim_matches('"')));
    assert_eq!(attributes.object_size(), Some(bodies.iter().map(Vec::len).sum::<usize>() as i64));
    let parts = attributes.object_parts().unwrap();
    assert_eq!((parts.total_parts_count(), parts.parts().len()), (Some(2), 2));
    assert!(parts.parts().iter().all(|part| part.checksum_sha256().is_some()));
    let got = client.get_object().bucket(&bucket).key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert!(got.body.collect().await.unwrap().into_bytes() == bodies.concat());
}

#[tokio::test]
async fn a_full_object_checksum_is_combined_from_the_parts() {
    for (algorithm, kind) in
        [(ChecksumAlgorithm::Crc64Nvme, None), (ChecksumAlgorithm::Crc32, Some(ChecksumType::FullObject))]
    {
        let (client, bucket, bodies) = multipart(algorithm.clone(), kind).await;
        let whole = client.put_object().bucket(&bucket).key("whole").body(bodies.concat().into());
        let whole = whole.checksum_algorithm(algorithm).send().await.unwrap();
        let head = client.head_object().bucket(&bucket).key("k").checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
        assert_eq!(head.checksum_crc64_nvme(), whole.checksum_crc64_nvme());
        assert_eq!(head.checksum_crc32(), whole.checksum_crc32());
        let got = client.get_object().bucket(&bucket).key("k").checksum_mode(ChecksumMode::Enabled);
        let got = got.send().await.unwrap();
        assert!(got.body.collect().await.expect("the SDK verifies it").into_bytes() == bodies.concat());
    }
}
