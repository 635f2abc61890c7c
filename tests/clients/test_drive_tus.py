"""tuspy on the drive, unmodified."""

import io
import os

import pytest
import requests
from tusclient.client import TusClient

PIECE = 1 << 20


@pytest.fixture
def tus(drive_user, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(drive_user.ca_file))
    return TusClient(f"{drive_user.url}/files/tus/", headers=drive_user.headers)


@pytest.mark.parametrize("checksum", [False, True])
def test_an_upload_in_pieces(drive_user, tus, checksum):
    data = os.urandom(5_000_000)
    metadata = {"path": "/tus/", "filename": f"{checksum}.bin"}
    uploader = tus.uploader(file_stream=io.BytesIO(data), chunk_size=PIECE, metadata=metadata, upload_checksum=checksum)
    uploader.upload()
    assert uploader.offset == len(data)
    assert stored(drive_user, f"/tus/{checksum}.bin") == data


def test_an_upload_goes_on_where_it_stopped(drive_user, tus):
    data = os.urandom(5_000_000)
    begun = tus.uploader(file_stream=io.BytesIO(data), chunk_size=PIECE, metadata={"path": "/tus/stopped.bin"})
    begun.upload(stop_at=2 * PIECE)
    again = tus.uploader(file_stream=io.BytesIO(data), chunk_size=PIECE, url=begun.url)
    assert again.offset == 2 * PIECE
    again.upload()
    assert stored(drive_user, "/tus/stopped.bin") == data


def stored(drive_user, path) -> bytes:
    answer = requests.get(
        f"{drive_user.url}/files/download", params={"path": path}, headers=drive_user.headers, timeout=60
    )
    answer.raise_for_status()
    return answer.content
