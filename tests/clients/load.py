"""Load through a balancer: clients that write, overwrite, read and list, and what they were told.

Owns: the threads, and what was acknowledged to them.
Does not own: what happens to the nodes meanwhile.
"""

import hashlib
import random
import subprocess
import threading
import time
from pathlib import Path

from botocore.exceptions import ResponseStreamingError

from balancer import Balancer
from payload import MIB

SIZES = [0, 1_000, 40_000, 300_000, 6 * MIB]
BOTO_THREADS = 4
READS_MAX = 3
SECONDS_BEFORE = 3


class Load:
    """Threads that write, overwrite, read and list through the load balancer, and remember what was acknowledged."""

    def __init__(self, balancer: Balancer, bucket: str, home: Path):
        self.endpoint, self.bucket, self.home = balancer.endpoint, bucket, home
        self.stored: dict[str, str] = {}
        self.failures: list[str] = []
        self.requests = self.retries = 0
        self._stop, self._lock = threading.Event(), threading.Lock()
        runs = [lambda number=number: self._boto3(number) for number in range(BOTO_THREADS)] + [self._aws_cli]
        self._threads = [threading.Thread(target=self._guarded, args=[run]) for run in runs]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        time.sleep(SECONDS_BEFORE)
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, run) -> None:
        try:
            run()
        except Exception as error:  # noqa: BLE001 — whatever a client could not get over is what this test is about
            self.failures.append(f"{type(error).__name__}: {error}")

    def _boto3(self, number: int) -> None:
        s3, dice, mine = self.endpoint.boto3(), random.Random(number), {}
        for step in range(1_000_000):
            if self._stop.is_set():
                return
            key = f"boto3-{number}/{step % 40}"
            body = random.Random(number * 100_000 + step).randbytes(SIZES[(number + step) % len(SIZES)])
            self._count(s3.put_object(Bucket=self.bucket, Key=key, Body=body))
            mine[key] = hashlib.md5(body).hexdigest()
            with self._lock:
                self.stored[key] = mine[key]
            read = dice.choice(sorted(mine))
            assert hashlib.md5(self._read(s3, read)).hexdigest() == mine[read], f"{read} has other bytes"
            if step % 10 == 9:
                listed = s3.list_objects_v2(Bucket=self.bucket, Prefix=f"boto3-{number}/")
                self._count(listed)
                assert {entry["Key"] for entry in listed["Contents"]} == set(mine), "a listing is not complete"

    def _read(self, s3, key: str) -> bytes:
        """boto3 tries a request again, not a body that was cut off: that is left to who reads it."""
        for _ in range(READS_MAX):
            answer = s3.get_object(Bucket=self.bucket, Key=key)
            self._count(answer)
            try:
                return answer["Body"].read()
            except ResponseStreamingError:
                with self._lock:
                    self.retries += 1
        raise AssertionError(f"{key} was cut off {READS_MAX} times")

    def _aws_cli(self) -> None:
        for step in range(1_000_000):
            if self._stop.is_set():
                return
            key, body = f"aws-cli/{step}", random.Random(step).randbytes(9 * MIB if step % 3 == 2 else 20_000)
            (self.home / "file").write_bytes(body)
            command = ["aws", "s3", "cp", "--only-show-errors", str(self.home / "file"), f"s3://{self.bucket}/{key}"]
            done = subprocess.run(command, env=self.endpoint.environment(self.home), capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"aws s3 cp: {done.stderr}"
            with self._lock:
                self.stored[key] = hashlib.md5(body).hexdigest()

    def _count(self, answer) -> None:
        with self._lock:
            self.requests += 1
            self.retries += answer["ResponseMetadata"]["RetryAttempts"]

    def check(self, what: str) -> None:
        """Nothing failed for good, and everything acknowledged is there."""
        print(f"{what}: {self.requests} requests of boto3, {self.retries} retried; {len(self.stored)} objects")
        assert not self.failures, "\n".join(self.failures)
        s3 = self.endpoint.boto3()
        for key, digest in sorted(self.stored.items()):
            assert hashlib.md5(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()).hexdigest() == digest, key
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        assert {entry["Key"] for page in pages for entry in page["Contents"]} == set(self.stored)
