use expect_test::expect;

use super::check;

#[test]
fn a_copy_names_the_same_bytes() {
    check(
        "create b
         create c
         put b/k 40K etag=a
         put b/small 10 etag=b
         copy b/k c/k
         copy b/small c/small
         copy b/small c/small2
         stored
         delete b/k,small
         stored
         delete c/k,small
         stored
         delete c/small2
         stored
         counters c",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            create c
                BucketCreated { bucket: BucketId(2) }
            put b/k 40K etag=a
                v1 etag=a 40960 bytes
            put b/small 10 etag=b
                v2 etag=b 10 bytes
            copy b/k c/k
                v3 etag=a 40960 bytes
            copy b/small c/small
                v4 etag=b 10 bytes
            copy b/small c/small2
                v5 etag=b 10 bytes
            stored
                1 inline, 1 blobs, 0 freed
            delete b/k,small
                done
                done
            stored
                1 inline, 1 blobs, 0 freed
            delete c/k,small
                done
                done
            stored
                1 inline, 0 blobs, 1 freed
            delete c/small2
                done
            stored
                0 inline, 0 blobs, 1 freed
            counters c
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
        "#]],
    );
}

#[test]
fn a_copy_onto_itself_keeps_the_bytes() {
    check(
        "create b
         put b/k 40K etag=a
         put b/small 10 etag=b
         copy b/k b/k
         copy b/small b/small
         stored
         versioning b enabled
         copy b/k b/k
         versions b
         delete b/k version=v5
         delete b/k version=null
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 40K etag=a
                v1 etag=a 40960 bytes
            put b/small 10 etag=b
                v2 etag=b 10 bytes
            copy b/k b/k
                v3 etag=a 40960 bytes
            copy b/small b/small
                v4 etag=b 10 bytes
            stored
                1 inline, 1 blobs, 0 freed
            versioning b enabled
                Done
            copy b/k b/k
                v5 versioned etag=a 40960 bytes
            versions b
                k v5 etag=a 40960 latest
                k v3 null etag=a 40960
                small v4 null etag=b 10 latest
            delete b/k version=v5
                v5
            delete b/k version=null
                v3 null
            stored
                1 inline, 0 blobs, 1 freed
        "#]],
    );
}

#[test]
fn the_source_of_a_copy_must_still_be_there() {
    check(
        "create b
         copy b/none b/k
         put b/k 1 etag=a
         copy b/k none/k
         copy b/k b/k if-none-match=*
         copy b/k b/l if-none-match=*
         copy b/k b/l if-match=z",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            copy b/none b/k
                refused: CopySourceGone
            put b/k 1 etag=a
                v1 etag=a 1 bytes
            copy b/k none/k
                refused: NoSuchBucket
            copy b/k b/k if-none-match=*
                refused: PreconditionFailed
            copy b/k b/l if-none-match=*
                v2 etag=a 1 bytes
            copy b/k b/l if-match=z
                refused: PreconditionFailed
        "#]],
    );
}

#[test]
fn a_rename_moves_the_name_alone() {
    check(
        "create b
         put b/k 40K etag=a
         put b/target 50K etag=b
         rename b k target if-none-match=*
         rename b k target source-if-match=z
         rename b none target
         rename b k target
         list b
         rename b target target
         stored
         counters b
         versioning b enabled
         rename b target k
         versions b
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 40K etag=a
                v1 etag=a 40960 bytes
            put b/target 50K etag=b
                v2 etag=b 51200 bytes
            rename b k target if-none-match=*
                refused: PreconditionFailed
            rename b k target source-if-match=z
                refused: PreconditionFailed
            rename b none target
                refused: NoSuchKey
            rename b k target
                v3 etag=a 40960 bytes
            list b
                target v3 null etag=a 40960
            rename b target target
                v3 etag=a 40960 bytes
            stored
                0 inline, 1 blobs, 1 freed
            counters b
                Counters { objects: 1, versions: 1, delete_markers: 0, uploads: 0, bytes: 40960 }
            versioning b enabled
                Done
            rename b target k
                v4 versioned etag=a 40960 bytes
            versions b
                k v4 etag=a 40960 latest
                target v? delete marker latest
                target v3 null etag=a 40960
            stored
                0 inline, 1 blobs, 1 freed
        "#]],
    );
}
