//! If-Match and If-None-Match on writes: decided at the commit, so exactly one of many wins.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use crate::support::{code, pattern, status, test_bucket};

const WRITERS: usize = 50;

async fn winners_of_create(client: &Client, bucket: &str, key: &str, body: impl Fn(usize) -> Vec<u8>) -> usize {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let put = client.put_object().bucket(bucket).key(key).if_none_match("*").body(body(writer).into());
            tokio::spawn(async move {
                let outcome = put.send().await;
                let won = outcome.is_ok();
                assert!(won || matches!(status(&outcome), 412 | 409), "{outcome:?}");
                won.then_some(writer)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for writer in writers {
        winners.extend(writer.await.unwrap());
    }
    let got = client.get_object().bucket(bucket).key(key).send().await.unwrap();
    let bytes = got.body.collect().await.unwrap().into_bytes();
    assert!(winners.iter().all(|&winner| bytes == body(winner)), "what stands is what the winner wrote");
    winners.len()
}

#[tokio::test]
async fn one_of_fifty_creates_a_lock_file() {
    let (client, bucket) = test_bucket().await;
    for round in 0..3 {
        let key = format!("lock-{round}");
        assert_eq!(
            winners_of_create(&client, &bucket, &key, |writer| format!("writer {writer}").into_bytes()).await,
            1
        );
    }
    let large = |writer: usize| pattern(40_000, writer as u64);
    assert_eq!(winners_of_create(&client, &bucket, "large", large).await, 1);
}

#[tokio::test]
async fn one_of_fifty_swaps_an_etag() {
    let (client, bucket) = test_bucket().await;
    let put = client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"0")).send().await.unwrap();
    let etag = put.e_tag().unwrap().to_owned();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let body = format!("writer {writer}").into_bytes();
            let put = client.put_object().bucket(&bucket).key("k").if_match(&etag).body(body.into());
            tokio::spawn(async move { put.send().await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        won += usize::from(writer.await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn conditions_and_their_codes() {
    let (client, bucket) = test_bucket().await;
    let put = |key: &str| client.put_object().bucket(&bucket).key(key).body(ByteStream::from_static(b"x"));
    let missing = put("none").if_match("\"9bb58f26192e4ba00f01e2e7b136bbd8\"").send().await;
    assert_eq!((status(&missing), code(&missing)), (404, "NoSuchKey".to_owned()));
    assert_eq!(code(&put("none").if_match("*").send().await), "NoSuchKey");
    let first = put("k").if_none_match("*").send().await.unwrap();
    let again = put("k").if_none_match("*").send().await;
    assert_eq!((status(&again), code(&again)), (412, "PreconditionFailed".to_owned()));
    assert_eq!(status(&put("k").if_match("\"9bb58f26192e4ba00f01e2e7b136bbd8\"").send().await), 412);
    assert!(put("k").if_match(first.e_tag().unwrap().trim_matches('"')).send().await.is_ok(), "unquoted too");
    assert_eq!(code(&put("k").if_none_match("\"x\"").send().await), "NotImplemented");
    assert_eq!(status(&put("k").if_none_match("*").if_match("*").send().await), 501);
}

#[tokio::test]
async fn conditional_deletes() {
    let (client, bucket) = test_bucket().await;
    let put = client.put_object().bucket(&bucket).key("k").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let delete = || client.delete_object().bucket(&bucket).key("k");
    let refused = delete().if_match("\"9bb58f26192e4ba00f01e2e7b136bbd8\"").send().await;
    assert_eq!((status(&refused), code(&refused)), (412, "PreconditionFailed".to_owned()));
    delete().if_match(put.e_tag().unwrap()).send().await.unwrap();
    assert_eq!(status(&client.head_object().bucket(&bucket).key("k").send().await), 404);
}
