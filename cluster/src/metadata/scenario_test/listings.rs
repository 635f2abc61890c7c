use expect_test::expect;

use super::check;

const KEYS: &str = "create b
    put b/a 1
    put b/a/1 1
    put b/a/2 1
    put b/b 1
    put b/c/1/x 1
    put b/c/2 1
    put b/d 1\n";

#[test]
fn a_key_and_a_prefix_of_the_same_name_both_appear() {
    check(
        &format!("{KEYS} list b delimiter=/"),
        expect![[r#"
        create b
            BucketCreated { bucket: BucketId(1) }
        put b/a 1
            v1 etag=x 1 bytes
        put b/a/1 1
            v2 etag=x 1 bytes
        put b/a/2 1
            v3 etag=x 1 bytes
        put b/b 1
            v4 etag=x 1 bytes
        put b/c/1/x 1
            v5 etag=x 1 bytes
        put b/c/2 1
            v6 etag=x 1 bytes
        put b/d 1
            v7 etag=x 1 bytes
        list b delimiter=/
            a v1 null etag=x 1
            b v4 null etag=x 1
            d v7 null etag=x 1
            a/…
            c/…
    "#]],
    );
}

#[test]
fn common_prefixes_count_and_pages_go_on_behind_them() {
    check(
        &format!(
            "{KEYS} list b delimiter=/ limit=2
             list b delimiter=/ limit=2 marker=a/
             list b delimiter=/ limit=2 marker=c/
             list b delimiter=/ limit=5
             list b limit=0"
        ),
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/a 1
                v1 etag=x 1 bytes
            put b/a/1 1
                v2 etag=x 1 bytes
            put b/a/2 1
                v3 etag=x 1 bytes
            put b/b 1
                v4 etag=x 1 bytes
            put b/c/1/x 1
                v5 etag=x 1 bytes
            put b/c/2 1
                v6 etag=x 1 bytes
            put b/d 1
                v7 etag=x 1 bytes
            list b delimiter=/ limit=2
                a v1 null etag=x 1
                a/…
                next marker=a/
            list b delimiter=/ limit=2 marker=a/
                b v4 null etag=x 1
                c/…
                next marker=c/
            list b delimiter=/ limit=2 marker=c/
                d v7 null etag=x 1
            list b delimiter=/ limit=5
                a v1 null etag=x 1
                b v4 null etag=x 1
                d v7 null etag=x 1
                a/…
                c/…
            list b limit=0
                nothing
        "#]],
    );
}

#[test]
fn a_marker_inside_a_common_prefix_has_listed_it_but_start_after_has_not() {
    check(
        &format!(
            "{KEYS} list b delimiter=/ marker=a/1
             list b delimiter=/ start-after=a/1
             list b delimiter=/ start-after=a/2
             list b marker=a/1
             list b start-after=d"
        ),
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/a 1
                v1 etag=x 1 bytes
            put b/a/1 1
                v2 etag=x 1 bytes
            put b/a/2 1
                v3 etag=x 1 bytes
            put b/b 1
                v4 etag=x 1 bytes
            put b/c/1/x 1
                v5 etag=x 1 bytes
            put b/c/2 1
                v6 etag=x 1 bytes
            put b/d 1
                v7 etag=x 1 bytes
            list b delimiter=/ marker=a/1
                b v4 null etag=x 1
                d v7 null etag=x 1
                c/…
            list b delimiter=/ start-after=a/1
                b v4 null etag=x 1
                d v7 null etag=x 1
                a/…
                c/…
            list b delimiter=/ start-after=a/2
                b v4 null etag=x 1
                d v7 null etag=x 1
                c/…
            list b marker=a/1
                a/2 v3 null etag=x 1
                b v4 null etag=x 1
                c/1/x v5 null etag=x 1
                c/2 v6 null etag=x 1
                d v7 null etag=x 1
            list b start-after=d
                nothing
        "#]],
    );
}

#[test]
fn prefix_and_delimiter_together() {
    check(
        &format!(
            "{KEYS} list b prefix=c/ delimiter=/
             list b prefix=c/ delimiter=/ limit=1
             list b prefix=c/ delimiter=/ marker=c/1/
             list b prefix=a
             list b prefix=a marker=0
             list b prefix=a marker=b
             list b delimiter=/1"
        ),
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/a 1
                v1 etag=x 1 bytes
            put b/a/1 1
                v2 etag=x 1 bytes
            put b/a/2 1
                v3 etag=x 1 bytes
            put b/b 1
                v4 etag=x 1 bytes
            put b/c/1/x 1
                v5 etag=x 1 bytes
            put b/c/2 1
                v6 etag=x 1 bytes
            put b/d 1
                v7 etag=x 1 bytes
            list b prefix=c/ delimiter=/
                c/2 v6 null etag=x 1
                c/1/…
            list b prefix=c/ delimiter=/ limit=1
                c/1/…
                next marker=c/1/
            list b prefix=c/ delimiter=/ marker=c/1/
                c/2 v6 null etag=x 1
            list b prefix=a
                a v1 null etag=x 1
                a/1 v2 null etag=x 1
                a/2 v3 null etag=x 1
            list b prefix=a marker=0
                a v1 null etag=x 1
                a/1 v2 null etag=x 1
                a/2 v3 null etag=x 1
            list b prefix=a marker=b
                nothing
            list b delimiter=/1
                a v1 null etag=x 1
                a/2 v3 null etag=x 1
                b v4 null etag=x 1
                c/2 v6 null etag=x 1
                d v7 null etag=x 1
                a/1…
                c/1…
        "#]],
    );
}

#[test]
fn keys_are_ordered_by_their_bytes() {
    check(
        "create b
         put b/é 1
         put b/z 1
         put b/Z 1
         put b/~ 1
         put b/😀 1
         put b/ﬀ 1
         list b",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            put b/é 1
                v1 etag=x 1 bytes
            put b/z 1
                v2 etag=x 1 bytes
            put b/Z 1
                v3 etag=x 1 bytes
            put b/~ 1
                v4 etag=x 1 bytes
            put b/😀 1
                v5 etag=x 1 bytes
            put b/ﬀ 1
                v6 etag=x 1 bytes
            list b
                Z v3 null etag=x 1
                z v2 null etag=x 1
                ~ v4 null etag=x 1
                é v1 null etag=x 1
                ﬀ v6 null etag=x 1
                😀 v5 null etag=x 1
        "#]],
    );
}

#[test]
fn a_prefix_of_deleted_keys_is_not_listed() {
    check(
        "create b
         versioning b enabled
         put b/gone/1 1
         put b/here/1 1
         delete b/gone/1
         list b delimiter=/
         versions b delimiter=/",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/gone/1 1
                v1 versioned etag=x 1 bytes
            put b/here/1 1
                v2 versioned etag=x 1 bytes
            delete b/gone/1
                v3 delete marker
            list b delimiter=/
                here/…
            versions b delimiter=/
                gone/…
                here/…
        "#]],
    );
}

#[test]
fn versions_are_paged_within_a_key() {
    check(
        "create b
         versioning b enabled
         put b/a 1 etag=a
         put b/a 1 etag=b
         delete b/a
         put b/b 1 etag=c
         put b/c/1 1 etag=d
         put b/c/1 1 etag=e
         versions b limit=1
         versions b limit=1 marker=a version=v3
         versions b limit=2 marker=a version=v2
         versions b marker=a
         versions b marker=b version=v4
         versions b delimiter=/ limit=1 marker=b
         versions b delimiter=/ marker=c/
         versions b prefix=c
         versions b marker=a version=v9",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            versioning b enabled
                Done
            put b/a 1 etag=a
                v1 versioned etag=a 1 bytes
            put b/a 1 etag=b
                v2 versioned etag=b 1 bytes
            delete b/a
                v3 delete marker
            put b/b 1 etag=c
                v4 versioned etag=c 1 bytes
            put b/c/1 1 etag=d
                v5 versioned etag=d 1 bytes
            put b/c/1 1 etag=e
                v6 versioned etag=e 1 bytes
            versions b limit=1
                a v3 delete marker latest
                next marker=a version=v3
            versions b limit=1 marker=a version=v3
                a v2 etag=b 1
                next marker=a version=v2
            versions b limit=2 marker=a version=v2
                a v1 etag=a 1
                b v4 etag=c 1 latest
                next marker=b version=v4
            versions b marker=a
                b v4 etag=c 1 latest
                c/1 v6 etag=e 1 latest
                c/1 v5 etag=d 1
            versions b marker=b version=v4
                c/1 v6 etag=e 1 latest
                c/1 v5 etag=d 1
            versions b delimiter=/ limit=1 marker=b
                c/…
            versions b delimiter=/ marker=c/
                nothing
            versions b prefix=c
                c/1 v6 etag=e 1 latest
                c/1 v5 etag=d 1
            versions b marker=a version=v9
                b v4 etag=c 1 latest
                c/1 v6 etag=e 1 latest
                c/1 v5 etag=d 1
        "#]],
    );
}

#[test]
fn uploads_are_paged_by_key_and_upload() {
    check(
        "create b
         upload b/k u2
         upload b/k u1
         upload b/a/1 u3
         upload b/a/2 u4
         upload b/k\u{e9} u5
         uploads b
         uploads b limit=1 delimiter=/
         uploads b limit=1 delimiter=/ marker=a/
         uploads b limit=1 delimiter=/ marker=k upload=u1
         uploads b marker=k
         uploads b prefix=a/
         uploads b prefix=k limit=2",
        expect![[r#"
            create b
                BucketCreated { bucket: BucketId(1) }
            upload b/k u2
                u2
            upload b/k u1
                u1
            upload b/a/1 u3
                u3
            upload b/a/2 u4
                u4
            upload b/ké u5
                u5
            uploads b
                a/1 u3
                a/2 u4
                k u1
                k u2
                ké u5
            uploads b limit=1 delimiter=/
                a/…
                next marker=a/
            uploads b limit=1 delimiter=/ marker=a/
                k u1
                next marker=k upload=u1
            uploads b limit=1 delimiter=/ marker=k upload=u1
                k u2
                next marker=k upload=u2
            uploads b marker=k
                ké u5
            uploads b prefix=a/
                a/1 u3
                a/2 u4
            uploads b prefix=k limit=2
                k u1
                k u2
                next marker=k upload=u2
        "#]],
    );
}
