use expect_test::expect;

use super::check;

#[test]
fn writes_are_decided_by_the_latest_version() {
    check(
        "create b
         put b/k 1 etag=a if-match=*
         put b/k 1 etag=a if-match=a
         put b/k 1 etag=a if-none-match=*
         put b/k 1 etag=b if-none-match=*
         put b/k 1 etag=b if-match=c
         put b/k 1 etag=b if-match=c,a
         put b/k 1 etag=c if-match=*
         get b/k
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 1 etag=a if-match=*
                refused: NoSuchKey
            put b/k 1 etag=a if-match=a
                refused: NoSuchKey
            put b/k 1 etag=a if-none-match=*
                v1 etag=a 1 bytes
            put b/k 1 etag=b if-none-match=*
                refused: PreconditionFailed
            put b/k 1 etag=b if-match=c
                refused: PreconditionFailed
            put b/k 1 etag=b if-match=c,a
                v2 etag=b 1 bytes
            put b/k 1 etag=c if-match=*
                v3 etag=c 1 bytes
            get b/k
                v3 null etag=c 1 latest
            stored
                1 inline, 0 blobs, 0 freed
        "#]],
    );
}

#[test]
fn a_delete_marker_counts_as_nothing_there() {
    check(
        "create b
         versioning b enabled
         put b/k 1 etag=a
         delete b/k
         put b/k 1 etag=b if-match=*
         put b/k 1 etag=b if-match=a
         put b/k 1 etag=b if-none-match=*",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/k 1 etag=a
                v1 versioned etag=a 1 bytes
            delete b/k
                v2 delete marker
            put b/k 1 etag=b if-match=*
                refused: NoSuchKey
            put b/k 1 etag=b if-match=a
                refused: NoSuchKey
            put b/k 1 etag=b if-none-match=*
                v3 versioned etag=b 1 bytes
        "#]],
    );
}

#[test]
fn deletes_are_decided_key_by_key() {
    check(
        "create b
         put b/k 1 etag=a
         put b/l 1 etag=b
         delete b/k,l,none if-match=a
         delete b/l if-match=*
         list b
         versioning b enabled
         put b/m 1 etag=a
         put b/m 1 etag=b
         delete b/m version=v3 if-match=a
         delete b/m version=v3 if-match=b
         versions b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 1 etag=a
                v1 etag=a 1 bytes
            put b/l 1 etag=b
                v2 etag=b 1 bytes
            delete b/k,l,none if-match=a
                done
                refused: PreconditionFailed
                refused: NoSuchKey
            delete b/l if-match=*
                done
            list b
                nothing
            versioning b enabled
                Done
            put b/m 1 etag=a
                v3 versioned etag=a 1 bytes
            put b/m 1 etag=b
                v4 versioned etag=b 1 bytes
            delete b/m version=v3 if-match=a
                refused: PreconditionFailed
            delete b/m version=v3 if-match=b
                v3
            versions b
                m v4 etag=b 1 latest
        "#]],
    );
}

#[test]
fn a_quota_refuses_growth_and_nothing_else() {
    check(
        "create b
         put b/k 60 quota=100
         put b/l 60 quota=100
         put b/l 40 quota=100
         put b/k 50 quota=80
         put b/k 51 quota=80
         put b/empty 0 quota=10
         copy b/l b/m quota=100
         upload b/u u1
         part b/u u1 1 20 etag=a quota=100
         part b/u u1 1 10 etag=a quota=100
         part b/u u1 2 1 etag=b quota=100
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 60 quota=100
                v1 etag=x 60 bytes
            put b/l 60 quota=100
                refused: QuotaExceeded
            put b/l 40 quota=100
                v2 etag=x 40 bytes
            put b/k 50 quota=80
                v3 etag=x 50 bytes
            put b/k 51 quota=80
                refused: QuotaExceeded
            put b/empty 0 quota=10
                v4 etag=x 0 bytes
            copy b/l b/m quota=100
                refused: QuotaExceeded
            upload b/u u1
                u1
            part b/u u1 1 20 etag=a quota=100
                refused: QuotaExceeded
            part b/u u1 1 10 etag=a quota=100
                Done
            part b/u u1 2 1 etag=b quota=100
                refused: QuotaExceeded
            counters b
                Counters { objects: 3, versions: 3, delete_markers: 0, uploads: 1, bytes: 100 }
        "#]],
    );
}

/// The only node that votes is node 1.
#[test]
fn bytes_that_those_who_vote_do_not_have_are_not_named() {
    check(
        "create b
         upload b/u u1
         put b/k 40K on=2
         part b/u u1 1 5M etag=a on=2
         put b/k 10 on=2
         stored
         put b/k 40K on=1
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/u u1
                u1
            put b/k 40K on=2
                refused: TooFewCopies
            part b/u u1 1 5M etag=a on=2
                refused: TooFewCopies
            put b/k 10 on=2
                v1 etag=x 10 bytes
            stored
                1 inline, 0 blobs, 0 freed
            put b/k 40K on=1
                v2 etag=x 40960 bytes
            stored
                0 inline, 1 blobs, 0 freed
        "#]],
    );
}
