//! ListObjects and ListObjectsV2 against a model: every page size, prefix and delimiter gives what sorting and folding
//! the keys gives.

use std::collections::BTreeSet;

use crate::support::{code, test_bucket};

const KEYS: [&str; 17] = [
    "a", "a/", "a/1", "a/2", "a/b/1", "a/b/2", "a0", "b", "b//", "b//x", "c/", "d/e/f/g", "d/e/h", "z z", "é/1", "é/2",
    "옹기",
];

/// Keys and common prefixes together, in order.
fn model(prefix: &str, delimiter: &str) -> Vec<String> {
    let mut entries = BTreeSet::new();
    for key in KEYS.iter().filter(|key| key.starts_with(prefix)) {
        let rest = &key[prefix.len()..];
        let folded = (!delimiter.is_empty()).then(|| rest.find(delimiter)).flatten();
        entries.insert(match folded {
            Some(at) => format!("{}{}", &key[..prefix.len() + at + delimiter.len()], " (prefix)"),
            None => (*key).to_owned(),
        });
    }
    entries.into_iter().collect()
}

#[tokio::test]
async fn pages_of_both_forms_are_the_model() {
    let (client, bucket) = test_bucket().await;
    for key in KEYS {
        client.put_object().bucket(&bucket).key(key).send().await.unwrap();
    }
    for (prefix, delimiter) in
        [("", ""), ("", "/"), ("a", ""), ("a/", "/"), ("b/", "/"), ("d/", "/"), ("", "e"), ("é", "/"), ("no", "/")]
    {
        let mut expected = model(prefix, delimiter);
        expected.sort();
        for page_size in [1, 2, 3, 7, 1000] {
            let mut listed = Vec::new();
            let mut token = None;
            loop {
                let page = client
                    .list_objects_v2()
                    .bucket(&bucket)
                    .prefix(prefix)
                    .delimiter(delimiter)
                    .max_keys(page_size)
                    .set_continuation_token(token)
                    .send()
                    .await
                    .unwrap();
                let before = listed.len();
                listed.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
                listed.extend(page.common_prefixes().iter().map(|p| format!("{} (prefix)", p.prefix().unwrap())));
                assert_eq!(page.key_count(), Some((listed.len() - before) as i32));
                assert!(listed.len() - before <= page_size as usize);
                token = page.next_continuation_token().map(str::to_owned);
                assert_eq!(page.is_truncated(), Some(token.is_some()));
                if token.is_none() {
                    break;
                }
            }
            listed.sort();
            assert_eq!(listed, expected, "v2 prefix {prefix:?} delimiter {delimiter:?} pages of {page_size}");

            let mut listed = Vec::new();
            let mut marker: Option<String> = None;
            loop {
                let page = client
                    .list_objects()
                    .bucket(&bucket)
                    .prefix(prefix)
                    .delimiter(delimiter)
                    .max_keys(page_size)
                    .set_marker(marker)
                    .send()
                    .await
                    .unwrap();
                listed.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
                listed.extend(page.common_prefixes().iter().map(|p| format!("{} (prefix)", p.prefix().unwrap())));
                if page.is_truncated() != Some(true) {
                    break;
                }
                let last_key = page.contents().last().and_then(|object| object.key());
                marker = page.next_marker().or(last_key).map(str::to_owned);
            }
            listed.sort();
            assert_eq!(listed, expected, "v1 prefix {prefix:?} delimiter {delimiter:?} pages of {page_size}");
        }
    }
}

#[tokio::test]
async fn order_is_of_bytes_and_start_after_is_exclusive() {
    let (client, bucket) = test_bucket().await;
    for key in KEYS {
        client.put_object().bucket(&bucket).key(key).send().await.unwrap();
    }
    let mut sorted = KEYS.to_vec();
    sorted.sort();
    let listed = client.list_objects_v2().bucket(&bucket).fetch_owner(true).send().await.unwrap();
    let keys: Vec<_> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, sorted);
    assert!(listed.contents()[0].owner().is_some());
    let after = client.list_objects_v2().bucket(&bucket).start_after("a/b/1").send().await.unwrap();
    assert_eq!(after.contents()[0].key(), Some("a/b/2"));
    assert_eq!(after.start_after(), Some("a/b/1"));
    let none = client.list_objects_v2().bucket(&bucket).max_keys(0).send().await.unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
    assert_eq!(code(&client.list_objects_v2().bucket("no-such-bucket").send().await), "NoSuchBucket");
}
