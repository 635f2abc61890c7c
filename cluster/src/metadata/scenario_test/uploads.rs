use expect_test::expect;

use super::check;

#[test]
fn parts_become_an_object_where_they_are() {
    check(
        "create b
         upload b/k u1
         part b/k u1 1 5M etag=a
         part b/k u1 7 6M etag=b
         part b/k u1 3 5M etag=c
         part b/k u1 3 7M etag=d
         part b/k u1 9 10 etag=e
         stored
         counters b
         complete b/k u1 1:a 3:d 9:e
         get b/k
         stored
         counters b
         uploads b
         delete b/k
         stored
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1
                u1
            part b/k u1 1 5M etag=a
                Done
            part b/k u1 7 6M etag=b
                Done
            part b/k u1 3 5M etag=c
                Done
            part b/k u1 3 7M etag=d
                Done
            part b/k u1 9 10 etag=e
                Done
            stored
                1 inline, 3 blobs, 1 freed
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 1, bytes: 18874378 }
            complete b/k u1 1:a 3:d 9:e
                v1 etag=57e8…-3 12582922 bytes
            get b/k
                v1 null etag=57e8…-3 12582922 latest
            stored
                1 inline, 2 blobs, 2 freed
            counters b
                Counters { objects: 1, versions: 1, delete_markers: 0, uploads: 0, bytes: 12582922 }
            uploads b
                nothing
            delete b/k
                done
            stored
                0 inline, 0 blobs, 4 freed
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
        "#]],
    );
}

#[test]
fn a_refused_completion_leaves_the_upload_alive() {
    check(
        "create b
         put b/k 1 etag=z
         upload b/k u1
         part b/k u1 1 5M etag=a
         part b/k u1 2 1M etag=b
         part b/k u1 3 1M etag=c
         complete b/k u1 2:b 1:a
         complete b/k u1 1:a 1:a
         complete b/k u1 1:a 2:x
         complete b/k u1 1:a 4:d
         complete b/k u1 1:a 2:b 3:c
         complete b/k u1
         complete b/k u1 1:a 2:b size=5
         complete b/k u1 1:a 2:b if-none-match=*
         complete b/k u1 1:a 2:b if-match=y
         complete b/other u1 1:a 2:b
         complete b/k u2 1:a
         uploads b
         complete b/k u1 1:a 2:b if-match=z size=6M
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/k 1 etag=z
                v1 etag=z 1 bytes
            upload b/k u1
                u1
            part b/k u1 1 5M etag=a
                Done
            part b/k u1 2 1M etag=b
                Done
            part b/k u1 3 1M etag=c
                Done
            complete b/k u1 2:b 1:a
                refused: InvalidPartOrder
            complete b/k u1 1:a 1:a
                refused: InvalidPartOrder
            complete b/k u1 1:a 2:x
                refused: InvalidPart { number: 2 }
            complete b/k u1 1:a 4:d
                refused: InvalidPart { number: 4 }
            complete b/k u1 1:a 2:b 3:c
                refused: PartTooSmall { number: 2, bytes: 1048576 }
            complete b/k u1
                refused: InvalidPart { number: 0 }
            complete b/k u1 1:a 2:b size=5
                refused: SizeMismatch
            complete b/k u1 1:a 2:b if-none-match=*
                refused: PreconditionFailed
            complete b/k u1 1:a 2:b if-match=y
                refused: PreconditionFailed
            complete b/other u1 1:a 2:b
                refused: NoSuchUpload
            complete b/k u2 1:a
                refused: NoSuchUpload
            uploads b
                k u1
            complete b/k u1 1:a 2:b if-match=z size=6M
                v2 etag=4bfd…-2 6291456 bytes
            stored
                0 inline, 2 blobs, 1 freed
        "#]],
    );
}

#[test]
fn a_replayed_completion_is_answered_as_before() {
    check(
        "create b
         upload b/k u1
         part b/k u1 1 5M etag=a
         complete b/k u1 1:a if-none-match=*
         complete b/k u1 1:a if-none-match=*
         put b/k 1 etag=z
         complete b/k u1 1:a if-none-match=*
         complete b/l u1 1:a
         part b/k u1 2 5M etag=b
         abort b/k u1
         get b/k",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1
                u1
            part b/k u1 1 5M etag=a
                Done
            complete b/k u1 1:a if-none-match=*
                v1 etag=23ca…-1 5242880 bytes
            complete b/k u1 1:a if-none-match=*
                v1 etag=23ca…-1 5242880 bytes
            put b/k 1 etag=z
                v2 etag=z 1 bytes
            complete b/k u1 1:a if-none-match=*
                v1 etag=23ca…-1 5242880 bytes
            complete b/l u1 1:a
                refused: NoSuchUpload
            part b/k u1 2 5M etag=b
                refused: NoSuchUpload
            abort b/k u1
                refused: NoSuchUpload
            get b/k
                v2 null etag=z 1 latest
        "#]],
    );
}

#[test]
fn copies_of_a_multipart_object_outlive_it_and_its_bucket() {
    check(
        "create b
         create c
         upload b/k u1
         part b/k u1 1 5M etag=a
         part b/k u1 2 10 etag=b
         complete b/k u1 1:a 2:b
         copy b/k c/k
         delete b/k
         drop b
         stored
         get c/k
         delete c/k
         stored",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            create c
                BucketCreated { bucket: BucketId(2) }
            upload b/k u1
                u1
            part b/k u1 1 5M etag=a
                Done
            part b/k u1 2 10 etag=b
                Done
            complete b/k u1 1:a 2:b
                v1 etag=4bfd…-2 5242890 bytes
            copy b/k c/k
                v2 etag=4bfd…-2 5242890 bytes
            delete b/k
                done
            drop b
                Done
            stored
                1 inline, 1 blobs, 0 freed
            get c/k
                v2 null etag=4bfd…-2 5242890 latest
            delete c/k
                done
            stored
                0 inline, 0 blobs, 1 freed
        "#]],
    );
}

