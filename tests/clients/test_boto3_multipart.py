"""boto3: multipart uploads, interrupted and resumed, copied, completed twice."""

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from payload import MIB, PART_BYTES_MIN, md5, multipart_etag, payload


def cut(data: bytes, part_bytes: int) -> list[bytes]:
    return [data[start : start + part_bytes] for start in range(0, len(data), part_bytes)]


def test_interrupted_upload_resumes_by_list_parts(endpoint, s3, bucket):
    parts = cut(payload(6 * PART_BYTES_MIN + 123), PART_BYTES_MIN)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="resumed", Metadata={"made": "here"})["UploadId"]
    # Out of order, with a gap, and one part sent twice: what an interrupted parallel upload leaves.
    for number in (5, 1, 2):
        s3.upload_part(Bucket=bucket, Key="resumed", UploadId=upload, PartNumber=number, Body=parts[number - 1])
    s3.upload_part(Bucket=bucket, Key="resumed", UploadId=upload, PartNumber=1, Body=parts[0])

    # A new process knows bucket and key alone.
    resumer = endpoint.boto3()
    (found,) = resumer.list_multipart_uploads(Bucket=bucket, Prefix="resumed")["Uploads"]
    pages = resumer.get_paginator("list_parts").paginate(
        Bucket=bucket, Key="resumed", UploadId=found["UploadId"], PaginationConfig={"PageSize": 2}
    )
    etags = {}
    for part in (part for page in pages for part in page.get("Parts", [])):
        assert part["Size"] == len(parts[part["PartNumber"] - 1])
        assert part["ETag"] == f'"{md5(parts[part["PartNumber"] - 1])}"'
        etags[part["PartNumber"]] = part["ETag"]
    assert sorted(etags) == [1, 2, 5]
    for number, data in enumerate(parts, 1):
        if number not in etags:
            part = resumer.upload_part(Bucket=bucket, Key="resumed", UploadId=found["UploadId"], PartNumber=number, Body=data)
            etags[number] = part["ETag"]
    listed = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
    done = resumer.complete_multipart_upload(
        Bucket=bucket, Key="resumed", UploadId=found["UploadId"], MultipartUpload={"Parts": listed}
    )
    assert done["ETag"] == f'"{multipart_etag(parts)}"'
    got = s3.get_object(Bucket=bucket, Key="resumed")
    assert got["Body"].read() == b"".join(parts)
    assert (got["ETag"], got["Metadata"]) == (done["ETag"], {"made": "here"})
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_part_numbers_with_gaps_and_reads_by_part(s3, bucket):
    data = {3: payload(PART_BYTES_MIN, 3), 7: payload(PART_BYTES_MIN + 1, 7), 10_000: payload(10, 10_000)}
    upload = s3.create_multipart_upload(Bucket=bucket, Key="gaps")["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(Bucket=bucket, Key="gaps", UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in data.items()
    ]
    s3.complete_multipart_upload(Bucket=bucket, Key="gaps", UploadId=upload, MultipartUpload={"Parts": parts})
    whole = b"".join(data.values())
    assert s3.get_object(Bucket=bucket, Key="gaps")["Body"].read() == whole
    boundary = PART_BYTES_MIN
    crossing = s3.get_object(Bucket=bucket, Key="gaps", Range=f"bytes={boundary - 5}-{boundary + 4}")["Body"].read()
    assert crossing == whole[boundary - 5 : boundary + 5]
    first = s3.get_object(Bucket=bucket, Key="gaps", PartNumber=1)
    assert first["PartsCount"] == 3
    assert first["Body"].read() == data[3]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "XXHASH64", "XXHASH3", "XXHASH128"])
