"""Maestral, let in by a user of the drive, syncing a folder: its process and what it says of itself.

Owns: the process, its configuration, the folder. Does not own: what is changed, and where.
"""

import json
import os
import re
import signal
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from drive_user import PASSWORD, DriveUser

DRIVER = Path(__file__).with_name("maestral") / "driver.py"
LINK_SECONDS_MAX = 120
STOP_SECONDS_MAX = 120


@dataclass
class MaestralClient:
    python: Path
    home: Path
    user: DriveUser
    process: subprocess.Popen | None = field(default=None)

    @property
    def folder(self) -> Path:
        return self.home / "Dropbox"

    @property
    def log(self) -> Path:
        return self.home / "maestral.log"

    def link(self) -> None:
        """As a person does it: the address, a password there, the code back."""
        driver = self._run("link", self.folder)
        try:
            address = driver.stdout.readline().strip()
            assert address.startswith(f"https://{self.user.host}/oauth2/authorize?"), address
            driver.communicate(code_of(address, self.user) + "\n", timeout=LINK_SECONDS_MAX)
        finally:
            driver.kill()
        assert driver.returncode == 0, self.log_tail()

    def start(self) -> None:
        self.process = self._run("sync")

    def state(self) -> dict:
        """`status`, and `errors`, in Maestral's own words."""
        assert self.process.poll() is None, f"Maestral ended with {self.process.returncode}:\n{self.log_tail()}"
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.stdin.close()
        status = self.process.wait(STOP_SECONDS_MAX)
        self.process = None
        assert status == 0, self.log_tail()

    def kill(self) -> None:
        """As a power cut does it. Nothing, if it does not run."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def unlink(self) -> None:
        driver = self._run("unlink")
        driver.communicate(timeout=STOP_SECONDS_MAX)
        assert driver.returncode == 0, self.log_tail()

    def said(self, words: str) -> int:
        """How many lines of its log have these words."""
        return sum(words in line for line in self.log.read_text(errors="replace").splitlines())

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])

    def _run(self, *arguments) -> subprocess.Popen:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(self.python), str(DRIVER), *map(str, arguments)],
                env=self._environment(), cwd=self.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            )

    def _environment(self) -> dict[str, str]:
        """Nothing of whoever runs the tests gets in: no session bus, so that secrets go to a file, and no configuration."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        hosts = {f"DROPBOX_{host}": self.user.host for host in ["API_HOST", "API_CONTENT_HOST", "API_NOTIFY_HOST", "WEB_HOST"]}
        places = {f"XDG_{kind}": str(self.home / kind.lower()) for kind in ["CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "RUNTIME_DIR"]}
        for place in places.values():
            Path(place).mkdir(mode=0o700, exist_ok=True)
        return kept | hosts | places | {
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "REQUESTS_CA_BUNDLE": str(self.user.ca_file),
        }


def code_of(address: str, user: DriveUser) -> str:
    """What the page at `address` shows to somebody who signs in there."""
    where, _, query = address.partition("?")
    form = dict(urllib.parse.parse_qsl(query)) | {"username": user.name, "password": PASSWORD}
    request = urllib.request.Request(where, data=urllib.parse.urlencode(form).encode())
    with urllib.request.urlopen(request, context=user.trust(), timeout=60) as page:
        return re.search(r"onc_[\w-]+", page.read().decode()).group()
