"""aws-cli: the high-level s3 commands and s3api, with no configuration but keys and endpoint."""

import json

import pytest

from payload import MIB, PART_BYTES_MIN, SIZES, describe_tree, md5, payload


@pytest.fixture
def aws(run, endpoint):
    return lambda *arguments, **options: run("aws", *arguments, **endpoint.trust("AWS_CA_BUNDLE"), **options)


@pytest.mark.parametrize("size", SIZES)
def test_cp_round_trip(aws, s3, bucket, tmp_path, size):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(payload(size))
    aws("s3", "cp", source, f"s3://{bucket}/folder/object")
    assert s3.head_object(Bucket=bucket, Key="folder/object")["ContentLength"] == size
    aws("s3", "cp", f"s3://{bucket}/folder/object", target)
    assert target.read_bytes() == source.read_bytes()


def test_bucket_commands(aws, s3, bucket):
    name = bucket + "-made"
    aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    aws("s3", "rb", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_sync_of_a_tree(aws, bucket, tree, tmp_path):
    aws("s3", "sync", tree, f"s3://{bucket}/tree", "--no-progress")
    # Nothing changed, so nothing is sent.
    assert aws("s3", "sync", tree, f"s3://{bucket}/tree", "--no-progress") == ""
    aws("s3", "sync", f"s3://{bucket}/tree", tmp_path / "back", "--no-progress")
    assert describe_tree(tmp_path / "back") == describe_tree(tree)
    listed = aws("s3", "ls", f"s3://{bucket}/tree/", "--recursive").splitlines()
    assert len(listed) == len(describe_tree(tree))
    # Server-side copies, then a sync that removes.
    aws("s3", "sync", f"s3://{bucket}/tree/json", f"s3://{bucket}/copy", "--no-progress")
    (tmp_path / "nothing").mkdir()
    aws("s3", "sync", "--delete", tmp_path / "nothing", f"s3://{bucket}/copy", "--no-progress")
    aws("s3", "rm", f"s3://{bucket}/tree", "--recursive", "--only-show-errors")
    assert aws("s3", "ls", f"s3://{bucket}/", "--recursive") == ""


def test_streams_and_moves(aws, run, endpoint, s3, bucket, tmp_path):
    (tmp_path / "file").write_bytes(payload(9 * MIB))
    aws("s3", "mv", tmp_path / "file", f"s3://{bucket}/first")
    aws("s3", "mv", f"s3://{bucket}/first", f"s3://{bucket}/second")
    pipe = f"aws s3 cp s3://{bucket}/second - | aws s3 cp - s3://{bucket}/third"
    run("sh", "-c", pipe, **endpoint.trust("AWS_CA_BUNDLE"))
    assert s3.get_object(Bucket=bucket, Key="third")["Body"].read() == payload(9 * MIB)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2


def test_presign(aws, fetch, bucket, tmp_path):
    (tmp_path / "file").write_bytes(b"presigned")
    aws("s3", "cp", tmp_path / "file", f"s3://{bucket}/with space.txt")
    url = aws("s3", "presign", f"s3://{bucket}/with space.txt").strip()
    assert fetch(url)[:2] == (200, b"presigned")


def test_s3api_resumes_an_upload(aws, s3, bucket, tmp_path):
    parts = [payload(PART_BYTES_MIN, 1), payload(PART_BYTES_MIN, 2), payload(77, 3)]

    def api(operation, *arguments):
        output = aws("s3api", operation, "--bucket", bucket, "--key", "resumed", "--output", "json", *arguments)
        return json.loads(output) if output.strip() else {}

    def upload_part(number):
        (tmp_path / "part").write_bytes(parts[number - 1])
        return api("upload-part", "--upload-id", upload, "--part-number", str(number), "--body", tmp_path / "part")

    upload = api("create-multipart-upload")["UploadId"]
    upload_part(2)
    present = {part["PartNumber"] for part in api("list-parts", "--upload-id", upload)["Parts"]}
    for number in {1, 2, 3} - present:
        upload_part(number)
    listed = api("list-parts", "--upload-id", upload)["Parts"]
    document = {"Parts": [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]}
    api("complete-multipart-upload", "--upload-id", upload, "--multipart-upload", json.dumps(document))
    assert s3.get_object(Bucket=bucket, Key="resumed")["Body"].read() == b"".join(parts)


def test_s3api_put_and_conditions(aws, s3, bucket, tmp_path):
    (tmp_path / "body").write_bytes(b"once")
    put = ["s3api", "put-object", "--bucket", bucket, "--key", "once", "--body", tmp_path / "body", "--if-none-match", "*"]
    assert json.loads(aws(*put, "--output", "json"))["ETag"] == f'"{md5(b"once")}"'
    aws(*put, status=255)
    aws("s3api", "wait", "object-exists", "--bucket", bucket, "--key", "once")
