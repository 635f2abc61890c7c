"""The real `onggi` binary, started twice: once with plain HTTP, once with TLS.

Owns: the processes, their data directories, their logs.
Does not own: what is asked of them.
Invariant: a server that died, did not stop on SIGTERM, or logged an error fails the run.
"""

import http.client
import os
import secrets
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from endpoint import Endpoint

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
# Buckets are host names below it; two labels, because OpenSSL trusts no wildcard below one.
VIRTUAL_HOST_DOMAIN = "onggi.localhost"


@dataclass
class Server:
    endpoint: Endpoint
    process: subprocess.Popen
    log: Path
    web: str
    data_dir: Path
    launch: Callable[[], subprocess.Popen]

    @classmethod
    def start(cls, binary: Path, folder: Path, tls: bool) -> "Server":
        data_dir, log = folder / "data", folder / "onggi.log"
        s3_port, web_port, peer_port = free_ports(3)
        access_key, secret_key = "client-tests", secrets.token_hex(20)
        command = [
            str(binary), "server",
            "--data-dir", str(data_dir),
            "--s3-listen", f"127.0.0.1:{s3_port}",
            "--web-listen", f"127.0.0.1:{web_port}",
            "--peer-listen", f"127.0.0.1:{peer_port}",
        ]
        if tls:
            command.append("--tls")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ONGGI_")}
        environment |= {
            "ONGGI_ROOT_ACCESS_KEY": access_key,
            "ONGGI_ROOT_SECRET_KEY": secret_key,
            "ONGGI_S3_DOMAINS": VIRTUAL_HOST_DOMAIN,
        }

        def launch() -> subprocess.Popen:
            with log.open("ab") as output:
                return subprocess.Popen(
                    command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )

        url, web = f"{'https' if tls else 'http'}://127.0.0.1:{s3_port}", f"https://127.0.0.1:{web_port}"
        server = cls(Endpoint(url, access_key, secret_key), launch(), log, web, data_dir, launch)
        try:
            server._wait_until_serving()
            if tls:
                server.endpoint = Endpoint(url, access_key, secret_key, ca_file(binary, data_dir))
        except BaseException:
            server.process.kill()
            server.process.wait()
            raise
        return server

    def restart(self) -> None:
        """As a power cut does it: killed, and started again with the same data at the same addresses."""
        self.process.kill()
        self.process.wait()
        self.process = self.launch()
        self._wait_until_serving()

    def stop(self) -> None:
        """Stops the server as an operator does, and checks that it had nothing to complain about."""
        early = self.process.poll()
        assert early is None, f"the server ended by itself with {early}:\n{self.log_tail()}"
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop on SIGTERM:\n{self.log_tail()}") from None
        assert status == 0, f"the server ended with {status}:\n{self.log_tail()}"
        complaints = [line for line in self.log.read_text(errors="replace").splitlines() if is_complaint(line)]
        assert not complaints, "the server logged errors:\n" + "\n".join(complaints[:20])

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def _wait_until_serving(self) -> None:
        # The answer to an unsigned request shows that the S3 API is up; trust starts with the client under test.
        port, tls = int(self.endpoint.host.rpartition(":")[2]), self.endpoint.secure
        context = ssl._create_unverified_context() if tls else None
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
            if tls:
                connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
            else:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/")
                if connection.getresponse().status == 403:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(0.1)
        raise RuntimeError(f"the server did not serve within {START_SECONDS_MAX} s:\n{self.log_tail()}")


def ca_file(binary: Path, data_dir: Path) -> Path:
    """The certificate authority that signed the server's certificate, as its operator finds it."""
    command = [str(binary), "admin", "ca", "--data-dir", str(data_dir)]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    return Path(printed.strip())


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; all are held until all are chosen, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        return [held.getsockname()[1] for held in sockets]
    finally:
        for held in sockets:
            held.close()


def is_complaint(line: str) -> bool:
    return " ERROR " in line or '"level":"ERROR"' in line or "panicked at" in line
