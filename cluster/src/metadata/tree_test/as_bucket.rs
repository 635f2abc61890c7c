//! A tree as S3 sees it lists like a bucket that holds the same keys.

use super::*;
use crate::metadata::command::VersionSelector;
use crate::metadata::query::tree::as_bucket;
use crate::metadata::query::{self as objects, After, ListObjects, ListVersions};

const KEYS: [&str; 12] =
    ["a.txt", "a/b", "a/b.c", "a/c/d", "a-b", "b/c/d/e", "b/x", "ab", "a0", "c/c/c", "ü/ß", "a/c!"];

/// The same keys in a tree and in a bucket.
fn both(keys: &[usize]) -> (Bed, BucketId) {
    let mut bed = Bed::new();
    let create = OwnerChange::CreateBucket { name: "plain".to_owned(), location: String::new() };
    let Outcome::BucketCreated { bucket } = bed.group.commit(create) else { panic!("no bucket") };
    for key in keys {
        let key = KEYS[*key];
        bed.put(key, WriteMode::Overwrite, false, 1);
        bed.group.commit(OwnerChange::PutObject(super::super::format_test::put_object(bucket, key)));
    }
    (bed, bucket)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_lists_as_a_bucket_of_the_same_keys(
        keys in prop::collection::vec(0..KEYS.len(), 0..14),
        prefix in prop::sample::select(vec!["", "a", "a/", "a/b", "a/c/", "b/c/d/e", "c/", "x", "ü"]),
        delimiter in prop::sample::select(vec![None, Some("/"), Some("-"), Some("c/")]),
        start in prop::sample::select(vec![None, Some("a/"), Some("a/b"), Some("a/zzz"), Some("b/c"), Some("zz"), Some("0")]),
        limit in 1..5usize,
    ) {
        let list = ListObjects {
            prefix: prefix.to_owned(),
            delimiter: delimiter.map(str::to_owned),
            after: start.map(|start| After::Key(start.to_owned())),
            limit,
        };
        list_both(&keys, list);
    }
}

/// All pages of both.
fn list_both(keys: &[usize], mut list: ListObjects) {
    let (bed, bucket) = both(keys);
    loop {
        let plain = objects::list_objects(&bed.group.records, owner(), bucket, &list).unwrap();
        let tree = as_bucket::list_objects(&bed.group.records, space(), &list).unwrap();
        let names = |page: &objects::ObjectPage| page.objects.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        assert_eq!(names(&tree), names(&plain));
        assert_eq!(tree.common_prefixes, plain.common_prefixes);
        assert_eq!(tree.next, plain.next);
        match tree.next {
            Some(next) => list.after = Some(After::Marker(next)),
            None => return,
        }
    }
}

#[test]
fn revisions_are_versions_and_the_trash_is_a_delete_marker() {
    let mut bed = Bed::new();
    for letter in 1..=3 {
        bed.put("a/f", WriteMode::Replace(WriteCondition::None), false, letter);
    }
    bed.put("a/g", WriteMode::Add, false, 4);
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let list = ListVersions { after, limit: 1, ..ListVersions::default() };
        let page = as_bucket::list_versions(&bed.group.records, space(), &list).unwrap();
        listed.extend(page.versions.into_iter().map(|listed| (listed.key, listed.record.version, listed.is_latest)));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let shown: Vec<_> =
        listed.iter().map(|(key, version, latest)| (key.as_str(), version.revision().0, *latest)).collect();
    assert_eq!(shown, [("a/f", 4, true), ("a/f", 3, false), ("a/f", 2, false), ("a/g", 5, true)]);

    let version =
        |bed: &Bed, selector| as_bucket::version(&bed.group.records, space(), &path("a/f"), selector).unwrap();
    let oldest = listed[2].1;
    let (found, is_latest) = version(&bed, VersionSelector::Id(oldest)).unwrap();
    assert_eq!((found.version, is_latest), (oldest, false));

    bed.change(TreeChange::Trash { at: At::Path(path("a/f")), expected_rev: None });
    let (marker, is_latest) = version(&bed, VersionSelector::Latest).unwrap();
    assert!(is_latest && marker.kind == crate::metadata::record::VersionKind::DeleteMarker);
    assert!(version(&bed, VersionSelector::Id(oldest)).is_some(), "what lies in the trash can be read by its version");
    bed.put("a/f", WriteMode::Replace(WriteCondition::None), false, 4);
    assert!(version(&bed, VersionSelector::Id(oldest)).is_some(), "a new file takes up the history");
    bed.check();
}
