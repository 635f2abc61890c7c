use expect_test::expect;

use super::check;

#[test]
fn a_bucket_that_never_had_versioning_keeps_one_version() {
    check(
        "create b
         put b/k 10 etag=a
         put b/k 40K etag=b
         get b/k
         get b/k version=null
         delete b/k
         delete b/k
         get b/k
         versions b
         counters b
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 10 etag=a
                v1 etag=a 10 bytes
            put b/k 40K etag=b
                v2 etag=b 40960 bytes
            get b/k
                v2 null etag=b 40960 latest
            get b/k version=null
                v2 null etag=b 40960 latest
            delete b/k
                done
            delete b/k
                done
            get b/k
                nothing
            versions b
                nothing
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
            stored
                0 inline, 0 blobs, 1 freed
        "#]],
    );
}

#[test]
fn enabled_versioning_keeps_every_version_and_marks_deletes() {
    check(
        "create b
         put b/k 1 etag=a
         versioning b enabled
         put b/k 2 etag=b
         put b/k 3 etag=c
         delete b/k
         delete b/k
         delete b/missing
         versions b
         list b
         get b/k
         get b/k version=v1
         get b/k version=null
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 1 etag=a
                v1 etag=a 1 bytes
            versioning b enabled
                Done
            put b/k 2 etag=b
                v2 versioned etag=b 2 bytes
            put b/k 3 etag=c
                v3 versioned etag=c 3 bytes
            delete b/k
                v4 delete marker
            delete b/k
                v5 delete marker
            delete b/missing
                v6 delete marker
            versions b
                k v5 delete marker latest
                k v4 delete marker
                k v3 etag=c 3
                k v2 etag=b 2
                k v1 null etag=a 1
                missing v6 delete marker latest
            list b
                nothing
            get b/k
                v5 delete marker latest
            get b/k version=v1
                v1 null etag=a 1
            get b/k version=null
                v1 null etag=a 1
            counters b
                Counters { objects: 0, versions: 3, delete_markers: 3, uploads: 0, bytes: 6 }
        "#]],
    );
}

#[test]
fn removing_the_latest_brings_the_next_one_forward() {
    check(
        "create b
         put b/k 1 etag=a
         versioning b enabled
         put b/k 2 etag=b
         delete b/k
         delete b/k version=v3
         get b/k
         delete b/k version=v2
         get b/k
         counters b
         delete b/k version=null
         get b/k
         delete b/k version=null
         delete b/k version=v2
         counters b
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 1 etag=a
                v1 etag=a 1 bytes
            versioning b enabled
                Done
            put b/k 2 etag=b
                v2 versioned etag=b 2 bytes
            delete b/k
                v3 delete marker
            delete b/k version=v3
                v3 delete marker
            get b/k
                v2 etag=b 2 latest
            delete b/k version=v2
                v2
            get b/k
                v1 null etag=a 1 latest
            counters b
                Counters { objects: 1, versions: 1, delete_markers: 0, uploads: 0, bytes: 1 }
            delete b/k version=null
                v1 null
            get b/k
                nothing
            delete b/k version=null
                done
            delete b/k version=v2
                done
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
            stored
                0 inline, 0 blobs, 0 freed
        "#]],
    );
}

#[test]
fn removing_an_older_version_leaves_the_latest_alone() {
    check(
        "create b
         versioning b enabled
         put b/k 1 etag=a
         put b/k 2 etag=b
         delete b/k
         delete b/k version=v1
         get b/k
         delete b/k version=v2
         versions b
         delete b/k version=v3
         versions b
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/k 1 etag=a
                v1 versioned etag=a 1 bytes
            put b/k 2 etag=b
                v2 versioned etag=b 2 bytes
            delete b/k
                v3 delete marker
            delete b/k version=v1
                v1
            get b/k
                v3 delete marker latest
            delete b/k version=v2
                v2
            versions b
                k v3 delete marker latest
            delete b/k version=v3
                v3 delete marker
            versions b
                nothing
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
        "#]],
    );
}

#[test]
fn suspended_versioning_has_one_null_version() {
    check(
        "create b
         versioning b enabled
         put b/k 1 etag=a
         versioning b suspended
         put b/k 2 etag=b
         put b/k 3 etag=c
         versions b
         versioning b enabled
         put b/k 4 etag=d
         versions b
         versioning b suspended
         put b/k 5 etag=e
         versions b
         counters b
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/k 1 etag=a
                v1 versioned etag=a 1 bytes
            versioning b suspended
                Done
            put b/k 2 etag=b
                v2 null etag=b 2 bytes
            put b/k 3 etag=c
                v3 null etag=c 3 bytes
            versions b
                k v3 null etag=c 3 latest
                k v1 etag=a 1
            versioning b enabled
                Done
            put b/k 4 etag=d
                v4 versioned etag=d 4 bytes
            versions b
                k v4 etag=d 4 latest
                k v3 null etag=c 3
                k v1 etag=a 1
            versioning b suspended
                Done
            put b/k 5 etag=e
                v5 null etag=e 5 bytes
            versions b
                k v5 null etag=e 5 latest
                k v4 etag=d 4
                k v1 etag=a 1
            counters b
                Counters { objects: 1, versions: 3, delete_markers: 0, uploads: 0, bytes: 10 }
            stored
                3 inline, 0 blobs, 0 freed
        "#]],
    );
}

#[test]
fn a_delete_while_suspended_replaces_the_null_version_by_a_null_marker() {
    check(
        "create b
         put b/k 1 etag=a
         versioning b enabled
         put b/k 2 etag=b
         versioning b suspended
         delete b/k
         versions b
         delete b/k
         versions b
         put b/k 3 etag=c
         versions b
         delete b/k
         delete b/k version=null
         versions b
         get b/k
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 1 etag=a
                v1 etag=a 1 bytes
            versioning b enabled
                Done
            put b/k 2 etag=b
                v2 versioned etag=b 2 bytes
            versioning b suspended
                Done
            delete b/k
                v3 null delete marker
            versions b
                k v3 null delete marker latest
                k v2 etag=b 2
            delete b/k
                v4 null delete marker
            versions b
                k v4 null delete marker latest
                k v2 etag=b 2
            put b/k 3 etag=c
                v5 null etag=c 3 bytes
            versions b
                k v5 null etag=c 3 latest
                k v2 etag=b 2
            delete b/k
                v6 null delete marker
            delete b/k version=null
                v6 null delete marker
            versions b
                k v2 etag=b 2 latest
            get b/k
                v2 etag=b 2 latest
            counters b
                Counters { objects: 1, versions: 1, delete_markers: 0, uploads: 0, bytes: 2 }
        "#]],
    );
}

#[test]
fn tags_change_in_place() {
    check(
        "create b
         versioning b enabled
         put b/k 1 etag=a
         put b/k 2 etag=b
         tag b/k new
         tag b/k old version=v1
         versions b
         delete b/k
         tag b/k x
         tag b/k x version=v3
         tag b/k x version=v9
         tag b/none x",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/k 1 etag=a
                v1 versioned etag=a 1 bytes
            put b/k 2 etag=b
                v2 versioned etag=b 2 bytes
            tag b/k new
                tagged v2
            tag b/k old version=v1
                tagged v1
            versions b
                k v2 etag=b 2 tags=new latest
                k v1 etag=a 1 tags=old
            delete b/k
                v3 delete marker
            tag b/k x
                refused: NoSuchKey
            tag b/k x version=v3
                refused: DeleteMarker
            tag b/k x version=v9
                refused: NoSuchVersion
            tag b/none x
                refused: NoSuchKey
        "#]],
    );
}
