"""minio-py: its own signer, its own multipart, its own XML."""

import io
from datetime import timedelta

import certifi
import minio
import pytest
import urllib3
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject
from minio.versioningconfig import ENABLED, VersioningConfig

from payload import AWKWARD_KEYS, MIB, PART_BYTES_MIN, SIZES, payload


@pytest.fixture(scope="module")
def http(endpoint):
    return urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=str(endpoint.ca_file or certifi.where()))


@pytest.fixture(scope="module")
def client(endpoint, http):
    return minio.Minio(
        endpoint.host, access_key=endpoint.access_key, secret_key=endpoint.secret_key, secure=endpoint.secure, http_client=http
    )


def read(client, bucket, key, **options) -> bytes:
    answer = client.get_object(bucket, key, **options)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


@pytest.mark.parametrize("size", SIZES)
def test_round_trip(client, bucket, size):
    data = payload(size)
    client.put_object(bucket, "object", io.BytesIO(data), size)
    assert read(client, bucket, "object") == data
    assert client.stat_object(bucket, "object").size == size
    assert [entry.object_name for entry in client.list_objects(bucket)] == ["object"]


def test_stream_of_unknown_length(client, bucket):
    data = payload(12 * MIB)
    client.put_object(bucket, "stream", io.BytesIO(data), length=-1, part_size=PART_BYTES_MIN)
    assert read(client, bucket, "stream") == data
    assert read(client, bucket, "stream", offset=PART_BYTES_MIN - 3, length=6) == data[PART_BYTES_MIN - 3 : PART_BYTES_MIN + 3]


def test_files_metadata_and_tags(client, bucket, tmp_path):
    (tmp_path / "source").write_bytes(payload(7 * MIB))
    tags = Tags.new_object_tags()
    tags["team"] = "kiln"
    client.fput_object(bucket, "file", str(tmp_path / "source"), content_type="text/x-jar", metadata={"glaze": "ash"}, tags=tags)
    client.fget_object(bucket, "file", str(tmp_path / "target"))
    assert (tmp_path / "target").read_bytes() == (tmp_path / "source").read_bytes()
    stat = client.stat_object(bucket, "file")
    assert (stat.content_type, stat.metadata["x-amz-meta-glaze"]) == ("text/x-jar", "ash")
    assert client.get_object_tags(bucket, "file") == tags


def test_awkward_keys(client, bucket):
    for key in AWKWARD_KEYS:
        client.put_object(bucket, key, io.BytesIO(key.encode()), len(key.encode()))
        assert read(client, bucket, key) == key.encode()
    names = [entry.object_name for entry in client.list_objects(bucket, recursive=True)]
    assert names == sorted(AWKWARD_KEYS, key=str.encode)
    assert list(client.remove_objects(bucket, [DeleteObject(name) for name in names])) == []
    assert list(client.list_objects(bucket, recursive=True)) == []


def test_folders(client, bucket):
    for key in ("a/1", "a/b/2", "c"):
        client.put_object(bucket, key, io.BytesIO(b""), 0)
    top = [(entry.object_name, entry.is_dir) for entry in client.list_objects(bucket)]
    assert top == [("c", False), ("a/", True)] or top == [("a/", True), ("c", False)]
    assert [entry.object_name for entry in client.list_objects(bucket, prefix="a/")] in (["a/1", "a/b/"], ["a/b/", "a/1"])


def test_copy_and_compose(client, bucket):
    data = payload(PART_BYTES_MIN)
    client.put_object(bucket, "one", io.BytesIO(data), len(data))
    client.copy_object(bucket, "two", CopySource(bucket, "one"))
    client.compose_object(bucket, "both", [ComposeSource(bucket, "one"), ComposeSource(bucket, "two", offset=10, length=100)])
    assert read(client, bucket, "both") == data + data[10:110]


def test_versions(client, bucket):
    client.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    ids = [client.put_object(bucket, "k", io.BytesIO(body), len(body)).version_id for body in (b"old", b"new")]
    assert [read(client, bucket, "k", version_id=version) for version in ids] == [b"old", b"new"]
    client.remove_object(bucket, "k")
    rows = list(client.list_objects(bucket, include_version=True))
    assert sorted((row.version_id in ids, bool(row.is_delete_marker)) for row in rows) == [(False, True), (True, False), (True, False)]


def test_presigned(client, http, bucket):
    url = client.presigned_put_object(bucket, "signed/키 1", expires=timedelta(hours=1))
    assert http.request("PUT", url, body=b"signed").status == 200
    assert http.request("GET", client.presigned_get_object(bucket, "signed/키 1")).data == b"signed"


def test_bucket_life(client, bucket):
    name = bucket + "-made"
    assert not client.bucket_exists(name)
    client.make_bucket(name)
    assert client.bucket_exists(name)
    client.remove_bucket(name)
    with pytest.raises(minio.error.S3Error) as missing:
        client.stat_object(bucket, "missing")
    assert missing.value.code == "NoSuchKey"
