//! Multipart uploads: any order, gaps, overwrites, replays; and what a completed object is like.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::support::{code, pattern, status, test_bucket};

const PART: usize = 5 * 1024 * 1024;

async fn begin(client: &Client, bucket: &str, key: &str) -> String {
    let created = client.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
    created.upload_id().unwrap().to_owned()
}

async fn part(client: &Client, bucket: &str, key: &str, upload: &str, number: i32, body: Vec<u8>) -> CompletedPart {
    let request = client.upload_part().bucket(bucket).key(key).upload_id(upload).part_number(number);
    let uploaded = request.body(body.into()).send().await.unwrap();
    CompletedPart::builder().part_number(number).set_e_tag(uploaded.e_tag().map(str::to_owned)).build()
}

fn all(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn out_of_order_with_gaps_and_overwrites() {
    let (client, bucket) = test_bucket().await;
    let upload = begin(&client, &bucket, "k").await;
    let bodies = [pattern(PART, 1), pattern(PART + 1, 2), pattern(123, 3)];
    let last = part(&client, &bucket, "k", &upload, 10_000, bodies[2].clone()).await;
    part(&client, &bucket, "k", &upload, 2, pattern(PART, 99)).await;
    let middle = part(&client, &bucket, "k", &upload, 7, bodies[1].clone()).await;
    let first = part(&client, &bucket, "k", &upload, 2, bodies[0].clone()).await;
    part(&client, &bucket, "k", &upload, 5, pattern(10, 5)).await;

    let listed = client.list_parts().bucket(&bucket).key("k").upload_id(&upload).send().await.unwrap();
    let numbers: Vec<_> = listed.parts().iter().filter_map(|part| part.part_number()).collect();
    assert_eq!(numbers, [2, 5, 7, 10_000]);
    let page =
        client.list_parts().bucket(&bucket).key("k").upload_id(&upload).max_parts(2).part_number_marker("2").send();
    let page = page.await.unwrap();
    assert_eq!(page.parts().iter().filter_map(|part| part.part_number()).collect::<Vec<_>>(), [5, 7]);
    assert_eq!((page.is_truncated(), page.next_part_number_marker()), (Some(true), Some("7")));

    let complete = || {
        let parts = all(vec![first.clone(), middle.clone(), last.clone()]);
        client.complete_multipart_upload().bucket(&bucket).key("k").upload_id(&upload).multipart_upload(parts).send()
    };
    let completed = complete().await.unwrap();
    assert!(completed.e_tag().unwrap().ends_with("-3\""), "{:?}", completed.e_tag());
    let replayed = complete().await.unwrap();
    assert_eq!(replayed.e_tag(), completed.e_tag(), "a replay is answered the same");

    let whole = bodies.concat();
    let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(got.e_tag(), completed.e_tag());
    assert_eq!(got.content_length(), Some(whole.len() as i64));
    assert!(got.body.collect().await.unwrap().into_bytes() == whole);
    for (from, to) in [(PART - 1, PART), (PART, 2 * PART), (2 * PART, 2 * PART + 1), (2 * PART + 100, whole.len() - 1)]
    {
        let range = format!("bytes={from}-{to}");
        let got = client.get_object().bucket(&bucket).key("k").range(&range).send().await.unwrap();
        assert!(got.body.collect().await.unwrap().into_bytes() == whole[from..=to], "{range}");
    }
    for (number, body) in bodies.iter().enumerate() {
        let number = number as i32 + 1;
        let got = client.get_object().bucket(&bucket).key("k").part_number(number).send().await.unwrap();
        assert_eq!(got.parts_count(), Some(3));
        assert!(got.body.collect().await.unwrap().into_bytes() == *body, "part {number}");
    }
    let head = client.head_object().bucket(&bucket).key("k").part_number(1).send().await.unwrap();
    assert_eq!((head.content_length(), head.parts_count()), (Some(PART as i64), Some(3)));
    assert!(client.list_multipart_uploads().bucket(&bucket).send().await.unwrap().uploads().is_empty());
}

#[tokio::test]
async fn a_failed_complete_leaves_the_upload_alive() {
    let (client, bucket) = test_bucket().await;
    let upload = begin(&client, &bucket, "k").await;
    let small = part(&client, &bucket, "k", &upload, 1, pattern(100, 1)).await;
    let last = part(&client, &bucket, "k", &upload, 2, pattern(100, 2)).await;
    let complete = |parts: Vec<CompletedPart>| {
        let parts = all(parts);
        client.complete_multipart_upload().bucket(&bucket).key("k").upload_id(&upload).multipart_upload(parts).send()
    };
    assert_eq!(code(&complete(vec![small.clone(), last.clone()]).await), "EntityTooSmall");
    assert_eq!(code(&complete(vec![last.clone(), small.clone()]).await), "InvalidPartOrder");
    let wrong = CompletedPart::builder().part_number(1).e_tag("\"9bb58f26192e4ba00f01e2e7b136bbd8\"").build();
    assert_eq!(code(&complete(vec![wrong]).await), "InvalidPart");
    let missing = CompletedPart::builder().part_number(3).set_e_tag(last.e_tag().map(str::to_owned)).build();
    assert_eq!(code(&complete(vec![missing]).await), "InvalidPart");
    assert_eq!(code(&complete(vec![]).await), "MalformedXML");
    assert_eq!(status(&client.head_object().bucket(&bucket).key("k").send().await), 404);
    assert!(complete(vec![small]).await.unwrap().e_tag().unwrap().ends_with("-1\""));
}

#[tokio::test]
async fn conditions_are_decided_at_the_end() {
    let (client, bucket) = test_bucket().await;
    let upload = begin(&client, &bucket, "k").await;
    let only = part(&client, &bucket, "k", &upload, 1, pattern(10, 1)).await;
    client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"in between")).send().await.unwrap();
    let complete = || {
        let parts = all(vec![only.clone()]);
        client.complete_multipart_upload().bucket(&bucket).key("k").upload_id(&upload).multipart_upload(parts)
    };
    let refused = complete().if_none_match("*").send().await;
    assert_eq!((status(&refused), code(&refused)), (412, "PreconditionFailed".to_owned()));
    client.delete_object().bucket(&bucket).key("k").send().await.unwrap();
    complete().if_none_match("*").send().await.unwrap();
    complete().if_none_match("*").send().await.expect("the replay of a success is a success");
}

