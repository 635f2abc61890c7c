"""boto3: listings in byte order, page by page, with prefixes, delimiters and keys that XML cannot hold."""

import pytest

from payload import AWKWARD_KEYS, CONTROL_KEYS


def put_all(s3, bucket, keys):
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")


def by_bytes(keys):
    return sorted(keys, key=lambda key: key.encode())


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page_size", [1, 7, 1000])
def test_awkward_keys_in_pages(s3, bucket, operation, page_size):
    keys = [*AWKWARD_KEYS, *CONTROL_KEYS]
    put_all(s3, bucket, keys)
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": page_size})
    assert [entry["Key"] for page in pages for entry in page.get("Contents", [])] == by_bytes(keys)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page_size", [1, 2, 3, 1000])
def test_prefix_and_delimiter(s3, bucket, operation, page_size):
    keys = ["a", "a/", "a/b", "a/b/c", "a/d", "ab", "b/1", "b/2", "b/3", "c c/x", "한글/1", "한글/2", "z"]
    put_all(s3, bucket, keys)

    def listed(**options):
        objects, prefixes = [], []
        for page in s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": page_size}, **options):
            objects += [entry["Key"] for entry in page.get("Contents", [])]
            prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        return objects, prefixes

    assert listed(Delimiter="/") == (["a", "ab", "z"], ["a/", "b/", "c c/", "한글/"])
    assert listed(Delimiter="/", Prefix="a/") == (["a/", "a/b", "a/d"], ["a/b/"])
    assert listed(Prefix="b/") == (["b/1", "b/2", "b/3"], [])
    assert listed(Prefix="none") == ([], [])
    assert listed(Delimiter="b") == (by_bytes(set(keys) - {"ab", "a/b", "a/b/c", "b/1", "b/2", "b/3"}), ["a/b", "ab", "b"])


def test_page_fields(s3, bucket):
    put_all(s3, bucket, [f"k{number}" for number in range(5)])
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=2, StartAfter="k0")
    assert [entry["Key"] for entry in page["Contents"]] == ["k1", "k2"]
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"], page["StartAfter"]) == (2, 2, True, "k0")
    page = s3.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"])
    assert [entry["Key"] for entry in page["Contents"]] == ["k3", "k4"]
    assert page["IsTruncated"] is False
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    old = s3.list_objects(Bucket=bucket, MaxKeys=2, Marker="k1", Delimiter="/")
    assert [entry["Key"] for entry in old["Contents"]] == ["k2", "k3"]
    assert (old["IsTruncated"], old["NextMarker"]) == (True, "k3")
    owned = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)
    assert all(entry["Owner"]["ID"] for entry in owned["Contents"])


def test_more_than_one_full_page(s3, bucket):
    keys = [f"{number:05}" for number in range(1100)]
    put_all(s3, bucket, keys)
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)
    assert (first["KeyCount"], first["MaxKeys"], first["IsTruncated"]) == (1000, 1000, True)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
