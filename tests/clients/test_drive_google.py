"""Google's clients on the drive, unmodified: resumable media on /files/upload, and the Drive v3 client through our discovery document."""

import io
import os

import httplib2
import pytest
import requests
from google.oauth2.credentials import Credentials
from google.resumable_media.requests import ChunkedDownload, MultipartUpload, ResumableUpload, SimpleUpload
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseDownload, MediaIoBaseUpload

CHUNK = 256 * 1024
FOLDER = "application/vnd.google-apps.folder"


@pytest.fixture
def session(drive_user, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(drive_user.ca_file))
    session = requests.Session()
    session.headers.update(drive_user.headers)
    return session


@pytest.fixture
def drive(drive_user, session):
    document = session.get(f"{drive_user.url}/discovery/v1/apis/drive/v3/rest", timeout=60).json()
    http = httplib2.Http(ca_certs=str(drive_user.ca_file))
    # As googleapiclient.http.build_http does: 308 is an answer here, and no redirection.
    http.redirect_codes = http.redirect_codes - {308}
    return build_from_document(document, http=AuthorizedHttp(Credentials(drive_user.token), http=http))


def resumable(drive_user, session, stream, path, checksum=None, **more):
    upload = ResumableUpload(f"{drive_user.url}/files/upload?uploadType=resumable", CHUNK, checksum=checksum)
    upload.initiate(session, stream, {"path": path}, "application/x-test", **more)
    while not upload.finished:
        answer = upload.transmit_next_chunk(session)
    return answer.json()


@pytest.mark.parametrize("checksum", ["md5", "crc32c", None])
def test_resumable_media_compares_what_was_stored(drive_user, session, checksum):
    data = os.urandom(1_000_000)
    made = resumable(drive_user, session, io.BytesIO(data), f"/media/{checksum}.bin", checksum)
    assert (made["size"], made["mimeType"]) == (len(data), "application/x-test")
    stored = io.BytesIO()
    download = ChunkedDownload(f"{drive_user.url}/files/download?path={made['path']}", 300_000, stored)
    while not download.finished:
        download.consume_next_chunk(session)
    assert stored.getvalue() == data


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK, 2 * CHUNK + 1])
def test_a_stream_whose_length_nobody_knows(drive_user, session, size):
    data = os.urandom(size)
    made = resumable(drive_user, session, io.BytesIO(data), f"/streams/{size}.bin", stream_final=False)
    assert made["size"] == size


def test_in_one_request(drive_user, session):
    upload = MultipartUpload(f"{drive_user.url}/files/upload?uploadType=multipart")
    made = upload.transmit(session, b"two parts", {"path": "/one/multipart.txt"}, "text/plain").json()
    assert (made["path"], made["size"]) == ("/one/multipart.txt", 9)
    upload = SimpleUpload(f"{drive_user.url}/files/upload?uploadType=media&path=/one/simple.txt")
    assert upload.transmit(session, b"simple", "text/plain").json()["path"] == "/one/simple.txt"


@pytest.mark.parametrize("in_pieces", [False, True])
def test_the_drive_client_uploads_and_reads_revisions(drive, in_pieces):
    folder = drive.files().create(body={"name": f"Folder {in_pieces}", "mimeType": FOLDER}).execute()
    data = os.urandom(1_000_000)
    media = MediaIoBaseUpload(io.BytesIO(data), "application/octet-stream", chunksize=CHUNK, resumable=in_pieces)
    made = drive.files().create(body={"name": "a.bin", "parents": [folder["id"]]}, media_body=media).execute()
    assert (made["path"], made["size"]) == (f"/Folder {in_pieces}/a.bin", str(len(data)))
    media = MediaIoBaseUpload(io.BytesIO(b"second"), "text/plain", resumable=in_pieces)
    updated = drive.files().update(fileId=made["id"], media_body=media).execute()
    assert (updated["id"], updated["size"]) == (made["id"], "6")

    revisions = drive.revisions().list(fileId=made["id"]).execute()["revisions"]
    assert [revision["id"] for revision in revisions] == [updated["headRevisionId"], made["headRevisionId"]]
    old = drive.revisions().get_media(fileId=made["id"], revisionId=made["headRevisionId"])
    assert read(old) == data
    assert read(drive.files().get_media(fileId=made["id"])) == b"second"


def test_the_drive_client_lists_renames_and_deletes(drive):
    folder = drive.files().create(body={"name": "Listed", "mimeType": FOLDER}).execute()
    names = [f"{number}.txt" for number in range(5)]
    for name in names:
        media = MediaIoBaseUpload(io.BytesIO(name.encode()), "text/plain")
        drive.files().create(body={"name": name, "parents": [folder["id"]]}, media_body=media).execute()
    found, request = [], drive.files().list(q=f"'{folder['id']}' in parents and trashed = false", pageSize=2)
    while request is not None:
        page = request.execute()
        found += page["files"]
        request = drive.files().list_next(request, page)
    assert [file["name"] for file in found] == names
    renamed = drive.files().update(fileId=found[0]["id"], body={"name": "renamed.txt"}).execute()
    assert renamed["path"] == "/Listed/renamed.txt"
    drive.files().delete(fileId=found[0]["id"]).execute()
    with pytest.raises(HttpError) as refused:
        drive.files().get(fileId=found[0]["id"]).execute()
    assert refused.value.status_code == 404


def test_an_empty_file_comes_and_goes(drive):
    media = MediaIoBaseUpload(io.BytesIO(b""), "text/plain", resumable=True)
    made = drive.files().create(body={"path": "/empty.txt"}, media_body=media).execute()
    assert made["size"] == "0"
    assert read(drive.files().get_media(fileId=made["id"])) == b""


def read(request) -> bytes:
    stored = io.BytesIO()
    download, done = MediaIoBaseDownload(stored, request, chunksize=CHUNK), False
    while not done:
        _, done = download.next_chunk()
    return stored.getvalue()
