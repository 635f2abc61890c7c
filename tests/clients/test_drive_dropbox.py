"""The Dropbox SDK for Python on the drive, unmodified: it is told the host by its environment."""

import datetime
import hashlib
import os
import ssl
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drive_user import sign_up

BLOCK = 4 << 20


@pytest.fixture(scope="module")
def sdk(drive_user):
    """The SDK reads its hosts when it is imported."""
    for host in ["API_HOST", "API_CONTENT_HOST", "API_NOTIFY_HOST", "WEB_HOST"]:
        os.environ[f"DROPBOX_{host}"] = drive_user.host
    import dropbox

    return dropbox


@pytest.fixture
def client(sdk, drive_user, monkeypatch):
    # It wins over `ca_certs`, as requests has it.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(drive_user.ca_file))
    return sdk.Dropbox(oauth2_access_token=drive_user.token, ca_certs=str(drive_user.ca_file))


def content_hash(data: bytes) -> str:
    blocks = [hashlib.sha256(data[at : at + BLOCK]).digest() for at in range(0, len(data), BLOCK)]
    return hashlib.sha256(b"".join(blocks)).hexdigest()


def test_who_is_signed_in(sdk, client, drive_user):
    account = client.users_get_current_account()
    assert account.name.display_name == "ana"
    assert client.users_get_space_usage().used >= 0
    assert client.check_user("hello").result == "hello"
    assert client.users_get_account(account.account_id).name == account.name
    with pytest.raises(sdk.exceptions.ApiError) as unknown:
        client.users_get_account(account.account_id[:-1] + "x")
    assert unknown.value.error.is_no_account()
    stranger = sdk.Dropbox(oauth2_access_token="ona_nobody", ca_certs=str(drive_user.ca_file))
    with pytest.raises(sdk.exceptions.AuthError):
        stranger.users_get_current_account()


def test_conflicts_and_revisions(sdk, client):
    first = client.files_upload(b"one", "/dropbox/Ä.txt")
    assert client.files_upload(b"one", "/dropbox/Ä.txt").rev == first.rev
    with pytest.raises(sdk.exceptions.ApiError) as refused:
        client.files_upload(b"two", "/dropbox/Ä.txt")
    assert refused.value.error.get_path().reason.is_conflict()
    second = client.files_upload(b"two", "/dropbox/Ä.txt", mode=sdk.files.WriteMode.update(first.rev))
    copy = client.files_upload(b"three", "/dropbox/Ä.txt", mode=sdk.files.WriteMode.update(first.rev), autorename=True)
    assert "conflicted copy" in copy.name
    assert [entry.rev for entry in client.files_list_revisions("/dropbox/Ä.txt").entries] == [second.rev, first.rev]
    assert client.files_download("/dropbox/Ä.txt", rev=first.rev)[1].content == b"one"
    assert client.files_download(f"rev:{first.rev}")[1].content == b"one", "one that is not the newest, too"
    assert client.files_restore("/dropbox/Ä.txt", first.rev).content_hash == first.content_hash
    client.files_move_v2("/dropbox/Ä.txt", "/dropbox/ä moved.txt")
    client.files_move_v2("/dropbox/ä moved.txt", "/dropbox/Ä.txt")
    restored = client.files_get_metadata("/dropbox/Ä.txt")
    assert client.files_download(f"rev:{restored.rev}")[1].content == b"one"
    metadata, answer = client.files_download("/dropbox/Ä.txt")
    assert (metadata.path_display, answer.content) == ("/dropbox/Ä.txt", b"one")


def test_an_update_of_what_is_gone(sdk, client):
    """Nothing stands in the way of it. Only a client that takes another name for it is believed that it wants the file back."""
    gone = client.files_upload(b"one", "/dropbox/gone.txt")
    client.files_delete_v2("/dropbox/gone.txt")
    update = sdk.files.WriteMode.update(gone.rev)
    with pytest.raises(sdk.exceptions.ApiError):
        client.files_upload(b"two", "/dropbox/gone.txt", mode=update)
    assert client.files_upload(b"two", "/dropbox/gone.txt", mode=update, autorename=True).path_display == "/dropbox/gone.txt"
    client.files_delete_v2("/dropbox/gone.txt")
    session = client.files_upload_session_start(b"thr").session_id
    commit = sdk.files.CommitInfo("/dropbox/gone.txt", mode=update, autorename=True)
    client.files_upload_session_finish(b"ee", sdk.files.UploadSessionCursor(session, 3), commit)
    assert client.files_download("/dropbox/gone.txt")[1].content == b"three"


