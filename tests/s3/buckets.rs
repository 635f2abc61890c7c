//! Buckets: life, names, listing, location, settings that do not exist here.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::support::{client, code, other_client, status, test_bucket, unique};

#[tokio::test]
async fn life_of_a_bucket() {
    let client = client().await;
    let name = unique("life");
    assert_eq!(status(&client.head_bucket().bucket(&name).send().await), 404);
    let created = client.create_bucket().bucket(&name).send().await.unwrap();
    assert_eq!(created.location(), Some(format!("/{name}").as_str()));
    client.head_bucket().bucket(&name).send().await.unwrap();
    let again = client.create_bucket().bucket(&name).send().await;
    assert_eq!((status(&again), code(&again)), (409, "BucketAlreadyOwnedByYou".to_owned()));

    client.put_object().bucket(&name).key("k").send().await.unwrap();
    let full = client.delete_bucket().bucket(&name).send().await;
    assert_eq!((status(&full), code(&full)), (409, "BucketNotEmpty".to_owned()));
    client.delete_object().bucket(&name).key("k").send().await.unwrap();
    client.delete_bucket().bucket(&name).send().await.unwrap();
    assert_eq!(code(&client.delete_bucket().bucket(&name).send().await), "NoSuchBucket");
    assert_eq!(code(&client.list_objects_v2().bucket(&name).send().await), "NoSuchBucket");

    client.create_bucket().bucket(&name).send().await.unwrap();
    let listed = client.list_objects_v2().bucket(&name).send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0), "a new bucket of the same name holds nothing of the old one");
}

#[tokio::test]
async fn nobody_reaches_another_users_bucket() {
    let (client, bucket) = test_bucket().await;
    client.put_object().bucket(&bucket).key("k").send().await.unwrap();
    let other = other_client().await;
    let taken = other.create_bucket().bucket(&bucket).send().await;
    assert_eq!((status(&taken), code(&taken)), (409, "BucketAlreadyExists".to_owned()));
    let denied = other.get_object().bucket(&bucket).key("k").send().await;
    assert_eq!((status(&denied), code(&denied)), (403, "AccessDenied".to_owned()));
    assert_eq!(code(&other.put_object().bucket(&bucket).key("k").send().await), "AccessDenied");
    assert_eq!(code(&other.delete_object().bucket(&bucket).key("k").send().await), "AccessDenied");
    assert_eq!(code(&other.list_objects_v2().bucket(&bucket).send().await), "AccessDenied");
    assert_eq!(code(&other.delete_bucket().bucket(&bucket).send().await), "AccessDenied");
    assert_eq!(status(&other.head_bucket().bucket(&bucket).send().await), 403);
    let own = unique("other");
    other.create_bucket().bucket(&own).send().await.unwrap();
    let copied = other.copy_object().bucket(&own).key("k").copy_source(format!("{bucket}/k")).send().await;
    assert_eq!(code(&copied), "AccessDenied");
    let names: Vec<_> = other.list_buckets().send().await.unwrap().buckets.unwrap_or_default();
    assert!(names.iter().all(|listed| listed.name() != Some(bucket.as_str())));
}

#[tokio::test]
async fn names_are_checked() {
    let client = client().await;
    for name in ["Ab", "a_b_c", "192.168.1.1", "abc-s3alias"] {
        assert_eq!(code(&client.create_bucket().bucket(name).send().await), "InvalidBucketName", "{name}");
    }
}

#[tokio::test]
async fn buckets_are_listed_in_pages() {
    let client = client().await;
    let prefix = unique("page");
    let mut names: Vec<_> = (0..5).map(|number| format!("{prefix}-{number}")).collect();
    for name in &names {
        client.create_bucket().bucket(name).send().await.unwrap();
    }
    let mut listed = Vec::new();
    let mut token = None;
    loop {
        let page =
            client.list_buckets().prefix(&prefix).max_buckets(2).set_continuation_token(token).send().await.unwrap();
        assert!(page.buckets().len() <= 2);
        listed.extend(page.buckets().iter().filter_map(|bucket| bucket.name().map(str::to_owned)));
        token = page.continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(listed, names);
}

#[tokio::test]
async fn location_is_what_was_said() {
    let client = client().await;
    let (here, there) = (unique("here"), unique("there"));
    client.create_bucket().bucket(&here).send().await.unwrap();
    let configuration =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuNorth1).build();
    client.create_bucket().bucket(&there).create_bucket_configuration(configuration).send().await.unwrap();
    let location = |name: String| client.get_bucket_location().bucket(name).send();
    assert_eq!(location(here).await.unwrap().location_constraint().map(|l| l.as_str()).unwrap_or(""), "");
    assert_eq!(location(there.clone()).await.unwrap().location_constraint().unwrap().as_str(), "eu-north-1");
    let head = client.head_bucket().bucket(&there).send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-north-1"));
}

#[tokio::test]
async fn settings_that_cannot_be_made_are_not_there() {
    let (client, bucket) = test_bucket().await;
    assert_eq!(code(&client.get_bucket_policy().bucket(&bucket).send().await), "NoSuchBucketPolicy");
    assert_eq!(code(&client.get_bucket_cors().bucket(&bucket).send().await), "NoSuchCORSConfiguration");
    assert_eq!(
        code(&client.get_bucket_lifecycle_configuration().bucket(&bucket).send().await),
        "NoSuchLifecycleConfiguration"
    );
    assert_eq!(code(&client.get_bucket_tagging().bucket(&bucket).send().await), "NoSuchTagSet");
    assert_eq!(
        code(&client.get_bucket_encryption().bucket(&bucket).send().await),
        "ServerSideEncryptionConfigurationNotFoundError"
    );
    assert_eq!(
        code(&client.get_object_lock_configuration().bucket(&bucket).send().await),
        "ObjectLockConfigurationNotFoundError"
    );
    let acl = client.get_bucket_acl().bucket(&bucket).send().await;
    assert_eq!((status(&acl), code(&acl)), (501, "NotImplemented".to_owned()));
    assert_eq!(code(&client.get_bucket_policy().bucket(unique("none")).send().await), "NoSuchBucket");
}
