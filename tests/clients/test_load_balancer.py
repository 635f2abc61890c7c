"""Clients behind HAProxy and nginx: requests reach nodes as they were signed, and while nodes go clients see retried requests at most.

The clients are boto3 and aws-cli with their default settings, so with the retries that they make by themselves. Only HAProxy asks nodes
whether they are ready: behind it nobody has to repeat anything when a node stops.
"""

import os
import random
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from balancer import Balancer
from cluster import Cluster
from load import SECONDS_BEFORE, Load
from payload import AWKWARD_KEYS, MIB

pytestmark = pytest.mark.skipif("ONGGI_CLIENTS_ENDPOINT" in os.environ, reason="needs nodes that it may kill")

SECONDS_AFTER = 10


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(Path(os.environ["ONGGI_BIN"]), tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        cluster.kill()


@pytest.fixture(params=["haproxy", "nginx"])
def balancer(request, cluster) -> Balancer:
    return cluster.balancers[request.param]


def new_bucket(balancer: Balancer, what: str) -> str:
    name = f"{what}-{balancer.program}"
    balancer.endpoint.boto3().create_bucket(Bucket=name)
    return name


def load(balancer: Balancer, tmp_path: Path, what: str) -> Load:
    return Load(balancer, new_bucket(balancer, what), tmp_path)


def test_a_large_body_goes_through_and_ranges_come_back(balancer):
    s3, bucket, body = balancer.endpoint.boto3(), new_bucket(balancer, "large"), random.Random(1).randbytes(100 * MIB)
    s3.put_object(Bucket=bucket, Key="large", Body=body)
    for wanted, expected in [("bytes=5000000-9999999", body[5_000_000:10_000_000]), ("bytes=-70000", body[-70_000:])]:
        answer = s3.get_object(Bucket=bucket, Key="large", Range=wanted)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert answer["Body"].read() == expected, wanted
    assert s3.get_object(Bucket=bucket, Key="large")["Body"].read() == body


def test_keys_arrive_as_they_were_signed(balancer):
    s3, bucket = balancer.endpoint.boto3(), new_bucket(balancer, "keys")
    for key in AWKWARD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert {entry["Key"] for entry in listed} == set(AWKWARD_KEYS)


def test_presigned_urls_work_also_for_who_asks_before_sending(balancer):
    s3, bucket = balancer.endpoint.boto3(signature_version="s3v4"), new_bucket(balancer, "presigned")
    names, body = {"Bucket": bucket, "Key": "asked first"}, random.Random(2).randbytes(300_000)
    put, get = (s3.generate_presigned_url(operation, names) for operation in ("put_object", "get_object"))
    target = put.removeprefix(balancer.endpoint.url)
    with socket.create_connection(("127.0.0.1", balancer.port), timeout=30) as connection:
        head = f"PUT {target} HTTP/1.1\r\nHost: {balancer.endpoint.host}\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        answers = connection.makefile("rb")
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        connection.sendall(body)
        while answers.readline().strip():
            pass
        assert answers.readline().split()[1] == b"200"
    with urllib.request.urlopen(get, timeout=30) as answer:
        assert answer.read() == body
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(get.replace("asked%20first", "another"), timeout=30)


def test_one_of_three_nodes_is_killed(cluster, balancer, tmp_path):
    with load(balancer, tmp_path, "killed") as running:
        cluster.members[1].kill()
        time.sleep(SECONDS_AFTER)
        cluster.members[1].start()
        time.sleep(SECONDS_BEFORE)
    running.check(f"kill -9 of one of three behind {balancer.program}")


def test_one_of_three_nodes_is_stopped(cluster, tmp_path):
    """It says that it is not ready before it refuses anything, so nobody has to try again."""
    with load(cluster.balancers["haproxy"], tmp_path, "stopped") as running:
        cluster.members[2].stop()
        time.sleep(SECONDS_AFTER)
        cluster.members[2].start()
        time.sleep(SECONDS_BEFORE)
    running.check("a stop of one of three")
    assert running.retries == 0


def test_a_node_is_drained(cluster, tmp_path):
    """A fourth node takes its place; the balancer turns to the other two of those that it knows."""
    cluster.add_member()
    cluster.wait_until_settled(copies=3)
    with load(cluster.balancers["haproxy"], tmp_path, "drained") as running:
        cluster.members[0].admin("node", "drain", "1", "--wait")
        cluster.wait_until_settled(copies=3, asked=1)
        time.sleep(SECONDS_BEFORE)
        cluster.members[0].stop()
        time.sleep(SECONDS_BEFORE)
    running.check("a drain of one of four")
    assert running.retries == 0
