"""restic: a repository is made, filled, checked byte for byte, restored and compared."""

import json
import shutil

import pytest

from payload import describe_tree


@pytest.fixture
def restic(run, endpoint, bucket):
    trust = ["--cacert", endpoint.ca_file] if endpoint.secure else []
    environment = {"RESTIC_REPOSITORY": f"s3:{endpoint.url}/{bucket}/repository", "RESTIC_PASSWORD": "a jar of kimchi"}
    return lambda *arguments: run("restic", *trust, *arguments, **environment)


def test_backup_check_restore(restic, tree, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(tree, source)
    restic("init")
    restic("backup", source)
    restic("check", "--read-data")
    before = describe_tree(source)

    # A second snapshot with changes, and both come back as they were.
    (source / "new file").write_bytes(b"new")
    (source / "large.bin").unlink()
    restic("backup", source)
    snapshots = json.loads(restic("snapshots", "--json"))
    assert len(snapshots) == 2
    for snapshot, expected in zip(snapshots, (before, describe_tree(source))):
        target = tmp_path / f"restored-{snapshot['short_id']}"
        restic("restore", snapshot["id"], "--target", target)
        assert describe_tree(target / source.relative_to("/")) == expected

    restic("forget", "--keep-last", "1", "--prune")
    restic("check", "--read-data")
    assert len(json.loads(restic("snapshots", "--json"))) == 1
