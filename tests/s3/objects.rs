//! PutObject, GetObject, HeadObject, DeleteObject: bytes, ranges, headers, conditions on reads.

use aws_sdk_s3::primitives::{ByteStream, DateTime};

use crate::support::{code, pattern, status, test_bucket};

const INLINE_MAX: usize = 32 * 1024;
const CHUNK: usize = 4 * 1024 * 1024;
const FIVE_MIB: usize = 5 * 1024 * 1024;

/// Around every boundary of the storage: nothing, inline, chunks.
const SIZES: [usize; 11] = [
    0,
    1,
    INLINE_MAX - 1,
    INLINE_MAX,
    INLINE_MAX + 1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    FIVE_MIB - 1,
    FIVE_MIB + 1,
    3 * CHUNK + 12_345,
];

#[tokio::test]
async fn bytes_come_back_at_every_size() {
    let (client, bucket) = test_bucket().await;
    for size in SIZES {
        let body = pattern(size, size as u64);
        let key = format!("size-{size}");
        let put = client.put_object().bucket(&bucket).key(&key).body(body.clone().into()).send().await.unwrap();
        let head = client.head_object().bucket(&bucket).key(&key).send().await.unwrap();
        assert_eq!(head.content_length(), Some(size as i64));
        assert_eq!(head.e_tag(), put.e_tag());
        let got = client.get_object().bucket(&bucket).key(&key).send().await.unwrap();
        assert_eq!(got.e_tag(), put.e_tag());
        assert_eq!(got.content_type(), Some("application/octet-stream"), "what the SDK sends by itself");
        assert_eq!(got.accept_ranges(), Some("bytes"));
        assert!(got.body.collect().await.unwrap().into_bytes() == body, "{size} bytes");
    }
}

#[tokio::test]
async fn ranges_around_every_boundary() {
    let (client, bucket) = test_bucket().await;
    for size in [1, INLINE_MAX, INLINE_MAX + 1, 2 * CHUNK + 100] {
        let body = pattern(size, 7);
        client.put_object().bucket(&bucket).key("k").body(body.clone().into()).send().await.unwrap();
        let mut edges = vec![0, 1, size / 2, size - 1, INLINE_MAX, CHUNK - 1, CHUNK, CHUNK + 1, 64 * 1024];
        edges.retain(|&edge| edge < size);
        for &first in &edges {
            for &last in edges.iter().filter(|&&last| last >= first) {
                let range = format!("bytes={first}-{last}");
                let got = client.get_object().bucket(&bucket).key("k").range(&range).send().await.unwrap();
                assert_eq!(got.content_range(), Some(format!("bytes {first}-{last}/{size}").as_str()));
                let bytes = got.body.collect().await.unwrap().into_bytes();
                assert!(bytes == body[first..=last], "{range} of {size}");
            }
        }
        for (range, expected) in [("bytes=-1", size - 1..size), ("bytes=0-", 0..size), ("bytes=-99999999999", 0..size)]
        {
            let got = client.get_object().bucket(&bucket).key("k").range(range).send().await.unwrap();
            assert!(got.body.collect().await.unwrap().into_bytes() == body[expected], "{range} of {size}");
        }
        let past = client.get_object().bucket(&bucket).key("k").range(format!("bytes={size}-")).send().await;
        assert_eq!((status(&past), code(&past)), (416, "InvalidRange".to_owned()));
    }
    let head = client.head_object().bucket(&bucket).key("k").range("bytes=1-3").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_range().is_some()), (Some(3), true));
}

#[tokio::test]
async fn headers_come_back() {
    let (client, bucket) = test_bucket().await;
    client
        .put_object()
        .bucket(&bucket)
        .key("k")
        .body(ByteStream::from_static(b"x"))
        .content_type("text/plain")
        .content_encoding("gzip")
        .content_language("ko")
        .content_disposition("attachment; filename=\"옹기\"")
        .cache_control("max-age=60")
        .metadata("Colour", "green")
        .metadata("name", "옹기")
        .tagging("a=1&b=2")
        .send()
        .await
        .unwrap();
    let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(got.content_type(), Some("text/plain"));
    assert_eq!(got.content_encoding(), Some("gzip"));
    assert_eq!(got.content_language(), Some("ko"));
    assert_eq!(got.cache_control(), Some("max-age=60"));
    assert_eq!(got.metadata().unwrap()["colour"], "green");
    assert_eq!(got.tag_count(), Some(2));
    let got = client
        .get_object()
        .bucket(&bucket)
        .key("k")
        .response_content_type("text/html")
        .response_cache_control("no-store")
        .send()
        .await
        .unwrap();
    assert_eq!((got.content_type(), got.cache_control()), (Some("text/html"), Some("no-store")));
}

