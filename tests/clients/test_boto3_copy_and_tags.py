"""boto3: copies with every directive, and object tags."""

import pytest
from botocore.exceptions import ClientError

from payload import MIB, md5, payload

TAGS = [{"Key": "empty", "Value": ""}, {"Key": "한글 key", "Value": "a=b/c+d@e:f_g"}, {"Key": "team", "Value": "kiln"}]


def sorted_tags(answer):
    return sorted(answer["TagSet"], key=lambda tag: tag["Key"])


@pytest.mark.parametrize("size", [0, 1000, 9 * MIB])
def test_copy_keeps_bytes_headers_and_tags(s3, bucket, size):
    data = payload(size)
    s3.put_object(Bucket=bucket, Key="source", Body=data, ContentType="text/x-jar", Metadata={"k": "v"}, Tagging="team=kiln")
    copied = s3.copy_object(Bucket=bucket, Key="target", CopySource={"Bucket": bucket, "Key": "source"})
    assert copied["CopyObjectResult"]["ETag"] == f'"{md5(data)}"'
    s3.delete_object(Bucket=bucket, Key="source")
    got = s3.get_object(Bucket=bucket, Key="target")
    assert got["Body"].read() == data
    assert (got["ContentType"], got["Metadata"], got["TagCount"]) == ("text/x-jar", {"k": "v"}, 1)


def test_copy_directives(s3, bucket):
    source = {"Bucket": bucket, "Key": "source"}
    s3.put_object(**source, Body=b"x", ContentType="text/x-jar", Metadata={"old": "1"}, Tagging="old=1")
    s3.copy_object(
        Bucket=bucket, Key="target", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "2"},
        ContentType="text/plain", TaggingDirective="REPLACE", Tagging="new=2",
    )  # fmt: skip
    head = s3.head_object(Bucket=bucket, Key="target")
    assert (head["Metadata"], head["ContentType"]) == ({"new": "2"}, "text/plain")
    assert s3.get_object_tagging(Bucket=bucket, Key="target")["TagSet"] == [{"Key": "new", "Value": "2"}]


def test_copy_onto_itself(s3, bucket):
    source = {"Bucket": bucket, "Key": "self"}
    s3.put_object(**source, Body=b"x")
    with pytest.raises(ClientError) as illegal:
        s3.copy_object(**source, CopySource=source)
    assert illegal.value.response["Error"]["Code"] == "InvalidRequest"
    s3.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", Metadata={"touched": "yes"})
    got = s3.get_object(**source)
    assert (got["Body"].read(), got["Metadata"]) == (b"x", {"touched": "yes"})


def test_copy_of_a_version_between_buckets(s3, bucket):
    other = bucket + "-other"
    s3.create_bucket(Bucket=other)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="k", Body=b"old")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    copied = s3.copy_object(Bucket=other, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": old})
    assert copied["CopySourceVersionId"] == old
    assert s3.get_object(Bucket=other, Key="k")["Body"].read() == b"old"


def test_transfer_manager_copies_in_parts(s3, bucket):
    data = payload(20 * MIB)
    s3.put_object(Bucket=bucket, Key="source", Body=data)
    s3.copy({"Bucket": bucket, "Key": "source"}, bucket, "target")
    assert s3.get_object(Bucket=bucket, Key="target")["Body"].read() == data


def test_object_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": TAGS})
    assert sorted_tags(s3.get_object_tagging(Bucket=bucket, Key="k")) == sorted(TAGS, key=lambda tag: tag["Key"])
    assert s3.get_object(Bucket=bucket, Key="k")["TagCount"] == 3
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    eleven = [{"Key": f"k{number}", "Value": ""} for number in range(11)]
    with pytest.raises(ClientError) as refused:
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": eleven})
    # AWS answers BadRequest to too many tags and InvalidTag to a bad one.
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
