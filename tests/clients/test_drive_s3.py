"""A drive through S3: its bucket, with aws-cli and boto3, beside the same files through the drive's own command line."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from drive_pair import Drive
from drive_user import PASSWORD, s3_of, sign_up
from payload import MIB, describe_tree, payload

BUCKET = "ana--drive"


@pytest.fixture(scope="module")
def drive(drive_user, tmp_path_factory):
    """`onggi drive …`, signed in."""
    home = tmp_path_factory.mktemp("drive-home")

    def run_drive(*arguments, input=None):
        command = [os.environ["ONGGI_BIN"], "drive", "--home", str(home), *(str(word) for word in arguments)]
        done = subprocess.run(command, input=input, text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    run_drive("login", drive_user.url, "--user", "ana", "--ca", drive_user.ca_file, "--password-stdin", input=PASSWORD)
    return run_drive


@pytest.fixture(scope="module")
def s3_of_ana(drive_server, drive_user):
    """With an access key of the drive's owner."""
    return s3_of(Path(os.environ["ONGGI_BIN"]), drive_server, "ana")


def keys(s3, prefix):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def test_what_s3_deleted_comes_back_from_a_terminal(drive, s3_of_ana):
    drive("ls")
    for name in ["kept", "gone"]:
        s3_of_ana.put_object(Bucket=BUCKET, Key=f"rewound/{name}", Body=b"then")
    time.sleep(0.1)
    then = str(int(time.time() * 1000))
    time.sleep(0.1)
    s3_of_ana.delete_object(Bucket=BUCKET, Key="rewound/gone")
    s3_of_ana.put_object(Bucket=BUCKET, Key="rewound/kept", Body=b"now")
    s3_of_ana.put_object(Bucket=BUCKET, Key="rewound/new/file", Body=b"now")
    expected = {"restored": 1, "moved": 0, "removed": 2, "reset": 1, "lost": 0}
    assert json.loads(drive("--json", "rewind", "/rewound", "--to", then, "--preview")) == expected
    assert "rewound/new/file" in keys(s3_of_ana, "rewound/")
    assert json.loads(drive("--json", "rewind", "/rewound", "--to", then)) == expected
    assert keys(s3_of_ana, "rewound/") == ["rewound/gone", "rewound/kept"]
    assert s3_of_ana.get_object(Bucket=BUCKET, Key="rewound/kept")["Body"].read() == b"then"


def test_what_one_writes_the_other_reads(drive, s3_of_ana, tmp_path):
    tree = tmp_path / "tree"
    for name, size in [("a.txt", 5), ("sub/B.bin", 70_000), ("sub/deep/ü.dat", 20 * MIB)]:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(payload(size))
    drive("put", tree, "--to", "/both")
    assert keys(s3_of_ana, "both/") == ["both/tree/a.txt", "both/tree/sub/B.bin", "both/tree/sub/deep/ü.dat"]
    for name in ["a.txt", "sub/B.bin", "sub/deep/ü.dat"]:
        got = s3_of_ana.get_object(Bucket=BUCKET, Key=f"both/tree/{name}")["Body"].read()
        assert got == (tree / name).read_bytes()

    large = tmp_path / "large"
    large.write_bytes(payload(20 * MIB, seed=1))
    s3_of_ana.upload_file(str(large), BUCKET, "both/tree/sub/large")
    drive("get", "/both/tree", "--to", tmp_path / "back")
    (tree / "sub/large").write_bytes(large.read_bytes())
    assert describe_tree(tmp_path / "back/tree") == describe_tree(tree)


def test_versions_are_revisions(drive, s3_of_ana):
    for text in [b"one", b"two"]:
        s3_of_ana.put_object(Bucket=BUCKET, Key="versions/f.txt", Body=text)
    listed = s3_of_ana.list_object_versions(Bucket=BUCKET, Prefix="versions/")["Versions"]
    revisions = json.loads(drive("--json", "versions", "/versions/f.txt"))["entries"]
    assert [version["VersionId"][1:16] for version in listed] == [revision["rev"] for revision in revisions]
    drive("restore", "/versions/f.txt", revisions[1]["rev"])
    assert s3_of_ana.get_object(Bucket=BUCKET, Key="versions/f.txt")["Body"].read() == b"one"
    oldest = s3_of_ana.get_object(Bucket=BUCKET, Key="versions/f.txt", VersionId=listed[1]["VersionId"])
    assert oldest["Body"].read() == b"one"