def test_multipart_checksums(s3, bucket, algorithm):
    parts = cut(payload(2 * PART_BYTES_MIN + 9), PART_BYTES_MIN)
    field = f"Checksum{algorithm}"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="sum", ChecksumAlgorithm=algorithm)["UploadId"]
    done = []
    for number, data in enumerate(parts, 1):
        part = s3.upload_part(Bucket=bucket, Key="sum", UploadId=upload, PartNumber=number, Body=data, ChecksumAlgorithm=algorithm)
        done.append({"PartNumber": number, "ETag": part["ETag"], field: part[field]})
    completed = s3.complete_multipart_upload(Bucket=bucket, Key="sum", UploadId=upload, MultipartUpload={"Parts": done})
    kind = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    assert completed["ChecksumType"] == kind
    assert completed[field].endswith("-3") == (kind == "COMPOSITE")
    got = s3.get_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(parts)
    assert got[field] == completed[field]
    attributes = s3.get_object_attributes(Bucket=bucket, Key="sum", ObjectAttributes=["ObjectParts", "Checksum"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 3


def test_transfer_manager_parts_without_threads_and_with_many(s3, bucket, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(payload(33 * MIB + 1))
    for name, threads in (("alone", 1), ("crowd", 10)):
        config = TransferConfig(multipart_chunksize=PART_BYTES_MIN, max_concurrency=threads, use_threads=threads > 1)
        s3.upload_file(str(source), bucket, name, Config=config)
        s3.download_file(bucket, name, str(tmp_path / name), Config=config)
        assert (tmp_path / name).read_bytes() == source.read_bytes()


def test_upload_part_copy(s3, bucket):
    data = payload(2 * PART_BYTES_MIN + 77)
    s3.put_object(Bucket=bucket, Key="source", Body=data)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copied")["UploadId"]
    parts = []
    for number, (first, last) in enumerate([(0, PART_BYTES_MIN - 1), (PART_BYTES_MIN, len(data) - 1)], 1):
        copied = s3.upload_part_copy(
            Bucket=bucket, Key="copied", UploadId=upload, PartNumber=number,
            CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange=f"bytes={first}-{last}",
        )  # fmt: skip
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(Bucket=bucket, Key="copied", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.delete_object(Bucket=bucket, Key="source")
    assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == data


def test_complete_is_idempotent_and_failures_leave_the_upload_alive(s3, bucket):
    parts = cut(payload(PART_BYTES_MIN + 5), PART_BYTES_MIN)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="retry")["UploadId"]
    etags = [
        s3.upload_part(Bucket=bucket, Key="retry", UploadId=upload, PartNumber=number, Body=data)["ETag"]
        for number, data in enumerate(parts, 1)
    ]
    good = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]

    def complete(listed):
        return s3.complete_multipart_upload(Bucket=bucket, Key="retry", UploadId=upload, MultipartUpload={"Parts": listed})

    wrong = {
        "InvalidPart": [good[0], {"PartNumber": 2, "ETag": '"00000000000000000000000000000000"'}],
        "InvalidPartOrder": [good[1], good[0]],
        "MalformedXML": [],
    }
    for wanted, listed in wrong.items():
        with pytest.raises(ClientError) as error:
            complete(listed)
        assert error.value.response["Error"]["Code"] == wanted
    first = complete(good)
    # A client that lost the reply asks again, and must hear the same.
    assert complete(good)["ETag"] == first["ETag"]
    assert s3.get_object(Bucket=bucket, Key="retry")["Body"].read() == b"".join(parts)


def test_small_parts_are_refused(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="small")["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(Bucket=bucket, Key="small", UploadId=upload, PartNumber=number, Body=b"x")["ETag"]}
        for number in (1, 2)
    ]
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(Bucket=bucket, Key="small", UploadId=upload, MultipartUpload={"Parts": parts})
    assert error.value.response["Error"]["Code"] == "EntityTooSmall"


def test_abort(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="aborted")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="aborted", UploadId=upload, PartNumber=1, Body=payload(PART_BYTES_MIN))
    s3.abort_multipart_upload(Bucket=bucket, Key="aborted", UploadId=upload)
    with pytest.raises(ClientError) as error:
        s3.list_parts(Bucket=bucket, Key="aborted", UploadId=upload)
    assert error.value.response["Error"]["Code"] == "NoSuchUpload"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_list_multipart_uploads(s3, bucket):
    keys = ["a/1", "a/2", "b/1", "c", "c"]
    uploads = [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in keys]
    folded = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in folded["CommonPrefixes"]] == ["a/", "b/"]
    assert [entry["Key"] for entry in folded["Uploads"]] == ["c", "c"]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    seen = [(entry["Key"], entry["UploadId"]) for page in pages for entry in page.get("Uploads", [])]
    assert sorted(seen) == sorted(zip(keys, uploads))
    assert [key for key, _ in seen] == keys