#[tokio::test]
async fn an_aborted_upload_is_gone() {
    let (client, bucket) = test_bucket().await;
    let upload = begin(&client, &bucket, "k").await;
    part(&client, &bucket, "k", &upload, 1, pattern(PART, 1)).await;
    client.abort_multipart_upload().bucket(&bucket).key("k").upload_id(&upload).send().await.unwrap();
    let again = client.abort_multipart_upload().bucket(&bucket).key("k").upload_id(&upload).send().await;
    assert_eq!((status(&again), code(&again)), (404, "NoSuchUpload".to_owned()));
    let late = client.upload_part().bucket(&bucket).key("k").upload_id(&upload).part_number(2);
    assert_eq!(code(&late.body(ByteStream::from_static(b"x")).send().await), "NoSuchUpload");

    let begun = begin(&client, &bucket, "k").await;
    client.delete_bucket().bucket(&bucket).send().await.expect("an upload in progress is no object");
    let late = client.upload_part().bucket(&bucket).key("k").upload_id(&begun).part_number(1);
    assert_eq!(code(&late.body(ByteStream::from_static(b"x")).send().await), "NoSuchBucket");
}

#[tokio::test]
async fn uploads_are_listed_by_key_with_prefixes() {
    let (client, bucket) = test_bucket().await;
    let mut expected = Vec::new();
    for key in ["a/1", "a/2", "b", "b", "c/1"] {
        expected.push((key.to_owned(), begin(&client, &bucket, key).await));
    }
    for page_size in [1, 2, 100] {
        let mut listed = Vec::new();
        let (mut key, mut upload) = (None, None);
        loop {
            let page = client
                .list_multipart_uploads()
                .bucket(&bucket)
                .max_uploads(page_size)
                .set_key_marker(key)
                .set_upload_id_marker(upload)
                .send()
                .await
                .unwrap();
            assert!(page.uploads().len() <= page_size as usize);
            listed.extend(
                page.uploads().iter().map(|u| (u.key().unwrap().to_owned(), u.upload_id().unwrap().to_owned())),
            );
            if page.is_truncated() != Some(true) {
                break;
            }
            key = page.next_key_marker().map(str::to_owned);
            upload = page.next_upload_id_marker().map(str::to_owned);
        }
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected, "pages of {page_size}");
    }
    let folded = client.list_multipart_uploads().bucket(&bucket).delimiter("/").send().await.unwrap();
    let prefixes: Vec<_> = folded.common_prefixes().iter().filter_map(|p| p.prefix()).collect();
    assert_eq!((prefixes, folded.uploads().len()), (vec!["a/", "c/"], 2));
}

#[tokio::test]
async fn part_numbers_have_bounds() {
    let (client, bucket) = test_bucket().await;
    let upload = begin(&client, &bucket, "k").await;
    for number in [0, 10_001] {
        let refused = client.upload_part().bucket(&bucket).key("k").upload_id(&upload).part_number(number);
        assert_eq!(code(&refused.body(ByteStream::from_static(b"x")).send().await), "InvalidArgument", "{number}");
    }
}

#[tokio::test]
async fn an_empty_single_part_is_an_empty_object() {
    let (client, bucket) = test_bucket().await;
    let upload = begin(&client, &bucket, "k").await;
    let only = part(&client, &bucket, "k", &upload, 1, Vec::new()).await;
    let parts = all(vec![only]);
    let completed =
        client.complete_multipart_upload().bucket(&bucket).key("k").upload_id(&upload).multipart_upload(parts);
    completed.send().await.unwrap();
    let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes().len(), 0);
}
