"""The description of the drive's API: sound by the judgement of others, and what real requests meet."""

import base64
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import requests
from openapi_spec_validator import validate

from contract import Contract
from drive_user import PASSWORD, sign_up
from payload import MIB, payload


@pytest.fixture(scope="module")
def user(drive_server):
    """Somebody of their own: sign-ins and the trash are counted here."""
    return sign_up(Path(os.environ["ONGGI_BIN"]), drive_server, "carla")


@pytest.fixture(scope="module")
def document(user):
    answer = requests.get(f"{user.url}/docs/openapi.json", verify=str(user.ca_file), timeout=60)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture
def api(document, user):
    return Contract(document, user)


def test_the_document_is_sound(document):
    validate(document)


def test_types_are_made_of_it(document, tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    programs = Path(os.environ["NODE_PATH"]) / ".bin"
    (tmp_path / "use.ts").write_text(
        "import type { components, operations } from './types'\n"
        "export const size = (entry: components['schemas']['EntryJson']): number => (entry.type === 'file' ? entry.size : 0)\n"
        "export const asked: operations['create_folder']['requestBody']['content']['application/json'] = { path: '/a' }\n"
    )
    for command in (["openapi-typescript", "openapi.json", "--output", "types.d.ts"], ["tsc", "--strict", "--noEmit", "use.ts"]):
        done = subprocess.run([programs / command[0], *command[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_people_read_it_without_scripts(document, user):
    answer = requests.get(f"{user.url}/docs", verify=str(user.ca_file), timeout=60)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "<script" not in answer.text
    ids = re.findall(r' id="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids))
    assert not set(re.findall(r'href="#([^"]+)"', answer.text)) - set(ids), "links lead nowhere"
    for name in [operation["operationId"] for item in document["paths"].values() for operation in item.values()]:
        assert name in ids


def test_whoever_shows_nothing_comes_in_only_where_it_says_so(document, api):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            into = {name: "0" * 16 for name in re.findall(r"\{(\w+)\}", path)}
            answer = api.ask(method, path, token=None, into=into)
            needs_proof = {} not in operation.get("security", document["security"])
            is_refused = answer.status_code == 401
            assert is_refused == needs_proof, f"{method} {path}: {answer.status_code} {answer.text}"


def test_sign_in(api):
    form = {"grant_type": "password", "username": "carla", "password": PASSWORD, "client_id": "contract"}
    tokens = api.ask("post", "/oauth2/token", token=None, data=form).json()
    assert api.ask("post", "/oauth2/token", token=None, data=form | {"password": "x"}).status_code == 400
    renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "contract"}
    tokens = api.ask("post", "/oauth2/token", token=None, data=renewal).json()
    api.ask("post", "/oauth2/revoke", token=None, data={"token": tokens["access_token"]})

    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {"response_type": "code", "client_id": "contract", "redirect_uri": "http://127.0.0.1:1/"}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    api.ask("get", "/oauth2/authorize", token=None, params=asked)
    let_in = api.ask("post", "/oauth2/authorize", token=None, data=asked | {"username": "carla", "password": PASSWORD})
    code = re.search(r"[?&]code=([^&]+)", let_in.headers["Location"])[1]
    redeem = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "client_id": "contract"}
    api.ask("post", "/oauth2/token", token=None, data=redeem | {"redirect_uri": asked["redirect_uri"]})
    api.covers("sign-in")


def test_console(api):
    opened = api.ask("post", "/console/session", token=None, json={"user": "carla", "password": PASSWORD})
    api.ask("get", "/console/session", token=None, cookies=opened.cookies)
    csrf = {"X-Onggi-CSRF": opened.json()["csrf"]}
    api.ask("delete", "/console/session", token=None, cookies=opened.cookies, headers=csrf)
    api.covers("console")


def test_account(api, drive_server):
    api.ask("get", "/account")
    made = api.ask("post", "/account/app_passwords", json={"name": "scanner"}).json()
    listed = api.ask("get", "/account/app_passwords").json()["app_passwords"]
    assert [password["name"] for password in listed] == ["scanner"]
    basic = base64.b64encode(f"carla:{made['password']}".encode()).decode()
    api.ask("get", "/account", token=None, headers={"Authorization": f"Basic {basic}"})
    api.ask("delete", "/account/app_passwords/{id}", into={"id": made["id"]})

    form = {"grant_type": "password", "username": "carla", "password": PASSWORD, "device": "old phone"}
    api.ask("post", "/oauth2/token", token=None, data=form)
    others = [found for found in api.ask("get", "/account/sessions").json()["sessions"] if found["device"] == "old phone"]
    api.ask("delete", "/account/sessions/{id}", into={"id": others[0]["id"]})

    other = sign_up(Path(os.environ["ONGGI_BIN"]), drive_server, "dora")
    api.ask("post", "/account/password", token=other.token, json={"old": PASSWORD, "new": "another password of these tests"})
    api.covers("account")


def test_uploads(api):
    upload, session = "/files/upload", "/files/upload/{session}"
    stored = api.ask("post", upload, params={"uploadType": "media", "path": "/up/a.txt"}, data=b"a").json()
    assert stored["path"] == "/up/a.txt" and stored["size"] == 1
    refused = api.ask("post", upload, params={"uploadType": "media", "path": "/up/a.txt"}, data=b"b")
    assert refused.status_code == 409 and refused.json()["error"]["what"] == "file"
    stale = {"path": "/up/a.txt", "mode": "update", "rev": "1"}
    assert "head_rev" in api.ask("post", upload, params=stale, data=b"b").json()["error"]

    begin = {"path": "/up/b.bin", "mode": "add", "client_modified": "2026-11-22T20:00:00Z"}
    begun = api.ask("post", upload, params={"uploadType": "resumable"}, json=begin)
    into = {"session": begun.headers["Location"].rsplit("/", 1)[1]}
    data = payload(MIB)
    first = api.ask("put", session, into=into, headers={"Content-Range": f"bytes 0-99/{MIB}"}, data=data[:100])
    assert first.status_code == 308 and first.headers["Range"] == "bytes=0-99"
    assert api.ask("get", session, into=into).json()["received"] == 100
    gap = api.ask("put", session, into=into, headers={"Content-Range": f"bytes 200-299/{MIB}"}, data=data[200:300])
    assert gap.json()["error"]["expected_offset"] == 100
    last = api.ask("put", session, into=into, headers={"Content-Range": f"bytes 100-{MIB - 1}/{MIB}"}, data=data[100:])
    assert last.json()["size"] == MIB
    assert api.ask("get", session, into=into).json()["entry"]["path"] == "/up/b.bin"
    stored = {"path": "/up/b.bin", "rev": last.json()["rev"]}
    begun = api.ask("post", upload, params={"uploadType": "resumable"}, json=begin | {"path": "/up/copy.bin"})
    into = {"session": begun.headers["Location"].rsplit("/", 1)[1]}
    copied = api.ask("post", session + "/copy", into=into, json=stored | {"first": 100, "bytes": 50, "at": 0})
    assert copied.status_code == 308 and copied.headers["Range"] == "bytes=0-49"
    behind = api.ask("post", session + "/copy", into=into, json=stored | {"first": MIB, "bytes": 1, "at": 50})
    assert behind.status_code == 416
    given_up = api.ask("post", upload, params={"uploadType": "resumable"}, json=begin)
    api.ask("delete", session, into={"session": given_up.headers["Location"].rsplit("/", 1)[1]})

    parts = "/files/upload/presigned/{upload}"
    begin = {"path": "/up/c.bin", "size": 6 * MIB, "part_size": 5 * MIB}
    begun = api.ask("post", upload, params={"uploadType": "presigned"}, json=begin).json()
    into = {"upload": begun["upload"]}
    number, address = begun["missing"][0]["number"], begun["missing"][0]["url"]
    requests.put(address, data=payload(5 * MIB), verify=str(api.user.ca_file), timeout=60).raise_for_status()
    state = api.ask("get", parts + "/parts", into=into).json()
    assert [part["number"] for part in state["stored"]] == [number]
    address = state["missing"][0]["url"]
    requests.put(address, data=payload(MIB), verify=str(api.user.ca_file), timeout=60).raise_for_status()
    assert api.ask("post", parts + "/complete", into=into).json()["size"] == 6 * MIB
    given_up = api.ask("post", upload, params={"uploadType": "presigned"}, json=begin | {"path": "/up/d.bin"}).json()
    api.ask("delete", parts, into={"upload": given_up["upload"]})
    api.covers("uploads")


def store(api, path, data=b"text", **said):
    return api.ask("post", "/files/upload", params={"path": path} | said, data=data).json()


def test_entries(api):
    stored = store(api, "/entries/a.txt")
    api.ask("post", "/files/create_folder", json={"path": "/entries/folder", "autorename": True})
    api.ask("post", "/files/create_folder", json={"path": "/entries/a:b"})
    assert api.ask("post", "/files/metadata", json={"id": stored["id"]}).json()["type"] == "file"
    assert api.ask("post", "/files/metadata", json={"path": "/entries"}).json()["type"] == "folder"
    assert api.ask("post", "/files/metadata", json={"path": "/nowhere"}).status_code == 404
    api.ask("post", "/files/copy", json={"from": "/entries/a.txt", "to": "/entries/b.txt", "rev": stored["rev"]})
    api.ask("post", "/files/move", json={"from": "/entries/b.txt", "to": "/entries/folder/b.txt"})
    api.ask("get", "/files/download", params={"path": "/entries/a.txt", "inline": "1"})
    part = api.ask("post", "/files/download", json={"path": "/entries/a.txt"}, headers={"Range": "bytes=1-2"})
    assert part.status_code == 206 and part.content == b"ex"
    entry = {"schema": {"$ref": "#/components/schemas/EntryJson"}}
    api.check(entry, json.loads(part.headers["Onggi-Entry"]), "the header Onggi-Entry")
    assert api.ask("get", "/files/download", params={"path": "/entries/a.txt"}, headers={"Range": "bytes=9-"}).status_code == 416
    api.covers("entries")


def test_listing(api):
    store(api, "/listing/a.txt")
    page = api.ask("post", "/files/list", json={"path": "/listing", "recursive": True, "limit": 10}).json()
    cursor = page["cursor"]
    assert not page["has_more"] and [entry["name"] for entry in page["entries"]] == ["a.txt"]
    assert api.ask("post", "/files/list/latest_cursor", json={"path": "/listing"}).json()["cursor"]
    assert not api.ask("post", "/files/wait", json={"cursor": cursor, "timeout": 1}).json()["changes"]
    api.ask("post", "/files/delete", json={"path": "/listing/a.txt"})
    assert api.ask("post", "/files/wait", json={"cursor": cursor, "timeout": 30}).json()["changes"]
    told = api.ask("get", "/files/events", params={"cursor": cursor}, stream=True)
    event = next(line for line in told.iter_lines() if line.startswith(b"data: "))
    told.close()
    assert json.loads(event.removeprefix(b"data: "))["cursor"]
    changes = api.ask("post", "/files/list/continue", json={"cursor": cursor}).json()["entries"]
    assert "removed" in [entry["type"] for entry in changes]
    assert api.ask("post", "/files/list/continue", json={"cursor": "x"}).status_code == 410
    store(api, "/listing/quarterly report.txt")
    assert api.ask("post", "/files/search", json={"query": "report", "path": "/listing"}).json()["entries"]
    api.covers("listing")


def test_revisions(api):
    old = store(api, "/revisions/a.txt", b"old")
    store(api, "/revisions/a.txt", b"new", mode="overwrite")
    marked = {"path": "/revisions/a.txt", "rev": old["rev"], "keep_forever": True, "label": "ü" * 200}
    assert api.ask("post", "/files/update_revision", json=marked).json()["label"] == "ü" * 200
    too_long = json.dumps(marked | {"label": "ü" * 201})
    assert api.ask("post", "/files/update_revision", data=too_long).status_code == 400
    api.ask("post", "/files/restore", json={"path": "/revisions/a.txt", "rev": old["rev"]})
    found = api.ask("post", "/files/list_revisions", json={"path": "/revisions/a.txt", "limit": 5}).json()
    assert [revision["reason"] for revision in found["entries"]] == ["restore", "upload", "upload"]
    api.covers("revisions")


def test_trash(api):
    store(api, "/trash/a.txt")
    deleted = api.ask("post", "/files/delete", json={"path": "/trash"}).json()
    assert deleted["trashed"] in [item["trashed"] for item in api.ask("post", "/files/list_trash", json={"limit": 5}).json()["items"]]
    api.ask("post", "/files/undelete", json={"trashed": deleted["trashed"], "to": "/back"})
    deleted = api.ask("post", "/files/delete", json={"path": "/back"}).json()
    rewound = api.ask("post", "/files/rewind", json={"path": "/trash", "to": "2099-01-01T00:00:00Z", "preview": True})
    assert rewound.status_code == 404
    rewound = api.ask("post", "/files/rewind", json={"to": "2099-01-01T00:00:00Z", "preview": True}).json()
    assert rewound == {"restored": 0, "moved": 0, "removed": 0, "reset": 0, "lost": 0, "cursor": None}
    for operation in ["allow", "undo"]:
        assert api.ask("post", f"/files/mass_delete/{operation}", json={"device": "none is held"}).status_code == 404
    too_far = api.ask("post", "/files/rewind", json={"to": "2000-01-01T00:00:00Z"})
    assert too_far.status_code == 409 and "earliest" in too_far.json()["error"]
    api.ask("post", "/files/purge", json={"trashed": deleted["trashed"]})
    api.ask("post", "/files/purge", json={"all": True})
    held = held_device(api)
    assert api.ask("post", "/files/mass_delete/undo", json={"device": held}).json()["entries"] > 1000
    held = held_device(api)
    api.ask("post", "/files/mass_delete/allow", json={"device": held})
    api.ask("post", "/files/delete", json={"path": "/mass"})
    api.covers("trash")


def held_device(api):
    """Deletes folders of 51 entries until that is too much for the drive."""
    for number in range(50):
        api.ask("post", "/files/create_folder", json={"path": f"/mass/0/{number}"})
    for number in range(1, 30):
        api.ask("post", "/files/copy", json={"from": "/mass/0", "to": f"/mass/{number}"})
    answers = (api.ask("post", "/files/delete", json={"path": f"/mass/{number}"}) for number in range(30))
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert refused.status_code == 409 and refused.json()["error"]["code"] == "mass_delete_held"
    return api.ask("get", "/account").json()["held"][0]["device"]


def test_links(api):
    store(api, "/links/a.txt")
    asked = {"path": "/links", "role": "edit", "expires": "2099-01-01T00:00:00Z", "max_downloads": 3}
    made = api.ask("post", "/links/create", json=asked).json()
    changed = api.ask("post", "/links/update", json={"id": made["id"], "expires": None, "password": "open sesame"}).json()
    assert changed["has_password"] and changed["expires"] is None
    listed = api.ask("post", "/links/list", json={"path": "/links", "limit": 10}).json()["links"]
    assert [link["id"] for link in listed] == [made["id"]]
    api.ask("post", "/links/revoke", json={"id": made["id"]})
    api.covers("links")


def test_shared(api):
    store(api, "/shared/folder/a.txt")
    made = api.ask("post", "/links/create", json={"path": "/shared", "role": "edit", "password": "open sesame"}).json()
    visitor = {"token": None, "into": {"token": made["url"].rsplit("/", 1)[1]}}
    assert api.ask("post", "/s/{token}/list", json={}, **visitor).status_code == 401
    assert api.ask("post", "/s/{token}/unlock", json={"password": "x"}, **visitor).status_code == 403
    visitor["cookies"] = api.ask("post", "/s/{token}/unlock", json={"password": "open sesame"}, **visitor).cookies
    api.ask("post", "/s/{token}/list", json={}, **visitor)
    api.ask("post", "/s/{token}/list", json={"path": "/folder"}, **visitor)
    api.ask("get", "/s/{token}/download", params={"path": "/folder/a.txt"}, **visitor)
    api.ask("post", "/s/{token}/upload", params={"path": "/b.txt"}, data=b"b", **visitor)

    drop = api.ask("post", "/links/create", json={"path": "/shared", "role": "drop"}).json()
    visitor = {"token": None, "into": {"token": drop["url"].rsplit("/", 1)[1]}}
    assert api.ask("post", "/s/{token}/list", json={}, **visitor).json()["entry"]["type"] == "folder"
    assert api.ask("post", "/s/{token}/upload", params={"path": "/c.txt"}, data=b"c", **visitor).json() == {}
    api.covers("shared")
