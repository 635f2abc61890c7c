"""Maestral 1.9.6 on the drive, unmodified, syncing both ways: what is done on one side is there on the other, and nothing is lost."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drive_pair import BLOCK, Drive, Pair, content_hash
from drive_user import s3_of, sign_up
from maestral_client import MaestralClient
from payload import MIB, payload
from server import Server

# Around a block of the content hash, which is also the longest piece that Maestral sends at once, and over several of them.
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 12_345]
BEGIN_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that may be restarted."""
    server = Server.start(Path(os.environ["ONGGI_BIN"]), tmp_path_factory.mktemp("onggi-maestral"), tls=True)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def pair(server, tmp_path_factory):
    user = sign_up(Path(os.environ["ONGGI_BIN"]), server, "ana")
    drive = Drive(user)
    for size in SIZES:
        drive.put(f"/There before/{size}.bin", payload(size, 1))
    drive.call("create_folder", path="/There before/Empty")
    client = MaestralClient(Path(os.environ["ONGGI_CLIENTS_MAESTRAL"]), tmp_path_factory.mktemp("maestral"), user)
    client.link()
    client.start()
    yield Pair(drive, client)
    client.kill()


def test_what_was_there_comes_down(pair):
    tree = pair.settle()
    assert tree["/There before/Empty"] == "folder"
    assert {path for path in tree if path.endswith(".bin")} == {f"/There before/{size}.bin" for size in SIZES}


def test_files_of_every_size_go_up(pair):
    for size in SIZES:
        pair.write(f"/Made here/{size}.bin", payload(size, 2))
    tree = pair.settle()
    for size in SIZES:
        assert tree[f"/Made here/{size}.bin"] == content_hash(payload(size, 2)), size


def test_edits_on_either_side(pair):
    pair.write("/edited.txt", b"here")
    pair.settle()
    pair.drive.put("/edited.txt", b"there")
    assert pair.settle()["/edited.txt"] == content_hash(b"there")
    pair.write("/edited.txt", b"here again")
    pair.settle()
    assert pair.drive.get("/edited.txt") == b"here again"
    revisions = pair.drive.call("list_revisions", path="/edited.txt")["entries"]
    assert [revision["size"] for revision in revisions] == [10, 5, 4]


def test_moves_on_either_side(pair):
    pair.write("/From/deep/er/file.bin", payload(BLOCK + 1, 3))
    pair.settle()
    before = pair.drive.call("metadata", path="/From/deep/er/file.bin")
    pair.local("/From").rename(pair.local("/To"))
    assert "/To/deep/er/file.bin" in pair.settle()
    pair.drive.move("/To/deep", "/Deep")
    assert "/Deep/er/file.bin" in pair.settle()
    pair.local("/Deep/er/file.bin").rename(pair.local("/renamed.bin"))
    assert "/renamed.bin" in pair.settle()
    after = pair.drive.call("metadata", path="/renamed.bin")
    assert (after["id"], after["rev"]) == (before["id"], before["rev"]), "moves, and not new files"


def test_names_that_differ_in_case_alone(pair):
    pair.write("/Case/Folder/Name.txt", b"x")
    pair.settle()
    pair.local("/Case/Folder/Name.txt").rename(pair.local("/Case/Folder/NAME.txt"))
    assert "/Case/Folder/NAME.txt" in pair.settle()
    pair.drive.move("/Case/Folder", "/Case/FOLDER")
    assert "/Case/FOLDER/NAME.txt" in pair.settle()
    pair.drive.move("/Case/FOLDER/NAME.txt", "/Case/FOLDER/name.txt")
    assert "/Case/FOLDER/name.txt" in pair.settle()
    pair.local("/Case/FOLDER").rename(pair.local("/Case/folder"))
    assert "/Case/folder/name.txt" in pair.settle()


def test_deletes_on_either_side(pair):
    for number in range(4):
        pair.write(f"/Deleted/{number}/file.txt", b"%d" % number)
    pair.settle()
    pair.local("/Deleted/0/file.txt").unlink()
    pair.drive.call("delete", path="/Deleted/1/file.txt")
    tree = pair.settle()
    assert ("/Deleted/0/file.txt" in tree, "/Deleted/1/file.txt" in tree) == (False, False)
    pair.drive.call("delete", path="/Deleted/2")
    shutil.rmtree(pair.local("/Deleted/3"))
    tree = pair.settle()
    assert ("/Deleted/2" in tree, "/Deleted/3" in tree) == (False, False)
    trash = str(pair.drive.call("list_trash")["items"])
    assert all(path in trash for path in ["/Deleted/0/file.txt", "/Deleted/1/file.txt", "/Deleted/2"]), trash


