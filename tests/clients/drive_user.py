"""A user of the drive, signed in: what the clients of other drives are given.

Owns: the account and its token. Does not own: what a client does with it.
"""

import json
import os
import ssl
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

from server import Server

PASSWORD = "a password of the client tests"


@dataclass(frozen=True)
class DriveUser:
    name: str
    url: str
    token: str
    ca_file: Path

    @property
    def host(self) -> str:
        return self.url.removeprefix("https://")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))


def sign_up(binary: Path, server: Server, name: str) -> DriveUser:
    administer(binary, server, "user", "create", name, "--password-stdin", input=PASSWORD)
    form = {"grant_type": "password", "username": name, "password": PASSWORD, "device": "tests"}
    context = ssl.create_default_context(cafile=str(server.endpoint.ca_file))
    request = urllib.request.Request(f"{server.web}/oauth2/token", data=urllib.parse.urlencode(form).encode())
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return DriveUser(name, server.web, json.load(answer)["access_token"], server.endpoint.ca_file)


def s3_of(binary: Path, server: Server, name: str):
    """A boto3 client with an access key of that user."""
    key = json.loads(administer(binary, server, "--json", "key", "create", name))
    return replace(server.endpoint, access_key=key["access_key"], secret_key=key["secret_key"]).boto3()


def administer(binary: Path, server: Server, *command: str, input: str | None = None) -> str:
    keys = {"ONGGI_ROOT_ACCESS_KEY": server.endpoint.access_key, "ONGGI_ROOT_SECRET_KEY": server.endpoint.secret_key}
    admin = [str(binary), "admin", "--endpoint", server.web, "--data-dir", str(server.data_dir), *command]
    done = subprocess.run(admin, input=input, text=True, env=os.environ | keys, capture_output=True, timeout=60, check=True)
    return done.stdout
