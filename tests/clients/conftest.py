"""What every suite gets: an endpoint over plain HTTP and one over TLS, a bucket of its own, a client process."""

import itertools
import os
import re
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from drive_user import sign_up
from endpoint import Endpoint
from payload import build_tree
from server import Server

PROCESS_SECONDS_MAX = 540
bucket_numbers = itertools.count(1)


# A running server instead of one started here; see run.py --endpoint.
GIVEN_ENDPOINT = os.environ.get("ONGGI_CLIENTS_ENDPOINT")


@pytest.fixture(scope="session", params=[GIVEN_ENDPOINT.split(":")[0]] if GIVEN_ENDPOINT else ["http", "https"])
def endpoint(request, tmp_path_factory):
    """The server under test. Suites run over both: SDKs send trailers over TLS only, and signed payloads over plain HTTP only."""
    if GIVEN_ENDPOINT:
        ca_file = os.environ.get("ONGGI_CLIENTS_CA")
        keys = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        yield Endpoint(GIVEN_ENDPOINT, *keys, Path(ca_file) if ca_file else None)
        return
    folder = tmp_path_factory.mktemp(f"onggi-{request.param}")
    server = Server.start(Path(os.environ["ONGGI_BIN"]), folder, tls=request.param == "https")
    try:
        yield server.endpoint
    finally:
        server.stop()


@pytest.fixture(scope="session")
def drive_server(tmp_path_factory):
    """A server of its own for the drive."""
    server = Server.start(Path(os.environ["ONGGI_BIN"]), tmp_path_factory.mktemp("onggi-drive"), tls=True)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def drive_user(drive_server):
    """Somebody with a drive."""
    return sign_up(Path(os.environ["ONGGI_BIN"]), drive_server, "ana")


@pytest.fixture(scope="session")
def s3(endpoint):
    """A boto3 client with nothing but its defaults."""
    return endpoint.boto3()


@pytest.fixture
def bucket(request, s3):
    """A new bucket, named for the test; it goes away with the server's data."""
    test = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())
    name = f"{test[:40].strip('-')}-{next(bucket_numbers)}-{os.getpid()}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def run(endpoint, tmp_path):
    """Runs a client process against the endpoint; a non-zero exit fails the test and shows what the client said."""
    home = tmp_path / "home"
    home.mkdir()

    def run_client(*command, status=0, **environment):
        done = subprocess.run(
            [str(word) for word in command],
            env=endpoint.environment(home) | environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROCESS_SECONDS_MAX,
        )
        output = (done.stdout + done.stderr).decode(errors="replace")
        assert done.returncode == status, f"{command[0]} ended with {done.returncode}:\n{output[-4000:]}"
        return done.stdout.decode(errors="replace")

    return run_client


@pytest.fixture
def fetch(endpoint):
    """Asks for a URL as a program does that knows nothing of S3; any status is an answer."""
    context = ssl.create_default_context(cafile=str(endpoint.ca_file)) if endpoint.secure else None

    def fetch_url(url, method="GET", body=None, headers=None):
        # urllib adds a form Content-Type to every body, which a signer that saw none did not sign.
        request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "", **(headers or {})})
        try:
            with urllib.request.urlopen(request, context=context, timeout=120) as answer:
                return answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers

    return fetch_url


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Path:
    """A real tree of files; suites read it and never write to it."""
    return build_tree(tmp_path_factory.mktemp("tree") / "tree")
