"""boto3: objects go in and come out byte for byte, with the headers that belong to them."""

import base64
import dataclasses
import hashlib
import io
import socket

import pytest
from botocore.exceptions import ClientError

from payload import AWKWARD_KEYS, KIB, MIB, SIZES, md5, payload
from server import VIRTUAL_HOST_DOMAIN


def code(error) -> str:
    return error.value.response["Error"]["Code"]


@pytest.mark.parametrize("size", SIZES)
def test_put_get_head_list_delete(s3, bucket, size):
    data = payload(size)
    put = s3.put_object(Bucket=bucket, Key="object", Body=data)
    assert put["ETag"] == f'"{md5(data)}"'
    got = s3.get_object(Bucket=bucket, Key="object")
    assert got["Body"].read() == data
    head = s3.head_object(Bucket=bucket, Key="object")
    assert (head["ContentLength"], head["ETag"]) == (size, put["ETag"])
    assert head["LastModified"] == got["LastModified"]
    (listed,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (listed["Key"], listed["Size"], listed["ETag"]) == ("object", size, put["ETag"])
    s3.delete_object(Bucket=bucket, Key="object")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    with pytest.raises(ClientError) as missing:
        s3.get_object(Bucket=bucket, Key="object")
    assert code(missing) == "NoSuchKey"


@pytest.mark.parametrize("size", SIZES)
def test_transfer_manager(s3, bucket, size):
    """upload_fileobj cuts large objects into parts by itself, and sends a stream of unknown length."""
    data = payload(size)
    s3.upload_fileobj(io.BytesIO(data), bucket, "transfer")
    received = io.BytesIO()
    s3.download_fileobj(bucket, "transfer", received)
    assert received.getvalue() == data


def test_overwrite_is_seen_at_once(s3, bucket):
    for seed in range(20):
        data = payload(1000 + seed, seed)
        s3.put_object(Bucket=bucket, Key="same", Body=data)
        assert s3.get_object(Bucket=bucket, Key="same")["Body"].read() == data


@pytest.mark.parametrize("size", [100, 5 * MIB + 1])
def test_ranges(s3, bucket, size):
    data = payload(size)
    s3.put_object(Bucket=bucket, Key="range", Body=data)
    cases = {
        "bytes=0-0": data[:1],
        "bytes=10-19": data[10:20],
        f"bytes={size - 7}-": data[-7:],
        "bytes=-5": data[-5:],
        f"bytes=-{size * 2}": data,
        f"bytes=50-{size * 2}": data[50:],
    }
    for header, expected in cases.items():
        got = s3.get_object(Bucket=bucket, Key="range", Range=header)
        assert got["Body"].read() == expected, header
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206, header
        assert got["ContentRange"].endswith(f"/{size}"), header
    with pytest.raises(ClientError) as outside:
        s3.get_object(Bucket=bucket, Key="range", Range=f"bytes={size}-")
    assert code(outside) == "InvalidRange"


def test_headers_round_trip(s3, bucket):
    headers = {
        "CacheControl": "max-age=60, private",
        "ContentDisposition": 'attachment; filename="onggi.txt"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "ko-KR",
        "ContentType": "text/plain; charset=utf-8",
        "Metadata": {"owner": "jar", "mixed-case": "Value With Spaces"},
    }
    s3.put_object(Bucket=bucket, Key="headers", Body=b"x", Expires="Thu, 01 Dec 2033 16:00:00 GMT", **headers)
    for answer in (s3.head_object(Bucket=bucket, Key="headers"), s3.get_object(Bucket=bucket, Key="headers")):
        # A ContentEncoding of "gzip" only: the aws-chunked that SDKs add over TLS is framing, not content.
        assert {name: answer[name] for name in headers} == headers
        assert answer["ExpiresString"] == "Thu, 01 Dec 2033 16:00:00 GMT"


def test_no_content_encoding_is_left_behind(s3, bucket):
    s3.put_object(Bucket=bucket, Key="plain", Body=b"plain")
    head = s3.head_object(Bucket=bucket, Key="plain")
    assert "ContentEncoding" not in head
    assert head["ContentType"] == "binary/octet-stream"


def test_response_overrides(s3, bucket):
    s3.put_object(Bucket=bucket, Key="override", Body=b"x", ContentType="text/plain")
    got = s3.get_object(
        Bucket=bucket,
        Key="override",
        ResponseContentType="application/json",
        ResponseContentDisposition="inline",
        ResponseCacheControl="no-store",
    )
    assert got["ContentType"] == "application/json"
    assert (got["ContentDisposition"], got["CacheControl"]) == ("inline", "no-store")


CHECKSUMS = {
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "CRC32": None,
    "CRC32C": None,
    "CRC64NVME": None,
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    # Computed by AWS's runtime, which boto3 brings along.
    "XXHASH64": None,
    "XXHASH3": None,
    "XXHASH128": None,
}


@pytest.mark.parametrize("algorithm", CHECKSUMS)
@pytest.mark.parametrize("size", [0, 8 * KIB + 1, 5 * MIB + 1])
def test_checksums(s3, bucket, algorithm, size):
    data = payload(size)
    field = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="checksum", Body=data, ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="checksum", ChecksumMode="ENABLED")
    # Reading the body verifies the checksum inside boto3.
    assert got["Body"].read() == data
    attributes = s3.get_object_attributes(Bucket=bucket, Key="checksum", ObjectAttributes=["Checksum", "ObjectSize", "ETag"])
    assert put[field] == got[field] == attributes["Checksum"][field]
    assert attributes["ObjectSize"] == size
    assert attributes["ETag"] == md5(data)
    if digest := CHECKSUMS[algorithm]:
        assert put[field] == base64.b64encode(digest(data)).decode()
    (listed,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert listed["ChecksumAlgorithm"] == [algorithm]


def test_md5_as_a_checksum_is_one_that_the_caller_computes(s3, bucket):
    data = payload(8 * KIB + 1)
    digest = base64.b64encode(hashlib.md5(data).digest()).decode()
    put = s3.put_object(Bucket=bucket, Key="checksum", Body=data, ChecksumMD5=digest)
    got = s3.get_object(Bucket=bucket, Key="checksum", ChecksumMode="ENABLED")
    assert got["Body"].read() == data
    assert put["ChecksumMD5"] == got["ChecksumMD5"] == digest
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="checksum", Body=b"other", ChecksumMD5=digest)
    assert code(refused) == "BadDigest"


