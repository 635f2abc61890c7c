"""boto3: presigned URLs and POST forms, used by a plain HTTP client that knows nothing of S3.

boto3 signs URLs with SigV2 by default and with SigV4 when asked; both are in use.
"""

import time
import uuid

import pytest

from payload import KIB, PART_BYTES_MIN, SIZES, payload

SIGNATURES = {"default": {}, "sigv4": {"signature_version": "s3v4"}}


@pytest.fixture(params=SIGNATURES)
def signer(request, endpoint):
    return endpoint.boto3(**SIGNATURES[request.param])


@pytest.mark.parametrize("size", SIZES)
def test_presigned_put_then_get(signer, fetch, bucket, size):
    data = payload(size)
    target = {"Bucket": bucket, "Key": "signed/with space+plus"}
    status, body, _ = fetch(signer.generate_presigned_url("put_object", Params=target), "PUT", data)
    assert status == 200, body
    status, body, _ = fetch(signer.generate_presigned_url("get_object", Params=target))
    assert (status, body) == (200, data)
    status, _, headers = fetch(signer.generate_presigned_url("head_object", Params=target), "HEAD")
    assert (status, int(headers["Content-Length"])) == (200, size)


def test_presigned_parts(s3, signer, fetch, bucket):
    """A client without credentials uploads the missing parts through re-signed URLs."""
    parts = [payload(PART_BYTES_MIN, 1), payload(PART_BYTES_MIN, 2), payload(11, 3)]
    upload = {"Bucket": bucket, "Key": "parts", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]}
    for number, data in enumerate(parts, 1):
        url = signer.generate_presigned_url("upload_part", Params=upload | {"PartNumber": number})
        status, body, headers = fetch(url, "PUT", data)
        assert status == 200, body
        assert headers["ETag"]
    status, body, _ = fetch(signer.generate_presigned_url("list_parts", Params=upload))
    assert status == 200 and body.count(b"<PartNumber>") == 3
    listed = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**upload)["Parts"]]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
    assert s3.get_object(Bucket=bucket, Key="parts")["Body"].read() == b"".join(parts)


def test_presigned_response_overrides(s3, signer, fetch, bucket):
    s3.put_object(Bucket=bucket, Key="named", Body=b"x")
    disposition = 'attachment; filename="jar & lid.txt"'
    params = {"Bucket": bucket, "Key": "named", "ResponseContentDisposition": disposition}
    status, _, headers = fetch(signer.generate_presigned_url("get_object", Params=params))
    assert (status, headers["Content-Disposition"]) == (200, disposition)


def test_presigned_urls_prove_nothing_else(signer, fetch, bucket):
    target = {"Bucket": bucket, "Key": "mine"}
    url = signer.generate_presigned_url("get_object", Params=target)
    expired = signer.generate_presigned_url("get_object", Params=target, ExpiresIn=1)
    time.sleep(3)
    refusals = {
        "another key": fetch(url.replace("mine", "yours")),
        "another method": fetch(url, "DELETE"),
        "expired": fetch(expired),
    }
    for why, (status, body, _) in refusals.items():
        assert status == 403, f"{why}: {status} {body}"
    assert b"<Code>SignatureDoesNotMatch</Code>" in refusals["another key"][1]


def form(fields: dict[str, str], data: bytes) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()
    )
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="jar.bin"\r\n\r\n'.encode()
    return body + data + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def test_post_form(s3, signer, fetch, bucket):
    data = payload(100 * KIB)
    conditions = [["starts-with", "$key", "forms/"], ["content-length-range", 1, 200 * KIB], {"success_action_status": "201"}]
    post = signer.generate_presigned_post(
        bucket, "forms/${filename}", Fields={"success_action_status": "201"}, Conditions=conditions
    )
    body, content_type = form(post["fields"], data)
    status, answer, _ = fetch(post["url"], "POST", body, {"Content-Type": content_type})
    assert status == 201, answer
    assert b"<Key>forms/jar.bin</Key>" in answer
    assert s3.get_object(Bucket=bucket, Key="forms/jar.bin")["Body"].read() == data

    too_long, content_type = form(post["fields"], payload(201 * KIB))
    status, answer, _ = fetch(post["url"], "POST", too_long, {"Content-Type": content_type})
    assert status == 400 and b"EntityTooLarge" in answer
    elsewhere, content_type = form(post["fields"] | {"key": "other/jar.bin"}, data)
    status, answer, _ = fetch(post["url"], "POST", elsewhere, {"Content-Type": content_type})
    assert status == 403 and b"AccessDenied" in answer
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["forms/jar.bin"]


def test_presigned_copy(s3, signer, fetch, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"copied")
    s3.put_object(Bucket=bucket, Key="target", Body=b"old")
    copy = {"Bucket": bucket, "Key": "target", "CopySource": {"Bucket": bucket, "Key": "source"}}
    url = signer.generate_presigned_url("copy_object", Params=copy)
    # SigV4 signs it as a header, which the client must then send; SigV2 moves it into the URL.
    headers = {} if "x-amz-copy-source=" in url else {"x-amz-copy-source": f"{bucket}/source"}
    status, body, _ = fetch(url, "PUT", headers=headers)
    assert status == 200 and b"<CopyObjectResult" in body, body
    assert s3.get_object(Bucket=bucket, Key="target")["Body"].read() == b"copied"


def test_presigned_put_with_a_content_type(s3, signer, fetch, bucket):
    target = {"Bucket": bucket, "Key": "typed", "ContentType": "text/plain"}
    url = signer.generate_presigned_url("put_object", Params=target)
    status, body, _ = fetch(url, "PUT", b"words", headers={"Content-Type": "text/plain"})
    assert status == 200, body
    assert s3.head_object(Bucket=bucket, Key="typed")["ContentType"] == "text/plain"


def test_presigned_listing(s3, signer, fetch, bucket):
    """Of a bucket without a key boto3's SigV2 signs the path with a slash behind it, and asks without one."""
    for name in ["a/1", "a/2", "b"]:
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    status, document, _ = fetch(signer.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket, "Prefix": "a/"}))
    assert status == 200 and document.count(b"<Key>") == 2, document
    status, _, _ = fetch(signer.generate_presigned_url("head_bucket", Params={"Bucket": bucket}), method="HEAD")
    assert status == 200
