//! Versions, delete markers and null versions.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use crate::support::{code, status, test_bucket};

async fn set(client: &Client, bucket: &str, status: BucketVersioningStatus) {
    let configuration = VersioningConfiguration::builder().status(status).build();
    client.put_bucket_versioning().bucket(bucket).versioning_configuration(configuration).send().await.unwrap();
}

async fn put(client: &Client, bucket: &str, text: &str) -> Option<String> {
    let body = text.as_bytes().to_vec();
    let put = client.put_object().bucket(bucket).key("k").body(body.into()).send().await.unwrap();
    put.version_id().map(str::to_owned)
}

async fn text(client: &Client, bucket: &str, version: Option<&str>) -> String {
    let got = client.get_object().bucket(bucket).key("k").set_version_id(version.map(str::to_owned)).send().await;
    let bytes = got.unwrap().body.collect().await.unwrap().into_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `text` and `x` for a delete marker, newest first, `*` at the latest.
async fn history(client: &Client, bucket: &str) -> Vec<String> {
    let listed = client.list_object_versions().bucket(bucket).send().await.unwrap();
    let latest = |is_latest: Option<bool>| if is_latest == Some(true) { "*" } else { "" };
    let mut lines: Vec<(i64, String)> = Vec::new();
    for version in listed.versions() {
        let id = version.version_id().unwrap();
        let text = text(client, bucket, Some(id)).await;
        let null = if id == "null" { " null" } else { "" };
        lines.push((0, format!("{text}{null}{}", latest(version.is_latest()))));
    }
    for marker in listed.delete_markers() {
        let null = if marker.version_id() == Some("null") { " null" } else { "" };
        lines.push((1, format!("x{null}{}", latest(marker.is_latest()))));
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

#[tokio::test]
async fn never_enabled_then_suspended() {
    let (client, bucket) = test_bucket().await;
    let versioning = || client.get_bucket_versioning().bucket(&bucket).send();
    assert_eq!(versioning().await.unwrap().status(), None);
    assert_eq!(put(&client, &bucket, "before").await, None, "no version ids without versioning");

    set(&client, &bucket, BucketVersioningStatus::Enabled).await;
    assert_eq!(versioning().await.unwrap().status(), Some(&BucketVersioningStatus::Enabled));
    let one = put(&client, &bucket, "one").await.unwrap();
    let two = put(&client, &bucket, "two").await.unwrap();
    assert_eq!(history(&client, &bucket).await, ["two*", "one", "before null"]);
    assert_eq!(text(&client, &bucket, Some(&one)).await, "one");
    assert_eq!(text(&client, &bucket, Some("null")).await, "before");
    assert_eq!(text(&client, &bucket, None).await, "two");

    set(&client, &bucket, BucketVersioningStatus::Suspended).await;
    assert_eq!(put(&client, &bucket, "suspended").await.as_deref(), Some("null"));
    assert_eq!(history(&client, &bucket).await, ["suspended null*", "two", "one"], "the null version is replaced");
    assert_eq!(text(&client, &bucket, Some(&two)).await, "two");

    let deleted = client.delete_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!((deleted.version_id(), deleted.delete_marker()), (Some("null"), Some(true)));
    assert_eq!(history(&client, &bucket).await, ["two", "one", "x null*"]);
}

#[tokio::test]
async fn delete_markers() {
    let (client, bucket) = test_bucket().await;
    set(&client, &bucket, BucketVersioningStatus::Enabled).await;
    let one = put(&client, &bucket, "one").await.unwrap();
    let deleted = client.delete_object().bucket(&bucket).key("k").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().unwrap().to_owned();

    let latest = client.get_object().bucket(&bucket).key("k").send().await;
    assert_eq!((status(&latest), code(&latest)), (404, "NoSuchKey".to_owned()));
    let headers = latest.unwrap_err().raw_response().unwrap().headers().clone();
    assert_eq!(headers.get("x-amz-delete-marker"), Some("true"));
    assert_eq!(headers.get("x-amz-version-id"), Some(marker.as_str()));

    let named = client.get_object().bucket(&bucket).key("k").version_id(&marker).send().await;
    assert_eq!((status(&named), code(&named)), (405, "MethodNotAllowed".to_owned()));
    assert_eq!(text(&client, &bucket, Some(&one)).await, "one");
    assert!(client.list_objects_v2().bucket(&bucket).send().await.unwrap().contents().is_empty());
    assert_eq!(code(&client.delete_bucket().bucket(&bucket).send().await), "BucketNotEmpty");

    let undone = client.delete_object().bucket(&bucket).key("k").version_id(&marker).send().await.unwrap();
    assert_eq!((undone.version_id(), undone.delete_marker()), (Some(marker.as_str()), Some(true)));
    assert_eq!(text(&client, &bucket, None).await, "one");
    let removed = client.delete_object().bucket(&bucket).key("k").version_id(&one).send().await.unwrap();
    assert_eq!((removed.version_id(), removed.delete_marker()), (Some(one.as_str()), None));
    client.delete_bucket().bucket(&bucket).send().await.unwrap();
}

#[tokio::test]
async fn removing_the_latest_version_shows_the_one_before() {
    let (client, bucket) = test_bucket().await;
    set(&client, &bucket, BucketVersioningStatus::Enabled).await;
    put(&client, &bucket, "one").await;
    let two = put(&client, &bucket, "two").await.unwrap();
    client.delete_object().bucket(&bucket).key("k").version_id(&two).send().await.unwrap();
    assert_eq!(history(&client, &bucket).await, ["one*"]);
    assert_eq!(text(&client, &bucket, None).await, "one");
}

#[tokio::test]
async fn versions_are_listed_in_pages() {
    let (client, bucket) = test_bucket().await;
    set(&client, &bucket, BucketVersioningStatus::Enabled).await;
    let mut expected = Vec::new();
    for key in ["a", "a/b", "b"] {
        let mut of_key = Vec::new();
        for _ in 0..4 {
            let put = client.put_object().bucket(&bucket).key(key).send().await.unwrap();
            of_key.push((key.to_owned(), put.version_id().unwrap().to_owned()));
        }
        expected.extend(of_key.into_iter().rev());
    }
    for page_size in [1, 2, 3, 5, 100] {
        let mut listed = Vec::new();
        let (mut key, mut version) = (None, None);
        loop {
            let page = client
                .list_object_versions()
                .bucket(&bucket)
                .max_keys(page_size)
                .set_key_marker(key)
                .set_version_id_marker(version)
                .send()
                .await
                .unwrap();
            listed.extend(
                page.versions().iter().map(|v| (v.key().unwrap().to_owned(), v.version_id().unwrap().to_owned())),
            );
            if page.is_truncated() != Some(true) {
                break;
            }
            key = page.next_key_marker().map(str::to_owned);
            version = page.next_version_id_marker().map(str::to_owned);
        }
        assert_eq!(listed, expected, "pages of {page_size}");
    }
}
