"""Load balancers in front of nodes, each a real process with the configuration that operators are given.

Owns: their processes; the documented files with the addresses of this run.
Does not own: the nodes.
Invariant: only where a balancer listens (without TLS: it has no certificate here), where it may write and where the nodes are is
replaced, and each of these must be in the file.
"""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from endpoint import Endpoint
from server import free_ports

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "operations" / "examples"


class Balancer:
    """One in front of the first three members. Kinds say which program it is and how it is run."""

    program: str
    example: str

    def __init__(self, folder: Path, keys: tuple[str, str], members: list):
        self.folder, self.members, self.port = folder, members[:3], free_ports(1)[0]
        self.endpoint = Endpoint(f"http://127.0.0.1:{self.port}", *keys)
        self.process = None

    def start(self) -> None:
        """Returns when requests reach a node."""
        found = shutil.which(self.program, path=os.environ["PATH"] + os.pathsep + "/usr/sbin")
        assert found, f"{self.program} is not installed; run: sudo apt-get update && sudo apt-get install -y {self.program}"
        self.folder.mkdir()
        configuration, log = self.folder / self.example, self.folder / "log"
        configuration.write_text(self._configuration())
        with log.open("wb") as output:
            command = [found, *self._arguments(configuration)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + START_SECONDS_MAX
        # 403 is a node's answer to an unsigned request, 502 and 503 the balancer's while it knows of none.
        while answer_to_unsigned(self.endpoint.url) != 403:
            alive = self.process.poll() is None and time.monotonic() < deadline
            assert alive, f"{self.program} does not balance:\n{log.read_text()}"
            time.sleep(0.2)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(STOP_SECONDS_MAX)

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _configuration(self) -> str:
        text = (EXAMPLES / self.example).read_text()
        for documented, here in self._replaced().items():
            assert text.count(documented) == 1, f"{self.example}: `{documented}` is not there"
            text = text.replace(documented, here)
        return text

    def _replaced(self) -> dict[str, str]:
        raise NotImplementedError

    def _arguments(self, configuration: Path) -> list[str]:
        raise NotImplementedError


class HAProxy(Balancer):
    program, example = "haproxy", "haproxy.cfg"

    def _replaced(self) -> dict[str, str]:
        nodes = {
            f"server n{number} n{number}.example:9000": f"server n{number} 127.0.0.1:{member.s3_port} port {member.web_port}"
            for number, member in enumerate(self.members, 1)
        }
        return {"bind :443 ssl crt /etc/haproxy/s3.pem alpn http/1.1": f"bind 127.0.0.1:{self.port}"} | nodes

    def _arguments(self, configuration: Path) -> list[str]:
        return ["-db", "-f", str(configuration)]


class Nginx(Balancer):
    program, example = "nginx", "nginx.conf"

    def _replaced(self) -> dict[str, str]:
        nodes = {
            f"server n{number}.example:9000": f"server 127.0.0.1:{member.s3_port}"
            for number, member in enumerate(self.members, 1)
        }
        # Where it writes unless told otherwise belongs to root.
        modules = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        places = "".join(f"    {module}_temp_path {self.folder / module};\n" for module in modules)
        return nodes | {
            "http {\n": f"http {{\n    access_log off;\n{places}",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port};",
            "ssl_certificate /etc/nginx/s3.pem;": "",
            "ssl_certificate_key /etc/nginx/s3-key.pem;": "",
        }

    def _arguments(self, configuration: Path) -> list[str]:
        here = f"daemon off; error_log stderr; pid {self.folder / 'pid'};"
        return ["-e", "stderr", "-g", here, "-c", str(configuration)]

    def kill(self) -> None:
        # Its workers outlive a master that is killed.
        if self.process and self.process.poll() is None:
            self.stop()


def answer_to_unsigned(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
