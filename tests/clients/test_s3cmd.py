"""s3cmd: put, get, sync, multipart and signed URLs. It has no default endpoint, so a configuration file names it."""

import pytest

from payload import MIB, SIZES, describe_tree, payload


@pytest.fixture
def s3cmd(run, endpoint, tmp_path):
    config = tmp_path / "s3cfg"
    settings = {
        "access_key": endpoint.access_key,
        "secret_key": endpoint.secret_key,
        "host_base": endpoint.host,
        "host_bucket": endpoint.host,
        "use_https": endpoint.secure,
        "signurl_use_https": endpoint.secure,
    }
    if endpoint.ca_file:
        settings["ca_certs_file"] = endpoint.ca_file
    config.write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    return lambda *arguments, **options: run("s3cmd", "--config", config, "--no-progress", *arguments, **options)


@pytest.mark.parametrize("size", SIZES)
def test_put_and_get(s3cmd, bucket, tmp_path, size):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(payload(size))
    s3cmd("put", source, f"s3://{bucket}/folder/object")
    s3cmd("get", f"s3://{bucket}/folder/object", target)
    assert target.read_bytes() == source.read_bytes()
    assert str(size) in s3cmd("info", f"s3://{bucket}/folder/object")


def test_sync_of_a_tree(s3cmd, s3, bucket, tree, tmp_path):
    s3cmd("sync", f"{tree}/", f"s3://{bucket}/tree/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    stored = {entry["Key"].removeprefix("tree/") for page in pages for entry in page["Contents"]}
    assert stored == set(describe_tree(tree))
    assert "upload:" not in s3cmd("sync", f"{tree}/", f"s3://{bucket}/tree/")
    (tmp_path / "back").mkdir()
    s3cmd("sync", f"s3://{bucket}/tree/", f"{tmp_path / 'back'}/")
    assert describe_tree(tmp_path / "back") == describe_tree(tree)
    s3cmd("del", "--recursive", f"s3://{bucket}/tree/")
    assert s3cmd("ls", f"s3://{bucket}/tree/") == ""


def test_interrupted_multipart_is_continued(s3cmd, s3, bucket, tmp_path):
    """`--upload-id` asks ListParts what is there and sends the rest."""
    data = payload(33 * MIB)
    (tmp_path / "source").write_bytes(data)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="resumed")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="resumed", UploadId=upload, PartNumber=1, Body=data[: 15 * MIB])
    assert upload in s3cmd("multipart", f"s3://{bucket}")
    said = s3cmd("put", "--upload-id", upload, tmp_path / "source", f"s3://{bucket}/resumed")
    assert s3.get_object(Bucket=bucket, Key="resumed")["Body"].read() == data, said
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_copy_move_and_sign(s3cmd, fetch, s3, bucket, tmp_path):
    (tmp_path / "source").write_bytes(b"jar")
    s3cmd("put", tmp_path / "source", f"s3://{bucket}/first")
    s3cmd("cp", f"s3://{bucket}/first", f"s3://{bucket}/second")
    s3cmd("mv", f"s3://{bucket}/second", f"s3://{bucket}/third")
    s3cmd("modify", "--add-header=Content-Type:text/x-jar", f"s3://{bucket}/third")
    assert s3.head_object(Bucket=bucket, Key="third")["ContentType"] == "text/x-jar"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["first", "third"]
    url = s3cmd("signurl", f"s3://{bucket}/third", "+600").strip()
    assert fetch(url)[:2] == (200, b"jar")


def test_bucket_life(s3cmd, bucket):
    name = bucket + "-made"
    s3cmd("mb", f"s3://{name}")
    assert f"s3://{name}" in s3cmd("ls")
    s3cmd("rb", f"s3://{name}")