def test_a_rename_shows_in_s3(drive, s3_of_ana):
    s3_of_ana.put_object(Bucket=BUCKET, Key="before/x", Body=b"x")
    drive("mv", "/before", "/after")
    assert keys(s3_of_ana, "before/") == [] and keys(s3_of_ana, "after/") == ["after/x"]
    folders = s3_of_ana.list_objects_v2(Bucket=BUCKET, Delimiter="/")["CommonPrefixes"]
    assert {"Prefix": "after/"} in folders and {"Prefix": "before/"} not in folders


def test_delete_goes_to_the_trash_and_its_marker_brings_it_back(drive, s3_of_ana):
    s3_of_ana.put_object(Bucket=BUCKET, Key="trash/x", Body=b"x")
    marker = s3_of_ana.delete_object(Bucket=BUCKET, Key="trash/x")
    assert marker["DeleteMarker"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3_of_ana.get_object(Bucket=BUCKET, Key="trash/x")
    assert "/trash/x" in drive("trash")
    s3_of_ana.delete_object(Bucket=BUCKET, Key="trash/x", VersionId=marker["VersionId"])
    assert s3_of_ana.get_object(Bucket=BUCKET, Key="trash/x")["Body"].read() == b"x"


def test_conditions_and_names_hold_as_in_the_drive(s3_of_ana):
    first = s3_of_ana.put_object(Bucket=BUCKET, Key="locks/one", Body=b"1", IfNoneMatch="*")
    for condition in [{"IfNoneMatch": "*"}, {"IfMatch": '"0123456789abcdef0123456789abcdef"'}]:
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3_of_ana.put_object(Bucket=BUCKET, Key="locks/ONE", Body=b"2", **condition)
    s3_of_ana.put_object(Bucket=BUCKET, Key="locks/one", Body=b"2", IfMatch=first["ETag"])
    with pytest.raises(ClientError, match="InvalidArgument"):
        s3_of_ana.put_object(Bucket=BUCKET, Key="names/con.txt", Body=b"")
    with pytest.raises(ClientError, match="InvalidRequest"):
        s3_of_ana.put_object(Bucket=BUCKET, Key="locks/one/below", Body=b"")


def test_what_deletes_most_of_a_drive_is_held(drive_server):
    """The brake: a thousand and more than half is too much for access keys, too (docs/mass-delete.md)."""
    binary = Path(os.environ["ONGGI_BIN"])
    user = sign_up(binary, drive_server, "sweeper")
    owner, s3, bucket = Drive(user), s3_of(binary, drive_server, "sweeper"), "sweeper--drive"
    for number in range(60):
        owner.put(f"/0/{number}", b"x")
    for number in range(1, 20):
        owner.copy("/0", f"/{number}")
    names = [f"{folder}/{number}" for folder in range(20) for number in range(60)]
    delete = lambda some: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name} for name in some]})
    assert "Errors" not in delete(names[:1000])
    later = delete(names[1000:])
    # A thousand besides the largest, which is one.
    assert len(later["Deleted"]) == 1
    assert {error["Code"] for error in later["Errors"]} == {"AccessDenied"} and len(later["Errors"]) == 199
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=names[-1])
    assert len(s3.list_objects_v2(Bucket=bucket, Prefix="19/")["Contents"]) == 60
    s3.put_object(Bucket=bucket, Key="goes on", Body=b"x")
    assert owner.call("mass_delete/undo", device="S3") == {"entries": 1001, "has_more": False}
    assert sum(kind != "folder" for kind in owner.tree().values()) == 1201
    s3.delete_object(Bucket=bucket, Key=names[-1])


def test_what_a_drive_has_not_is_said(s3_of_ana):
    with pytest.raises(ClientError, match="NotImplemented"):
        s3_of_ana.delete_bucket(Bucket=BUCKET)
    with pytest.raises(ClientError, match="InvalidBucketName"):
        s3_of_ana.create_bucket(Bucket="somebody--drive")
