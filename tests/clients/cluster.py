"""Three nodes with load balancers in front of them, each a real process.

Owns: the nodes' processes, their ports, their data directories.
Does not own: the balancers (balancer.py), what is asked of them.
"""

import json
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

from balancer import HAProxy, Nginx
from server import is_complaint, free_ports

START_SECONDS_MAX = 60
# Joining, electing and moving groups takes seconds; a busy machine gets more.
MOVE_SECONDS_MAX = 240
STOP_SECONDS_MAX = 60


class Member:
    """One node, over several starts."""

    def __init__(self, binary: Path, folder: Path, keys: tuple[str, str]):
        self.binary, self.data_dir, self.log, self.keys = binary, folder / "data", folder / "onggi.log", keys
        self.s3_port, self.web_port, self.peer_port = free_ports(3)
        self.process = None

    def start(self, invitation: dict | None = None) -> None:
        """Returns when the node is ready. The flags and the token of a join are needed at the first start only."""
        command = [
            str(self.binary), "server",
            "--data-dir", str(self.data_dir),
            "--s3-listen", f"127.0.0.1:{self.s3_port}",
            "--web-listen", f"127.0.0.1:{self.web_port}",
            "--peer-listen", f"127.0.0.1:{self.peer_port}",
            "--set", "cluster.groups=4",
        ]
        environment = self._environment()
        if invitation:
            command += ["--join", invitation["join"]]
            environment["ONGGI_JOIN_TOKEN"] = invitation["token"]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command, env=environment, cwd=self.log.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=output
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        # The ready line, or the end of the process.
        for line in self.process.stdout:
            if line.startswith(b"onggi ready "):
                return
            assert time.monotonic() < deadline, f"the node is not ready:\n{self.log_tail()}"
        raise AssertionError(f"the node ended with {self.process.wait()}:\n{self.log_tail()}")

    def kill(self) -> None:
        """As a crash: nothing is flushed, nobody is told."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As an operator does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS_MAX) == 0, self.log_tail()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def admin(self, *arguments: str) -> dict:
        command = [
            str(self.binary), "admin", "--endpoint", f"https://127.0.0.1:{self.web_port}", "--data-dir", str(self.data_dir),
            *arguments, "--json",
        ]
        try:
            done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, timeout=MOVE_SECONDS_MAX)
        except subprocess.TimeoutExpired as expired:
            where = "" if "status" in arguments else f"\n{self.admin('cluster', 'status')}"
            raise AssertionError(f"{arguments} takes more than {expired.timeout} s{where}\n{self.log_tail()}") from None
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout)

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def complaints(self) -> list[str]:
        return [line for line in self.log.read_text(errors="replace").splitlines() if is_complaint(line)]

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ONGGI_")}
        return environment | {"ONGGI_ROOT_ACCESS_KEY": self.keys[0], "ONGGI_ROOT_SECRET_KEY": self.keys[1]}


class Cluster:
    """Three members, every group with a copy on each, and a balancer of each kind."""

    def __init__(self, binary: Path, folder: Path):
        self.binary, self.folder = binary, folder
        self.keys = "client-tests", secrets.token_hex(20)
        self.members = []
        self.balancers = {}

    def start(self) -> None:
        for _ in range(3):
            self.add_member()
        self.wait_until_settled(copies=3)
        for kind in (HAProxy, Nginx):
            balancer = kind(self.folder / kind.program, self.keys, self.members)
            self.balancers[kind.program] = balancer
            balancer.start()

    def add_member(self) -> Member:
        member = Member(self.binary, self.folder / f"n{len(self.members) + 1}", self.keys)
        member.start(self.members[0].admin("token", "create") if self.members else None)
        self.members.append(member)
        return member

    def wait_until_settled(self, copies: int, asked: int = 0) -> None:
        deadline = time.monotonic() + MOVE_SECONDS_MAX
        while True:
            status = self.members[asked].admin("cluster", "status")
            if status["moves"]["groups_left"] == 0 and all(len(group["voters"]) >= copies for group in status["groups"]):
                return
            assert time.monotonic() < deadline, f"the groups have not settled: {status}"
            time.sleep(0.5)

    def stop(self) -> None:
        """Whatever runs, runs no more; a node that logged an error fails the run."""
        for balancer in self.balancers.values():
            balancer.stop()
        # A second signal ends the time that a node gives to load balancers.
        for member in self.members:
            if member.is_running():
                member.process.terminate()
        time.sleep(0.5)
        for member in self.members:
            if member.is_running():
                member.stop()
        complaints = [f"{member.data_dir}: {line}" for member in self.members for line in member.complaints()]
        assert not complaints, "nodes logged errors:\n" + "\n".join(complaints[:20])

    def kill(self) -> None:
        for balancer in self.balancers.values():
            balancer.kill()
        for member in self.members:
            if member.is_running():
                member.kill()
