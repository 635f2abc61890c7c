"""boto3: versions, delete markers, null versions and suspended buckets."""

import pytest
from botocore.exceptions import ClientError

from payload import payload


def version_rows(s3, bucket, **options):
    """(key, version, what it is, latest?) of every row, newest first within a key, as one listing after another gives them."""
    rows = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **options):
        rows += [(v["Key"], v["VersionId"], "version", v["IsLatest"], v["LastModified"]) for v in page.get("Versions", [])]
        rows += [(m["Key"], m["VersionId"], "marker", m["IsLatest"], m["LastModified"]) for m in page.get("DeleteMarkers", [])]
    return rows


def set_versioning(s3, bucket, status):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status


def test_never_configured(s3, bucket):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert [row[1] for row in version_rows(s3, bucket)] == ["null"]


def test_enabled(s3, bucket):
    set_versioning(s3, bucket, "Enabled")
    bodies = [payload(1000 + seed, seed) for seed in range(3)]
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in bodies]
    assert len(set(ids)) == 3
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == ids[-1]
    for version, body in zip(ids, bodies):
        assert s3.get_object(Bucket=bucket, Key="k", VersionId=version)["Body"].read() == body
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    with pytest.raises(ClientError) as gone:
        s3.get_object(Bucket=bucket, Key="k")
    assert gone.value.response["Error"]["Code"] == "NoSuchKey"
    assert gone.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with pytest.raises(ClientError) as not_allowed:
        s3.get_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert not_allowed.value.response["Error"]["Code"] == "MethodNotAllowed"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    rows = version_rows(s3, bucket)
    assert [(row[1], row[3]) for row in rows if row[2] == "version"] == [(version, False) for version in reversed(ids)]
    assert [(row[1], row[3]) for row in rows if row[2] == "marker"] == [(marker["VersionId"], True)]
    # Removing the marker brings the object back; removing versions uncovers the one before.
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == bodies[2]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=ids[2])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == bodies[1]


def test_suspended_writes_the_null_version(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    set_versioning(s3, bucket, "Enabled")
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"before"
    set_versioning(s3, bucket, "Suspended")
    s3.put_object(Bucket=bucket, Key="k", Body=b"after")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"after"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=kept)["Body"].read() == b"kept"
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert (marker["DeleteMarker"], marker["VersionId"]) == (True, "null")
    assert sorted((row[1], row[2]) for row in version_rows(s3, bucket)) == sorted([(kept, "version"), ("null", "marker")])


def test_listing_pages_through_versions(s3, bucket):
    set_versioning(s3, bucket, "Enabled")
    for key in ("a", "b/1", "b/2", "c"):
        for seed in range(3):
            s3.put_object(Bucket=bucket, Key=key, Body=payload(10, seed))
    s3.delete_object(Bucket=bucket, Key="b/1")
    whole = version_rows(s3, bucket)
    assert len(whole) == 13
    for page_size in (1, 2, 5):
        assert sorted(version_rows(s3, bucket, PaginationConfig={"PageSize": page_size})) == sorted(whole)
    assert {row[0] for row in version_rows(s3, bucket, Prefix="b/")} == {"b/1", "b/2"}
    folded = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in folded["CommonPrefixes"]] == ["b/"]


def test_unknown_versions(s3, bucket):
    set_versioning(s3, bucket, "Enabled")
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=first)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", VersionId=first)
    assert error.value.response["Error"]["Code"] == "NoSuchVersion"


def test_delete_objects_by_version_empties_the_bucket(s3, bucket):
    set_versioning(s3, bucket, "Enabled")
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k{number}"} for number in range(3)]})
    doomed = [{"Key": row[0], "VersionId": row[1]} for row in version_rows(s3, bucket)]
    assert len(doomed) == 8
    s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed})
    assert version_rows(s3, bucket) == []
    s3.delete_bucket(Bucket=bucket)
