#!/usr/bin/env python3
"""Runs the client suites: real S3 clients, unmodified and with no flags, against the real `onggi` binary.

    ONGGI_BIN=target/debug/onggi tests/clients/run.py            everything
    ONGGI_BIN=target/debug/onggi tests/clients/run.py -k restic  what pytest's -k selects
    tests/clients/run.py --endpoint URL [--ca FILE]              a running server, keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

The clients are installed into ${XDG_CACHE_HOME:-~/.cache}/onggi-clients; nothing is written to the tree.
The last line is `N passed, N failed`; the exit status is not 0 when a test failed or none ran.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from install import Clients, InstallError, default_root, install  # noqa: E402


def main() -> int:
    arguments, pytest_arguments = parse_arguments()
    try:
        clients = install(default_root(), arguments.refresh)
    except InstallError as error:
        print(f"clients: {error}", file=sys.stderr)
        return report(passed=0, failed=1)
    if arguments.install_only:
        return 0
    environment = client_environment(clients, arguments)
    if environment is None:
        return report(passed=0, failed=1)
    show_versions(clients)
    with tempfile.TemporaryDirectory(prefix="onggi-clients-") as scratch:
        results = Path(scratch) / "results.xml"
        command = [
            str(clients.python), "-m", "pytest", "-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE),
            "--basetemp", str(Path(scratch) / "pytest"), "--junitxml", str(results), *pytest_arguments, str(HERE),
        ]
        status = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
        passed, failed = count(results)
    if status != 0 and failed == 0:
        # Pytest itself failed: a suite that could not be imported, or nothing selected.
        failed = 1
    return report(passed, failed)


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", help="test this running server instead of starting one")
    parser.add_argument("--ca", help="the certificate authority of that server")
    parser.add_argument("--refresh", action="store_true", help="install every client anew, in its current version")
    parser.add_argument("--install-only", action="store_true", help="install the clients and stop")
    return parser.parse_known_args()


def client_environment(clients: Clients, arguments: argparse.Namespace) -> dict[str, str] | None:
    environment = dict(os.environ) | {
        "PATH": clients.path,
        "ONGGI_CLIENTS_MAESTRAL": str(clients.maestral_python),
        "NODE_PATH": str(clients.node_modules),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if arguments.endpoint:
        trust = {"ONGGI_CLIENTS_CA": arguments.ca} if arguments.ca else {}
        return environment | trust | {"ONGGI_CLIENTS_ENDPOINT": arguments.endpoint}
    binary = Path(os.environ.get("ONGGI_BIN", ""))
    if not os.environ.get("ONGGI_BIN") or not os.access(binary, os.X_OK):
        print("clients: set ONGGI_BIN to the onggi binary (cargo build makes target/debug/onggi)", file=sys.stderr)
        return None
    return environment | {"ONGGI_BIN": str(binary.resolve())}


def show_versions(clients: Clients) -> None:
    """What is tested is whatever is current, so a run says what that was."""
    freeze = subprocess.run([str(clients.python), "-m", "pip", "freeze"], capture_output=True, text=True).stdout
    wanted = ("awscli==", "boto3==", "botocore==", "minio==", "s3cmd==")
    versions = [line for line in freeze.splitlines() if line.startswith(wanted)]
    for package in ("client-s3", "lib-storage", "s3-request-presigner"):
        manifest = clients.node_modules / "@aws-sdk" / package / "package.json"
        version = [line for line in manifest.read_text().splitlines() if '"version"' in line]
        versions.append(f"@aws-sdk/{package} {version[0].split(chr(34))[3]}")
    for command in (["rclone", "version"], ["restic", "version"]):
        output = subprocess.run(command, env=dict(os.environ) | {"PATH": clients.path}, capture_output=True, text=True).stdout
        versions.append(output.splitlines()[0])
    print("clients: " + ", ".join(versions), flush=True)


def count(results: Path) -> tuple[int, int]:
    """Passed and failed of a JUnit file; a test whose set-up or tear-down failed counts as failed."""
    if not results.exists():
        return 0, 0
    suites = list(xml.parse(results).getroot().iter("testsuite"))
    tests, failed, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (["tests"], ["failures", "errors"], ["skipped"])
    )
    return max(tests - failed - skipped, 0), failed


def report(passed: int, failed: int) -> int:
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if passed > 0 and failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