#[test]
fn an_abort_frees_every_part() {
    check(
        "create b
         upload b/k u1
         part b/k u1 1 5M etag=a
         part b/k u1 2 10 etag=b
         abort b/k u1
         abort b/k u1
         stored
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1
                u1
            part b/k u1 1 5M etag=a
                Done
            part b/k u1 2 10 etag=b
                Done
            abort b/k u1
                Done
            abort b/k u1
                refused: NoSuchUpload
            stored
                0 inline, 0 blobs, 1 freed
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
        "#]],
    );
}

#[test]
fn an_empty_part_makes_an_empty_object() {
    check(
        "create b
         upload b/k u1
         part b/k u1 1 0 etag=a
         complete b/k u1 1:a
         get b/k
         delete b/k
         counters b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1
                u1
            part b/k u1 1 0 etag=a
                Done
            complete b/k u1 1:a
                v1 etag=23ca…-1 0 bytes
            get b/k
                v1 null etag=23ca…-1 0 latest
            delete b/k
                done
            counters b
                Counters { objects: 0, versions: 0, delete_markers: 0, uploads: 0, bytes: 0 }
        "#]],
    );
}

#[test]
fn a_full_object_checksum_is_combined_and_compared() {
    // 5 MiB of "a" and 10 of "b".
    let whole = [vec![b'a'; 5 << 20], vec![b'b'; 10]].concat();
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &whole);
    assert_eq!(format!("{crc:08x}"), "d458a68c");
    check(
        "create b
         upload b/k u1 crc32 full
         part b/k u1 1 5M etag=a
         part b/k u1 1 5M sha256 etag=a
         part b/k u1 1 5M crc32 etag=a
         part b/k u1 2 10 crc32 etag=b
         complete b/k u1 1:a 2:b crc32=1234
         complete b/k u1 1:a 2:b type=composite
         complete b/k u1 1:a 2:b crc32=d458a68c",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1 crc32 full
                u1
            part b/k u1 1 5M etag=a
                refused: ChecksumAlgorithmMismatch
            part b/k u1 1 5M sha256 etag=a
                refused: ChecksumAlgorithmMismatch
            part b/k u1 1 5M crc32 etag=a
                Done
            part b/k u1 2 10 crc32 etag=b
                Done
            complete b/k u1 1:a 2:b crc32=1234
                refused: ChecksumMismatch
            complete b/k u1 1:a 2:b type=composite
                refused: ChecksumAlgorithmMismatch
            complete b/k u1 1:a 2:b crc32=d458a68c
                v1 etag=4bfd…-2 5242890 bytes FullObject Crc32 d458a68c
        "#]],
    );
}

#[test]
fn an_unbound_upload_has_the_checksum_that_all_its_parts_have() {
    check(
        "create b
         upload b/k u1
         part b/k u1 1 5M crc32 etag=a
         part b/k u1 2 10 etag=b
         complete b/k u1 1:a 2:b crc32=1234
         complete b/k u1 1:a 2:b
         upload b/l u2
         part b/l u2 1 5M crc32 etag=a
         part b/l u2 2 10 crc32 etag=b
         complete b/l u2 1:a 2:b
         upload b/m u3
         part b/m u3 1 5M sha256 etag=a
         complete b/m u3 1:a
         upload b/n u4 sha256 composite
         part b/n u4 1 5M sha256 etag=a
         complete b/n u4 1:a
         upload b/o u5
         part b/o u5 1 5M xxhash128 etag=a
         complete b/o u5 1:a type=full
         complete b/o u5 1:a",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u1
                u1
            part b/k u1 1 5M crc32 etag=a
                Done
            part b/k u1 2 10 etag=b
                Done
            complete b/k u1 1:a 2:b crc32=1234
                refused: ChecksumAlgorithmMismatch
            complete b/k u1 1:a 2:b
                v1 etag=4bfd…-2 5242890 bytes
            upload b/l u2
                u2
            part b/l u2 1 5M crc32 etag=a
                Done
            part b/l u2 2 10 crc32 etag=b
                Done
            complete b/l u2 1:a 2:b
                v2 etag=4bfd…-2 5242890 bytes FullObject Crc32 d458a68c
            upload b/m u3
                u3
            part b/m u3 1 5M sha256 etag=a
                Done
            complete b/m u3 1:a
                v3 etag=23ca…-1 5242880 bytes Composite Sha256 09d6e523
            upload b/n u4 sha256 composite
                u4
            part b/n u4 1 5M sha256 etag=a
                Done
            complete b/n u4 1:a
                v4 etag=23ca…-1 5242880 bytes Composite Sha256 09d6e523
            upload b/o u5
                u5
            part b/o u5 1 5M xxhash128 etag=a
                Done
            complete b/o u5 1:a type=full
                refused: ChecksumAlgorithmMismatch
            complete b/o u5 1:a
                v5 etag=23ca…-1 5242880 bytes Composite XxHash128 4a0aa096
        "#]],
    );
}
