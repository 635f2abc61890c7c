"""boto3: conditional reads and writes, and a lock file that many writers race for."""

import concurrent.futures
import datetime
import threading

import pytest
from botocore.exceptions import ClientError

from payload import PART_BYTES_MIN, payload

WRITERS = 50


def status_and_code(call) -> tuple[int, str]:
    """What a conditional request came to: (200, '') or the error's status and code."""
    try:
        answer = call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return answer["ResponseMetadata"]["HTTPStatusCode"], ""


def test_writes(s3, bucket):
    def put(**condition):
        return status_and_code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", **condition))

    assert put(IfMatch='"d41d8cd98f00b204e9800998ecf8427e"') == (404, "NoSuchKey")
    assert put(IfNoneMatch="*") == (200, "")
    assert put(IfNoneMatch="*") == (412, "PreconditionFailed")
    etag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    assert put(IfMatch=etag) == (200, "")
    assert put(IfMatch='"d41d8cd98f00b204e9800998ecf8427e"') == (412, "PreconditionFailed")
    assert put(IfNoneMatch=etag) == (501, "NotImplemented")


def test_reads(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    head = s3.head_object(Bucket=bucket, Key="k")
    hour = datetime.timedelta(hours=1)

    def get(**condition):
        return status_and_code(lambda: s3.get_object(Bucket=bucket, Key="k", **condition))[0]

    assert get(IfMatch=head["ETag"]) == 200
    assert get(IfMatch='"other"') == 412
    assert get(IfNoneMatch=head["ETag"]) == 304
    assert get(IfNoneMatch='"other"') == 200
    assert get(IfModifiedSince=head["LastModified"]) == 304
    assert get(IfModifiedSince=head["LastModified"] - hour) == 200
    assert get(IfUnmodifiedSince=head["LastModified"]) == 200
    assert get(IfUnmodifiedSince=head["LastModified"] - hour) == 412
    # A true If-Match beats If-Unmodified-Since; a matching If-None-Match beats If-Modified-Since.
    assert get(IfMatch=head["ETag"], IfUnmodifiedSince=head["LastModified"] - hour) == 200
    assert get(IfNoneMatch=head["ETag"], IfModifiedSince=head["LastModified"] - hour) == 304


def test_deletes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    refused = status_and_code(lambda: s3.delete_object(Bucket=bucket, Key="k", IfMatch='"other"'))
    assert refused == (412, "PreconditionFailed")
    batch = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "ETag": '"other"'}]})
    assert [(error["Key"], error["Code"]) for error in batch["Errors"]] == [("k", "PreconditionFailed")]
    assert status_and_code(lambda: s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)) == (204, "")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_copy_destination(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"x")

    def copy(**condition):
        source = {"Bucket": bucket, "Key": "source"}
        return status_and_code(lambda: s3.copy_object(Bucket=bucket, Key="target", CopySource=source, **condition))

    assert copy(IfNoneMatch="*") == (200, "")
    assert copy(IfNoneMatch="*") == (412, "PreconditionFailed")
    assert copy(CopySourceIfMatch='"other"') == (412, "PreconditionFailed")


def test_complete(s3, bucket):
    """A refused complete leaves the upload as it was."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"first")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=payload(PART_BYTES_MIN))
    target = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    refused = status_and_code(lambda: s3.complete_multipart_upload(**target, MultipartUpload=parts, IfNoneMatch="*"))
    assert refused == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"
    s3.delete_object(Bucket=bucket, Key="k")
    assert status_and_code(lambda: s3.complete_multipart_upload(**target, MultipartUpload=parts, IfNoneMatch="*"))[0] == 200
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == PART_BYTES_MIN


def race(endpoint, attempt) -> list:
    """Runs `attempt(client, writer)` in every writer at the same moment."""
    barrier = threading.Barrier(WRITERS)
    # Standard retries: a writer that hears 409 asks again, as object_store and Terraform do.
    clients = [endpoint.boto3(retries={"mode": "standard"}) for _ in range(WRITERS)]

    def writer(number):
        barrier.wait(timeout=60)
        return attempt(clients[number], number)

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(writer, range(WRITERS)))


def test_lock_file_has_one_winner(endpoint, s3, bucket):
    """Terraform's and SlateDB's lock: PUT with If-None-Match: * by fifty writers; exactly one wins, round after round."""
    for turn in range(5):
        def take(client, number):
            body = f"holder {number}".encode()
            return status_and_code(
                lambda: client.put_object(Bucket=bucket, Key="state.tflock", Body=body, IfNoneMatch="*", ChecksumAlgorithm="SHA256")
            )

        outcomes = race(endpoint, take)
        winners = [number for number, (status, _) in enumerate(outcomes) if status == 200]
        assert len(winners) == 1, f"round {turn}: {outcomes}"
        assert {outcome for outcome in outcomes if outcome[0] != 200} <= {(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")}
        assert s3.get_object(Bucket=bucket, Key="state.tflock")["Body"].read() == f"holder {winners[0]}".encode()
        s3.delete_object(Bucket=bucket, Key="state.tflock")


def test_compare_and_swap_loses_no_update(endpoint, s3, bucket):
    """object_store's ETagMatch: read, add one, write back if nobody was faster."""
    s3.put_object(Bucket=bucket, Key="counter", Body=b"0")

    def add_one(client, _number):
        for tries in range(1, 1000):
            got = client.get_object(Bucket=bucket, Key="counter")
            value = int(got["Body"].read()) + 1
            status, _ = status_and_code(
                lambda: client.put_object(Bucket=bucket, Key="counter", Body=str(value).encode(), IfMatch=got["ETag"])
            )
            if status == 200:
                return tries
        raise AssertionError("a writer never got its turn")

    race(endpoint, add_one)
    assert int(s3.get_object(Bucket=bucket, Key="counter")["Body"].read()) == WRITERS