def test_revs_of_a_folder_that_was_copied(sdk, client):
    """They all came with one change."""
    for number in range(3):
        client.files_upload(b"%d" % number, f"/revs/{number}.txt")
    client.files_copy_v2("/revs", "/copied revs")
    copies = client.files_list_folder("/copied revs").entries
    assert len({copy.rev for copy in copies}) == 3
    for number, copy in enumerate(copies):
        metadata, answer = client.files_download(f"rev:{copy.rev}")
        assert (metadata.path_display, answer.content) == (copy.path_display, b"%d" % number)
        assert client.files_get_metadata(f"rev:{copy.rev}").path_display == copy.path_display
    with pytest.raises(sdk.exceptions.ApiError) as unknown:
        client.files_download("rev:000000000000000100000000ffffffff")
    assert unknown.value.error.get_path().is_not_found()


def test_a_folder_is_not_shared_yet(sdk, client):
    with pytest.raises(sdk.exceptions.ApiError) as refused:
        client.sharing_share_folder("/dropbox")
    assert refused.value.error.is_no_permission()


def test_a_program_gives_up_its_sign_in(sdk, drive_server, monkeypatch):
    other = sign_up(Path(os.environ["ONGGI_BIN"]), drive_server, "rosa")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.ca_file))
    client = sdk.Dropbox(oauth2_access_token=other.token, ca_certs=str(other.ca_file))
    client.auth_token_revoke()
    with pytest.raises(sdk.exceptions.AuthError):
        client.users_get_current_account()


def test_a_session_of_pieces(sdk, client):
    data = os.urandom(3 * BLOCK + 12_345)
    session = client.files_upload_session_start(data[:BLOCK]).session_id
    cursor = lambda offset: sdk.files.UploadSessionCursor(session, offset)
    client.files_upload_session_append_v2(data[BLOCK : 2 * BLOCK], cursor(BLOCK))
    with pytest.raises(sdk.exceptions.ApiError) as refused:
        client.files_upload_session_append_v2(b"elsewhere", cursor(0))
    assert refused.value.error.get_incorrect_offset().correct_offset == 2 * BLOCK
    commit = sdk.files.CommitInfo("/dropbox/sequential.bin")
    made = client.files_upload_session_finish(data[2 * BLOCK :], cursor(2 * BLOCK), commit)
    assert made.content_hash == content_hash(data)
    assert client.files_upload_session_finish(data[2 * BLOCK :], cursor(2 * BLOCK), commit).rev == made.rev


def test_a_session_of_pieces_side_by_side(sdk, client):
    data = os.urandom(4 * BLOCK + 54_321)
    kind = sdk.files.UploadSessionType.concurrent
    session = client.files_upload_session_start(b"", session_type=kind).session_id
    cursor = lambda offset: sdk.files.UploadSessionCursor(session, offset)
    append = lambda at: client.files_upload_session_append_v2(data[at : at + BLOCK], cursor(at))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(append, reversed(range(0, len(data), BLOCK))))
    commit = sdk.files.CommitInfo("/dropbox/concurrent.bin")
    with pytest.raises(sdk.exceptions.ApiError) as refused:
        client.files_upload_session_finish(b"", cursor(len(data)), commit)
    assert refused.value.error.is_concurrent_session_not_closed()
    client.files_upload_session_append_v2(b"", cursor(len(data)), close=True)
    made = client.files_upload_session_finish(b"", cursor(len(data)), commit)
    assert (made.size, made.content_hash) == (len(data), content_hash(data))
    assert client.files_download("/dropbox/concurrent.bin")[1].content == data


def test_a_batch_of_small_files(sdk, client):
    sessions = client.files_upload_session_start_batch(3).session_ids
    cursors = [sdk.files.UploadSessionCursor(session, 0) for session in sessions]
    for number, cursor in enumerate(cursors):
        client.files_upload_session_append_v2(b"file %d" % number, cursor, close=True)
    finish = [
        sdk.files.UploadSessionFinishArg(
            sdk.files.UploadSessionCursor(session, 6), sdk.files.CommitInfo(f"/dropbox/batch/{number}.txt")
        )
        for number, session in enumerate(sessions)
    ]
    results = client.files_upload_session_finish_batch_v2(finish).entries
    assert [result.get_success().path_display for result in results] == [f"/dropbox/batch/{n}.txt" for n in range(3)]


def test_folders_and_what_changes_in_them(sdk, client):
    client.files_create_folder_v2("/feed")
    for number in range(5):
        client.files_upload(b"x", f"/feed/{number}.txt")
    page = client.files_list_folder("/feed", recursive=True, limit=2)
    paths = [entry.path_display for entry in page.entries]
    while page.has_more:
        page = client.files_list_folder_continue(page.cursor)
        paths += [entry.path_display for entry in page.entries]
    assert paths == [f"/feed/{number}.txt" for number in range(5)]

    threading.Timer(0.5, client.files_delete_v2, ["/feed/0.txt"]).start()
    assert client.files_list_folder_longpoll(page.cursor, 30).changes
    (deleted,) = client.files_list_folder_continue(page.cursor).entries
    assert isinstance(deleted, sdk.files.DeletedMetadata) and deleted.path_display == "/feed/0.txt"

    assert client.files_move_v2("/feed", "/fed").metadata.path_display == "/fed"
    assert client.files_copy_v2("/fed", "/food").metadata.path_display == "/food"
    assert client.files_delete_v2("/fed").metadata.path_display == "/fed"
    with pytest.raises(sdk.exceptions.ApiError) as gone:
        client.files_get_metadata("/fed")
    assert gone.value.error.get_path().is_not_found()
    with pytest.raises(sdk.exceptions.ApiError) as reset:
        client.files_list_folder_continue("not-ours")
    assert reset.value.error.is_reset()


