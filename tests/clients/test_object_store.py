"""object_store (the Rust crate of Arrow, DataFusion and SlateDB; here through its Python binding): its conditional writes are S3's."""

import concurrent.futures
import threading

import obstore
import pytest
from obstore.store import S3Store

WRITERS = 50


@pytest.fixture
def store(endpoint, bucket, monkeypatch):
    if endpoint.secure:
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_file))
    return S3Store(
        bucket,
        endpoint=endpoint.url,
        access_key_id=endpoint.access_key,
        secret_access_key=endpoint.secret_key,
        region="us-east-1",
        client_options={"allow_http": not endpoint.secure},
    )


def race(attempt) -> list:
    """Runs `attempt(writer)` in every writer at the same moment."""
    barrier = threading.Barrier(WRITERS)

    def writer(number):
        barrier.wait(timeout=60)
        return attempt(number)

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(writer, range(WRITERS)))


def test_lock_file_has_one_winner(store):
    for turn in range(5):
        def take(number):
            try:
                obstore.put(store, "lock", f"holder {number}".encode(), mode="create")
                return True
            except obstore.exceptions.AlreadyExistsError:
                return False

        outcomes = race(take)
        assert outcomes.count(True) == 1, f"round {turn}: {outcomes.count(True)} winners"
        assert bytes(obstore.get(store, "lock").bytes()) == f"holder {outcomes.index(True)}".encode()
        obstore.delete(store, "lock")


def test_compare_and_swap_loses_no_update(store):
    obstore.put(store, "counter", b"0")

    def add_one(_number):
        for _ in range(1000):
            got = obstore.get(store, "counter")
            value = int(bytes(got.bytes())) + 1
            try:
                obstore.put(store, "counter", str(value).encode(), mode={"e_tag": got.meta["e_tag"]})
                return
            except obstore.exceptions.PreconditionError:
                continue
        raise AssertionError("a writer never got its turn")

    race(add_one)
    assert int(bytes(obstore.get(store, "counter").bytes())) == WRITERS


def test_an_object_in_parts_comes_back(store, tree):
    largest = max((path for path in tree.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = largest.read_bytes() * 3
    obstore.put(store, "parts", content, use_multipart=True, chunk_size=5 * 1024 * 1024)
    assert bytes(obstore.get(store, "parts").bytes()) == content
    assert [row["path"] for page in obstore.list(store) for row in page] == ["parts"]
