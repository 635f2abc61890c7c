//! Checksums: verified, kept and given back.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
};

use crate::support::{SharedClient, code, pattern, test_bucket};

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

/// The SDK takes values of these that the caller computed: here those of "123456789", from AWS's own library.
#[tokio::test]
async fn checksums_that_the_sdk_cannot_compute_are_verified_and_kept() {
    let (client, bucket) = test_bucket().await;
    let put = || client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"123456789"));
    let sha512 = "2eZ2LdHI6vbWGzxhkvxAjU1tXxF20MKRabwk5xw/J0rSf81YEbMT1oH35V7ALXPUmclUVba1u1A6z1dPuo/+hQ==";
    let right = [
        put().checksum_sha512(sha512),
        put().checksum_md5("JfnnlDI7RTiF9RgfG2JNCw=="),
        put().checksum_xxhash64("jLhB20DmroM="),
        put().checksum_xxhash3("ctyxi2ehff8="),
        put().checksum_xxhash128("MxGUd+3l3NXpcWQnaB1YYA=="),
    ];
    for request in right {
        let stored = request.send().await.unwrap();
        let attributes = client.get_object_attributes().bucket(&bucket).key("k");
        let attributes = attributes.object_attributes(ObjectAttributes::Checksum).send().await.unwrap();
        let kept = attributes.checksum().unwrap();
        let of_put = [
            stored.checksum_sha512(),
            stored.checksum_md5(),
            stored.checksum_xxhash64(),
            stored.checksum_xxhash3(),
            stored.checksum_xxhash128(),
        ];
        let of_attributes = [
            kept.checksum_sha512(),
            kept.checksum_md5(),
            kept.checksum_xxhash64(),
            kept.checksum_xxhash3(),
            kept.checksum_xxhash128(),
        ];
        assert_eq!(of_put, of_attributes);
        assert_eq!(of_put.iter().flatten().count(), 1);
    }
    let wrong = [
        put().checksum_sha512(sha512.replace("2eZ2", "AAAA")),
        put().checksum_md5("AAAAAAAAAAAAAAAAAAAAAA=="),
        put().checksum_xxhash64("AAAAAAAAAAA="),
        put().checksum_xxhash3("jLhB20DmroM="),
        put().checksum_xxhash128("AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    for request in wrong {
        assert_eq!(code(&request.send().await), "BadDigest");
    }
}

/// An upload bound to an algorithm has it for parts that bring no value, copied ones among them.
#[tokio::test]
async fn every_algorithm_binds_an_upload() {
    let (client, bucket) = test_bucket().await;
    let source = client.put_object().bucket(&bucket).key("source").body(pattern(1000, 1).into());
    source.send().await.unwrap();
    for algorithm in ChecksumAlgorithm::values().iter().map(|name| ChecksumAlgorithm::from(*name)) {
        let upload = client.create_multipart_upload().bucket(&bucket).key("k").checksum_algorithm(algorithm.clone());
        let upload = upload.send().await.unwrap();
        let id = upload.upload_id().unwrap();
        let part = client.upload_part_copy().bucket(&bucket).key("k").upload_id(id).part_number(1);
        let part = part.copy_source(format!("{bucket}/source")).send().await.unwrap();
        let etag = part.copy_part_result().and_then(|part| part.e_tag());
        let listed = client.list_parts().bucket(&bucket).key("k").upload_id(id).send().await.unwrap();
        assert_eq!(listed.checksum_algorithm(), Some(&algorithm));
        let parts = CompletedPart::builder().part_number(1).set_e_tag(etag.map(str::to_owned)).build();
        let complete = client.complete_multipart_upload().bucket(&bucket).key("k").upload_id(id);
        let parts = CompletedMultipartUpload::builder().parts(parts).build();
        let completed = complete.multipart_upload(parts).send().await.unwrap();
        let kind = match algorithm {
            ChecksumAlgorithm::Crc64Nvme => ChecksumType::FullObject,
            _ => ChecksumType::Composite,
        };
        assert_eq!(completed.checksum_type(), Some(&kind), "{algorithm:?}");
        let [listed_part] = listed.parts() else { panic!("one part was stored") };
        let values = [
            listed_part.checksum_crc32(),
            listed_part.checksum_crc32_c(),
            listed_part.checksum_crc64_nvme(),
            listed_part.checksum_sha1(),
            listed_part.checksum_sha256(),
            listed_part.checksum_sha512(),
            listed_part.checksum_md5(),
            listed_part.checksum_xxhash64(),
            listed_part.checksum_xxhash3(),
            listed_part.checksum_xxhash128(),
        ];
        assert_eq!(values.iter().flatten().count(), 1, "{algorithm:?}");
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

async fn multipart(algorithm: ChecksumAlgorithm, kind: Option<ChecksumType>) -> (SharedClient, String, Vec<Vec<u8>>) {
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
