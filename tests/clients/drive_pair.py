"""A drive, and the folder that a sync client keeps like it.

Owns: the drive as its own API shows it, the folder as it lies on the disk, when the two are the same.
Does not own: the client between them.
"""

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from drive_user import DriveUser
from maestral_client import MaestralClient
from payload import MIB

BLOCK = 4 * MIB
SETTLE_SECONDS_MAX = 240
LOOK_SECONDS = 0.5


class Drive:
    """The drive by its own API, as if somebody worked there with another device."""

    def __init__(self, user: DriveUser):
        self.url, self.session = user.url, requests.Session()
        # The certificate authorities of the environment would win.
        self.session.trust_env = False
        self.session.headers.update(user.headers)
        self.session.verify = str(user.ca_file)

    def call(self, operation: str, **asked) -> dict:
        answer = self.session.post(f"{self.url}/files/{operation}", json=asked, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def move(self, path: str, to: str) -> dict:
        return self.call("move", **{"from": path, "to": to})

    def copy(self, path: str, to: str) -> dict:
        return self.call("copy", **{"from": path, "to": to})

    def put(self, path: str, data: bytes) -> dict:
        query = {"uploadType": "media", "path": path, "mode": "overwrite"}
        answer = self.session.post(f"{self.url}/files/upload", params=query, data=data, timeout=120)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, path: str) -> bytes:
        answer = self.session.get(f"{self.url}/files/download", params={"path": path}, timeout=120)
        assert answer.ok, answer.text
        return answer.content

    def sign_ins(self) -> list[dict]:
        answer = self.session.get(f"{self.url}/account/sessions", timeout=60)
        assert answer.ok, answer.text
        return answer.json()["sessions"]

    def tree(self) -> dict[str, str]:
        """Path to content hash; a folder has none."""
        page = self.call("list", recursive=True)
        entries = page["entries"]
        while page["has_more"]:
            page = self.call("list/continue", cursor=page["cursor"])
            entries += page["entries"]
        return {entry["path"]: self._hash(entry) for entry in entries}

    def _hash(self, entry: dict) -> str:
        if entry["type"] == "folder":
            return "folder"
        return entry["content_hash"] or content_hash(self.get(entry["path"]))


@dataclass
class Pair:
    drive: Drive
    client: MaestralClient
    # They never became the same: who comes after need not wait for that again.
    apart: str | None = None

    def local(self, path: str) -> Path:
        return self.client.folder / path.lstrip("/")

    def write(self, path: str, data: bytes) -> None:
        """As editors do it: written elsewhere, then put in its place."""
        beside = self.client.home / "edited"
        beside.write_bytes(data)
        self.local(path).parent.mkdir(parents=True, exist_ok=True)
        beside.replace(self.local(path))

    def settle(self) -> dict[str, str]:
        """Waits until both are the same and the client has nothing to do, and gives the tree that they have."""
        assert not self.apart, self.apart
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while True:
            state, here, there = self.client.state(), local_tree(self.client.folder), self.drive.tree()
            if here == there and state["status"] == "Up to date":
                assert not state["errors"], state
                return here
            if time.monotonic() > deadline:
                self.apart = f"only here: {sorted(here.items() - there.items())}, only there: {sorted(there.items() - here.items())}"
                raise AssertionError(f"not the same after {SETTLE_SECONDS_MAX} s: {self.apart}; {state}\n{self.client.log_tail()}")
            time.sleep(LOOK_SECONDS)


def local_tree(folder: Path) -> dict[str, str]:
    """As `Drive.tree`; what goes away meanwhile is left out, and what Maestral keeps there for itself."""
    tree = {}
    for at, folders, files in os.walk(folder):
        within = "/" + str(Path(at).relative_to(folder)).strip(".")
        folders[:] = [name for name in folders if not name.startswith(".maestral")]
        tree |= {os.path.join(within, name): "folder" for name in folders}
        for name in files:
            try:
                tree[os.path.join(within, name)] = content_hash((Path(at) / name).read_bytes())
            except FileNotFoundError:
                pass
    return tree


def content_hash(data: bytes) -> str:
    """Dropbox's: SHA-256 over the SHA-256 of each block."""
    blocks = [hashlib.sha256(data[at : at + BLOCK]).digest() for at in range(0, len(data), BLOCK)]
    return hashlib.sha256(b"".join(blocks)).hexdigest()
