"""rclone: sync and check of a real tree, and its multipart uploads. Provider "Minio" is what it calls a server without quirks."""

import json

import pytest

from payload import SIZES, describe_tree, payload


@pytest.fixture
def rclone(run, endpoint):
    settings = {
        "TYPE": "s3",
        "PROVIDER": "Minio",
        "ACCESS_KEY_ID": endpoint.access_key,
        "SECRET_ACCESS_KEY": endpoint.secret_key,
        "ENDPOINT": endpoint.url,
        "REGION": endpoint.region,
    }
    environment = {f"RCLONE_CONFIG_ONGGI_{name}": value for name, value in settings.items()}
    trust = ["--ca-cert", endpoint.ca_file] if endpoint.secure else []
    # An error shows at once instead of after rclone's three tries of everything.
    return lambda *arguments: run("rclone", *trust, "--retries", "1", *arguments, **environment)


@pytest.mark.parametrize("size", SIZES)
def test_copyto_round_trip(rclone, bucket, tmp_path, size):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(payload(size))
    # The default cutoff for multipart is 200 MiB; 6 MiB makes the large size take it.
    rclone("copyto", "--s3-upload-cutoff", "6M", source, f"onggi:{bucket}/object")
    rclone("copyto", f"onggi:{bucket}/object", target)
    assert target.read_bytes() == source.read_bytes()


def test_sync_and_check_of_a_tree(rclone, s3, bucket, tree, tmp_path):
    remote = f"onggi:{bucket}/tree"
    rclone("sync", "--s3-upload-cutoff", "16M", tree, remote)
    rclone("check", tree, remote)
    rclone("check", "--download", tree, remote)
    listed = json.loads(rclone("lsjson", "--recursive", "--files-only", remote))
    assert {entry["Path"] for entry in listed} == set(describe_tree(tree))
    rclone("sync", remote, tmp_path / "back")
    assert describe_tree(tmp_path / "back") == describe_tree(tree)
    # Server-side copy of a folder, then a sync that removes everything.
    rclone("copy", f"{remote}/json", f"onggi:{bucket}/copy")
    rclone("check", f"{remote}/json", f"onggi:{bucket}/copy")
    (tmp_path / "nothing").mkdir()
    rclone("sync", tmp_path / "nothing", f"onggi:{bucket}")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_moves_and_links(rclone, fetch, bucket, tmp_path):
    (tmp_path / "source").write_bytes(payload(1000))
    rclone("copyto", tmp_path / "source", f"onggi:{bucket}/first")
    rclone("moveto", f"onggi:{bucket}/first", f"onggi:{bucket}/second")
    assert rclone("lsf", f"onggi:{bucket}").split() == ["second"]
    assert rclone("size", "--json", f"onggi:{bucket}").strip() == '{"count":1,"bytes":1000,"sizeless":0}'
    url = rclone("link", f"onggi:{bucket}/second").strip()
    assert fetch(url)[:2] == (200, payload(1000))


def test_bucket_life(rclone, bucket):
    rclone("mkdir", f"onggi:{bucket}-made")
    assert f"{bucket}-made" in rclone("lsd", "onggi:")
    rclone("rmdir", f"onggi:{bucket}-made")
    assert f"{bucket}-made" not in rclone("lsd", "onggi:")