#[tokio::test]
async fn conditions_on_reads() {
    let (client, bucket) = test_bucket().await;
    let put = client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let etag = put.e_tag().unwrap();
    let head = client.head_object().bucket(&bucket).key("k").send().await.unwrap();
    let modified = *head.last_modified().unwrap();
    let before = DateTime::from_secs(modified.secs() - 10);

    let get = || client.get_object().bucket(&bucket).key("k");
    assert!(get().if_match(etag).send().await.is_ok());
    assert_eq!(status(&get().if_match("\"other\"").send().await), 412);
    assert_eq!(status(&get().if_none_match(etag).send().await), 304);
    assert!(get().if_none_match("\"other\"").send().await.is_ok());
    assert_eq!(status(&get().if_modified_since(modified).send().await), 304);
    assert!(get().if_modified_since(before).send().await.is_ok());
    assert_eq!(status(&get().if_unmodified_since(before).send().await), 412);
    assert!(get().if_match(etag).if_unmodified_since(before).send().await.is_ok(), "If-Match wins");
    assert_eq!(status(&client.head_object().bucket(&bucket).key("k").if_none_match(etag).send().await), 304);
}

#[tokio::test]
async fn an_overwrite_replaces_and_a_delete_removes() {
    let (client, bucket) = test_bucket().await;
    for size in [10, INLINE_MAX + 10, 10] {
        let body = pattern(size, size as u64);
        client.put_object().bucket(&bucket).key("k").body(body.clone().into()).send().await.unwrap();
        let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
        assert!(got.body.collect().await.unwrap().into_bytes() == body);
    }
    client.delete_object().bucket(&bucket).key("k").send().await.unwrap();
    client.delete_object().bucket(&bucket).key("k").send().await.unwrap();
    let gone = client.get_object().bucket(&bucket).key("k").send().await;
    assert_eq!((status(&gone), code(&gone)), (404, "NoSuchKey".to_owned()));
    assert_eq!(status(&client.head_object().bucket(&bucket).key("k").send().await), 404);
}

/// Small objects lie in the metadata and go at once when they are replaced: a reader in between must not notice.
#[tokio::test]
async fn readers_see_one_version_or_the_next_while_it_is_overwritten() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").body(vec![0; 1000].into()).send().await.unwrap();
    let writer = {
        let (client, bucket) = (client.clone(), bucket.clone());
        tokio::spawn(async move {
            for round in 1..60 {
                client.put_object().bucket(&bucket).key("k").body(vec![round; 1000].into()).send().await.unwrap();
            }
        })
    };
    let mut last = 0;
    while !writer.is_finished() {
        let got = client.get_object().bucket(&bucket).key("k").send().await.unwrap();
        let bytes = got.body.collect().await.unwrap().into_bytes();
        assert!(bytes.iter().all(|&byte| byte == bytes[0]), "a mixture of two versions");
        assert!(bytes[0] >= last, "an older version after a newer one");
        last = bytes[0];
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn keys_are_bytes_and_nothing_is_normalised() {
    let (client, bucket) = test_bucket().await;
    let keys =
        ["a//b", "./a", "../a", "a/../b", "/", "//", "a b", " a ", "a+b%20c", "ü/옹기", "a\tb", "~!@#$^&*()_=", "dir/"];
    for (number, key) in keys.iter().enumerate() {
        let body = number.to_string().into_bytes();
        client.put_object().bucket(&bucket).key(*key).body(body.into()).send().await.unwrap();
    }
    for (number, key) in keys.iter().enumerate() {
        let got = client.get_object().bucket(&bucket).key(*key).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().into_bytes(), number.to_string(), "{key:?}");
    }
    let long = "k".repeat(1024);
    client.put_object().bucket(&bucket).key(&long).send().await.unwrap();
    let longer = client.put_object().bucket(&bucket).key(format!("{long}k")).send().await;
    assert_eq!((status(&longer), code(&longer)), (400, "KeyTooLongError".to_owned()));
}

#[tokio::test]
async fn rename_moves_within_the_bucket() {
    let (client, bucket) = test_bucket().await;
    let put = client.put_object().bucket(&bucket).key("a").body(ByteStream::from_static(b"x")).send().await.unwrap();
    client.rename_object().bucket(&bucket).key("b").rename_source(format!("/{bucket}/a")).send().await.unwrap();
    assert_eq!(status(&client.head_object().bucket(&bucket).key("a").send().await), 404);
    assert_eq!(client.head_object().bucket(&bucket).key("b").send().await.unwrap().e_tag(), put.e_tag());
    let gone = client.rename_object().bucket(&bucket).key("c").rename_source("a").send().await;
    assert_eq!((status(&gone), code(&gone)), (404, "NoSuchKey".to_owned()));
}