def test_a_folder_that_is_copied_there(pair):
    """All files of a copy have come with one change: they are told apart by more than its number."""
    for number in range(5):
        pair.write(f"/Original/{number}.txt", b"%d" % number)
    pair.settle()
    pair.drive.copy("/Original", "/Copy")
    tree = pair.settle()
    assert [tree[f"/Copy/{number}.txt"] for number in range(5)] == [content_hash(b"%d" % number) for number in range(5)]


def test_both_edit_at_once(pair):
    pair.write("/both.txt", b"before")
    pair.settle()
    pair.write("/both.txt", b"ours")
    pair.drive.put("/both.txt", b"theirs")
    check_both_are_kept(pair, pair.settle())


def test_both_edit_while_the_client_is_off(pair):
    pair.write("/off.txt", b"before")
    pair.settle()
    pair.client.stop()
    pair.write("/off.txt", b"ours")
    pair.drive.put("/off.txt", b"theirs")
    pair.client.start()
    check_both_are_kept(pair, pair.settle(), "/off")


def check_both_are_kept(pair, tree, stem="/both"):
    kept = {pair.drive.get(path) for path in tree if path.startswith(stem)}
    assert kept >= {b"ours", b"theirs"}, {path for path in tree if path.startswith(stem)}


def test_a_client_that_was_killed_finds_what_changed_since(pair):
    for name in ["edited", "deleted", "moved", "deleted there"]:
        pair.write(f"/Since/{name}.txt", name.encode())
    pair.settle()
    pair.client.kill()
    pair.write("/Since/edited.txt", b"edited since")
    pair.write("/Since/new/file.bin", payload(BLOCK + 1, 4))
    pair.local("/Since/deleted.txt").unlink()
    pair.local("/Since/moved.txt").rename(pair.local("/Since/moved away.txt"))
    pair.drive.put("/Since/there.txt", b"there")
    pair.drive.call("delete", path="/Since/deleted there.txt")
    pair.client.start()
    tree = pair.settle()
    since = {path.removeprefix("/Since/") for path in tree if path.startswith("/Since/")}
    assert since == {"edited.txt", "moved away.txt", "new", "new/file.bin", "there.txt"}
    assert pair.drive.get("/Since/edited.txt") == b"edited since"


def test_the_server_is_killed_in_the_middle(pair, server):
    data = payload(64 * MIB, 5)
    sent = pair.client.said("upload_session/append")
    pair.write("/large.bin", data)
    deadline = time.monotonic() + BEGIN_SECONDS_MAX
    while pair.client.said("upload_session/append") < sent + 3:
        assert time.monotonic() < deadline, pair.client.log_tail()
        time.sleep(0.02)
    assert "/large.bin" not in pair.drive.tree()
    server.restart()
    pair.drive.put("/since the restart.txt", b"x")
    tree = pair.settle()
    assert (tree["/large.bin"], "/since the restart.txt" in tree) == (content_hash(data), True)


def test_more_than_a_page_of_files(pair):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: pair.drive.put(f"/Many there/{number}.txt", b"%d" % number), range(520)))
    for number in range(30):
        pair.write(f"/Many here/{number}.txt", b"%d" % number)
    tree = pair.settle()
    assert sum(path.startswith("/Many there/") for path in tree) == 520
    pair.drive.call("delete", path="/Many there")
    assert not any(path.startswith("/Many there") for path in pair.settle())


def test_files_that_came_through_s3(pair, server):
    """Theirs is no content hash that was computed when they came, and a client that sees none takes them for deleted."""
    s3 = s3_of(Path(os.environ["ONGGI_BIN"]), server, "ana")
    data = payload(11 * MIB, 6)
    s3.put_object(Bucket="ana--drive", Key="S3/whole.bin", Body=data)
    begun = s3.create_multipart_upload(Bucket="ana--drive", Key="S3/parts.bin")
    upload = {"Bucket": "ana--drive", "Key": "S3/parts.bin", "UploadId": begun["UploadId"]}
    pieces = [data[: 5 * MIB], data[5 * MIB :]]
    parts = [{"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=piece)["ETag"]} for number, piece in enumerate(pieces, 1)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    tree = pair.settle()
    assert [tree.get(f"/S3/{name}.bin") for name in ["whole", "parts"]] == [content_hash(data)] * 2
    pair.client.stop()
    pair.client.start()
    assert pair.settle() == tree


def test_unlinked(pair):
    before = len(pair.drive.sign_ins())
    pair.client.stop()
    pair.client.unlink()
    assert len(pair.drive.sign_ins()) == before - 1, "its sign-in is over"
