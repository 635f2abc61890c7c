"""tus, concatenation: uploads side by side that become one file, asked in the protocol's own words."""

import base64
import os
import threading
import time
from pathlib import Path

import pytest
import requests

from drive_pair import Drive
from drive_user import sign_up
from payload import MIB, payload
from server import Server

# Cut anywhere: no piece ends where a block of the content hash does.
PIECES = [payload(5_000_001, 7), payload(0, 7), payload(3, 7), payload(4_444_444, 7)]


class Tus:
    def __init__(self, user):
        self.drive, self.collection = Drive(user), f"{user.url}/files/tus/"

    def ask(self, method, address, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()} | {"Tus-Resumable": "1.0.0"}
        return self.drive.session.request(method, address, data=body, headers=named, timeout=120)

    def begin(self, length, **headers):
        answer = self.ask("POST", self.collection, Upload_Concat="partial", Upload_Length=str(length), **headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def patch(self, address, body, offset=0):
        return self.ask("PATCH", address, body, Upload_Offset=str(offset), Content_Type="application/offset+octet-stream")

    def send(self, piece):
        address = self.begin(len(piece))
        if piece:
            assert self.patch(address, piece).status_code == 204
        return address

    def finish(self, addresses, path, **headers):
        metadata = f"path {base64.b64encode(path.encode()).decode()}"
        return self.ask("POST", self.collection, Upload_Concat=f"final;{' '.join(addresses)}", Upload_Metadata=metadata, **headers)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that may be restarted."""
    server = Server.start(Path(os.environ["ONGGI_BIN"]), tmp_path_factory.mktemp("onggi-tus"), tls=True)
    try:
        yield server
    finally:
        server.stop()


def sign_up_for_tus(server, name) -> Tus:
    return Tus(sign_up(Path(os.environ["ONGGI_BIN"]), server, name))


@pytest.fixture(scope="module")
def tus(server):
    return sign_up_for_tus(server, "ana")


def test_it_is_announced(tus):
    assert "concatenation" in tus.ask("OPTIONS", tus.collection).headers["Tus-Extension"].split(",")


def test_pieces_become_a_file(tus):
    addresses = [tus.send(piece) for piece in PIECES]
    partial = tus.ask("HEAD", addresses[0]).headers
    assert (partial["Upload-Concat"], partial["Upload-Offset"], partial["Upload-Length"]) == ("partial", "5000001", "5000001")
    assert tus.drive.tree() == {}, "a piece is no file"
    made = tus.finish(addresses, "/whole.bin")
    assert made.status_code == 201, made.text
    assert tus.drive.get("/whole.bin") == b"".join(PIECES)
    whole = tus.ask("HEAD", made.headers["Location"]).headers
    assert whole["Upload-Concat"] == f"final;{' '.join(addresses)}"
    assert whole["Upload-Offset"] == whole["Upload-Length"] == str(sum(map(len, PIECES)))
    refused = tus.patch(made.headers["Location"], b"more", sum(map(len, PIECES)))
    assert refused.status_code == 403
    # An answer that was lost: asked again, the same file.
    before = tus.drive.call("metadata", path="/whole.bin")
    assert tus.finish(addresses, "/whole.bin").status_code == 201
    assert tus.drive.call("metadata", path="/whole.bin") == before


def test_pieces_do_not_count_for_ever(tus):
    address = tus.send(payload(1000, 8))
    lives_for = lambda: expires(tus.ask("HEAD", address)) - time.time()
    assert lives_for() > 6 * 24 * 3600
    assert tus.finish([address, address], "/twice.bin").status_code == 201
    assert tus.drive.get("/twice.bin") == payload(1000, 8) * 2, "one may be named twice"
    assert lives_for() < 3700
    assert tus.patch(address, b"more", 1000).status_code == 422


def test_what_is_refused(tus, server):
    whole, half = tus.send(b"whole"), tus.begin(10)
    tus.patch(half, b"half")
    plain = tus.ask("POST", tus.collection, Upload_Length="4", Upload_Metadata="path L3BsYWlu").headers["Location"]
    refused = lambda *addresses, **headers: tus.finish(addresses, "/refused.bin", **headers).status_code
    assert refused(whole, half) == 422, "not all there yet"
    assert refused(whole, plain) == 400, "no partial upload"
    assert refused() == 400
    assert refused(f"{tus.drive.url}/elsewhere") == 400
    assert refused(whole, Upload_Length="5") == 400
    assert refused(*[whole] * 500) == 431, "more than a header holds"
    assert tus.ask("POST", tus.collection, Upload_Concat=f"final;{whole}").status_code == 400, "no path"
    assert tus.ask("POST", tus.collection, Upload_Concat="half", Upload_Length="1").status_code == 400
    assert tus.ask("POST", tus.collection, Upload_Concat="partial", Upload_Defer_Length="1").status_code == 400
    stranger = sign_up_for_tus(server, "bob")
    assert stranger.finish([whole], "/stolen.bin").status_code == 404
    assert stranger.drive.tree() == {}
    assert tus.ask("DELETE", half).status_code == 204
    assert refused(whole, half) == 404
    assert "/refused.bin" not in tus.drive.tree()
    # Nothing of all this was lost with it.
    assert tus.finish([whole], "/kept.bin").status_code == 201


def test_one_that_was_cut_off_is_asked_for_again(tus, server):
    pieces = [payload(32 * MIB + 1, 9), payload(32 * MIB + 1, 10)]
    addresses = [tus.send(piece) for piece in pieces]
    first = threading.Thread(target=lambda: ignored(lambda: tus.finish(addresses, "/cut off.bin")))
    first.start()
    time.sleep(0.1)
    server.restart()
    first.join()
    assert tus.finish(addresses, "/cut off.bin").status_code == 201
    assert tus.drive.get("/cut off.bin") == b"".join(pieces)


def expires(answer) -> float:
    return time.mktime(time.strptime(answer.headers["Upload-Expires"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone


def ignored(call) -> None:
    try:
        call()
    except requests.ConnectionError:
        pass
