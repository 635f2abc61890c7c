use expect_test::expect;

use super::check;

#[test]
fn a_bucket_goes_only_when_it_is_empty() {
    check(
        "create b
         create b
         versioning b enabled
         put b/k 1 etag=a
         delete b/k
         drop b
         delete b/k version=v1
         drop b
         delete b/k version=v2
         drop b
         drop b
         put b/k 1
         create b
         list b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/k 1 etag=a
                v1 versioned etag=a 1 bytes
            delete b/k
                v2 delete marker
            drop b
                refused: BucketNotEmpty
            delete b/k version=v1
                v1
            drop b
                refused: BucketNotEmpty
            delete b/k version=v2
                v2 delete marker
            drop b
                Done
            drop b
                refused: NoSuchBucket
            put b/k 1
                refused: NoSuchBucket
            create b
                BucketCreated { bucket: BucketId(2) }
            list b
                nothing
        "#]],
    );
}

#[test]
fn uploads_in_progress_go_with_their_bucket() {
    check(
        "create b
         upload b/k u1
         part b/k u1 1 5M etag=a
         upload b/l u2
         drop b
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1
                u1
            part b/k u1 1 5M etag=a
                Done
            upload b/l u2
                u2
            drop b
                Done
            stored
                0 inline, 0 blobs, 1 freed
        "#]],
    );
}