def test_batches(sdk, client):
    folders = client.files_create_folder_batch(["/batch/a", "/batch/b", "/batch/<>"]).get_complete().entries
    assert [entry.is_success() for entry in folders] == [True, True, False]
    assert folders[2].get_failure().get_path().is_disallowed_name()
    client.files_upload(b"one", "/batch/a/1.txt")
    move = sdk.files.RelocationPath
    moved = client.files_move_batch_v2([move("/batch/a/1.txt", "/batch/b/1.txt"), move("/batch/no", "/batch/x")])
    moved = moved.get_complete().entries
    assert moved[0].get_success().path_display == "/batch/b/1.txt"
    assert moved[1].get_failure().get_relocation_error().get_from_lookup().is_not_found()
    copied = client.files_copy_batch_v2([move("/batch/b", "/batch/c")]).get_complete().entries
    assert isinstance(copied[0].get_success(), sdk.files.FolderMetadata)
    deleted = client.files_delete_batch([sdk.files.DeleteArg("/batch/c"), sdk.files.DeleteArg("/batch/no")])
    deleted = deleted.get_complete().entries
    assert (deleted[0].get_success().metadata.name, deleted[1].is_failure()) == ("c", True)
    left = client.files_list_folder("/batch", recursive=True).entries
    assert sorted(entry.path_display for entry in left) == ["/batch/a", "/batch/b", "/batch/b/1.txt"]


def test_temporary_links(sdk, client, drive_user):
    client.files_upload(b"for a moment", "/temporary.txt", mode=sdk.files.WriteMode.overwrite)
    given = client.files_get_temporary_link("/temporary.txt")
    assert given.metadata.name == "temporary.txt"
    client.files_upload(b"later", "/temporary.txt", mode=sdk.files.WriteMode.overwrite)
    assert read(given.link, drive_user) == b"for a moment"
    with pytest.raises(urllib.error.HTTPError) as refused:
        read(given.link[:-1] + ("A" if given.link[-1] != "A" else "B"), drive_user)
    assert refused.value.code == 404
    with pytest.raises(sdk.exceptions.ApiError) as missing:
        client.files_get_temporary_link("/no.txt")
    assert missing.value.error.get_path().is_not_found()


def test_shared_links(sdk, client, drive_user):
    client.files_upload(b"for everybody", "/shared.txt", mode=sdk.files.WriteMode.overwrite)
    made = client.sharing_create_shared_link_with_settings("/shared.txt")
    assert (made.name, made.link_permissions.resolved_visibility.is_public()) == ("shared.txt", True)
    assert read(f"{made.url}/download", drive_user) == b"for everybody"
    assert [link.url for link in client.sharing_list_shared_links("/shared.txt").links] == [made.url]
    until = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None) + datetime.timedelta(days=1)
    settings = sdk.sharing.SharedLinkSettings(link_password="clay", expires=until)
    changed = client.sharing_modify_shared_link_settings(made.url, settings)
    assert (changed.expires, changed.link_permissions.require_password) == (until, True)
    with pytest.raises(urllib.error.HTTPError) as locked:
        read(f"{made.url}/download", drive_user)
    assert locked.value.code == 401
    opened = client.sharing_modify_shared_link_settings(made.url, sdk.sharing.SharedLinkSettings(require_password=False))
    assert opened.link_permissions.require_password is False
    # A link that would let in more than was asked for is not made.
    audience = sdk.sharing.LinkAudience.team
    for narrow in [{"allow_download": False}, {"audience": audience}, {"require_password": True}]:
        with pytest.raises(sdk.exceptions.ApiError) as refused:
            client.sharing_create_shared_link_with_settings("/shared.txt", sdk.sharing.SharedLinkSettings(**narrow))
        assert refused.value.error.get_settings_error().is_invalid_settings(), narrow
    client.sharing_revoke_shared_link(made.url)
    assert client.sharing_list_shared_links("/shared.txt").links == []
    with pytest.raises(sdk.exceptions.ApiError) as gone:
        client.sharing_revoke_shared_link(made.url)
    assert gone.value.error.is_shared_link_not_found()


def read(url: str, drive_user) -> bytes:
    """Without any proof."""
    context = ssl.create_default_context(cafile=str(drive_user.ca_file))
    with urllib.request.urlopen(url, context=context, timeout=60) as answer:
        return answer.read()