def test_wrong_digests_are_refused(s3, bucket):
    wrong_md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="wrong", Body=b"data", ContentMD5=wrong_md5)
    assert code(refused) == "BadDigest"
    wrong_sha256 = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="wrong", Body=b"data", ChecksumSHA256=wrong_sha256)
    assert code(refused) == "BadDigest"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_awkward_keys(s3, bucket, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    s3.copy_object(Bucket=bucket, Key=key + ".copy", CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key=key + ".copy")["Body"].read() == key.encode()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == sorted([key, key + ".copy"])
    s3.delete_object(Bucket=bucket, Key=key)
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key + ".copy"]


def test_delete_objects(s3, bucket):
    keys = [f"many/{number:04}" for number in range(50)] + AWKWARD_KEYS
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in [*keys, "never-existed"]]})
    assert sorted(entry["Key"] for entry in deleted["Deleted"]) == sorted([*keys, "never-existed"])
    assert "Errors" not in deleted
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    s3.put_object(Bucket=bucket, Key="quiet", Body=b"x")
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "quiet"}], "Quiet": True})
    assert "Deleted" not in quiet


def test_error_codes(s3, bucket):
    expected = {
        "NoSuchKey": lambda: s3.get_object(Bucket=bucket, Key="missing"),
        "404": lambda: s3.head_object(Bucket=bucket, Key="missing"),
        "NoSuchBucket": lambda: s3.list_objects_v2(Bucket="no-such-bucket-here"),
        "BucketAlreadyOwnedByYou": lambda: s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}),
        "NoSuchUpload": lambda: s3.list_parts(Bucket=bucket, Key="k", UploadId="missing"),
        "NoSuchTagSet": lambda: s3.get_bucket_tagging(Bucket=bucket),
        "NoSuchCORSConfiguration": lambda: s3.get_bucket_cors(Bucket=bucket),
    }
    for wanted, call in expected.items():
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == wanted
        assert error.value.response["ResponseMetadata"]["RequestId"]
    s3.put_object(Bucket=bucket, Key="held", Body=b"x")
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket=bucket)
    assert code(error) == "BucketNotEmpty"


def test_bad_credentials(endpoint, bucket):
    stranger = dataclasses.replace(endpoint, access_key="nobody").boto3()
    with pytest.raises(ClientError) as error:
        stranger.list_objects_v2(Bucket=bucket)
    assert code(error) == "InvalidAccessKeyId"
    forger = dataclasses.replace(endpoint, secret_key="guess").boto3()
    with pytest.raises(ClientError) as error:
        forger.list_objects_v2(Bucket=bucket)
    assert code(error) == "SignatureDoesNotMatch"


def test_buckets(s3, bucket):
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "LocationConstraint" in s3.get_bucket_location(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "kiln"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "kiln"}]
    s3.delete_bucket_tagging(Bucket=bucket)
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"], "ExposeHeaders": ["ETag"]}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
    s3.delete_bucket_cors(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]


def test_virtual_host_style(endpoint, s3, bucket, monkeypatch):
    """Bucket in the host name, which SDKs use whenever the endpoint is a name. No resolver here knows such names."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **options: resolve("127.0.0.1", *rest, **options))
    client = dataclasses.replace(endpoint, url=endpoint.url.replace("127.0.0.1", VIRTUAL_HOST_DOMAIN)).boto3()
    client.put_object(Bucket=bucket, Key="folder/virtual", Body=b"hosted")
    assert s3.get_object(Bucket=bucket, Key="folder/virtual")["Body"].read() == b"hosted"
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
