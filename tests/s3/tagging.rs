//! Tags of objects and buckets.

use aws_sdk_s3::types::{Tag, Tagging};

use crate::support::{code, test_bucket};

fn tagging(pairs: &[(&str, &str)]) -> Tagging {
    let tags = pairs.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap());
    Tagging::builder().set_tag_set(Some(tags.collect())).build().unwrap()
}

#[tokio::test]
async fn tags_of_objects() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").tagging("a=1&b=x%3Dy").send().await.unwrap();
    let get = || client.get_object_tagging().bucket(&bucket).key("k").send();
    let tags: Vec<_> =
        get().await.unwrap().tag_set().iter().map(|t| (t.key().to_owned(), t.value().to_owned())).collect();
    assert_eq!(tags, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "x=y".to_owned())]);
    let put = |tags: Tagging| client.put_object_tagging().bucket(&bucket).key("k").tagging(tags).send();
    put(tagging(&[("c", "3")])).await.unwrap();
    assert_eq!(get().await.unwrap().tag_set().len(), 1);
    assert_eq!(code(&put(tagging(&[("c", "1"), ("c", "2")])).await), "InvalidTag");
    let eleven: Vec<_> = (0..11).map(|n| n.to_string()).collect();
    let eleven: Vec<_> = eleven.iter().map(|n| (n.as_str(), "")).collect();
    assert!(put(tagging(&eleven)).await.is_err());
    client.delete_object_tagging().bucket(&bucket).key("k").send().await.unwrap();
    assert!(get().await.unwrap().tag_set().is_empty());
    assert_eq!(code(&client.get_object_tagging().bucket(&bucket).key("none").send().await), "NoSuchKey");
}

#[tokio::test]
async fn tags_of_buckets() {
    let (client, bucket) = test_bucket().await;
    client.put_bucket_tagging().bucket(&bucket).tagging(tagging(&[("a", "1"), ("b", "")])).send().await.unwrap();
    assert_eq!(client.get_bucket_tagging().bucket(&bucket).send().await.unwrap().tag_set().len(), 2);
    client.delete_bucket_tagging().bucket(&bucket).send().await.unwrap();
    assert_eq!(code(&client.get_bucket_tagging().bucket(&bucket).send().await), "NoSuchTagSet");
}
