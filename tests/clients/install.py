"""Installs the clients from their package registries into a cache directory outside the tree.

Owns: which clients there are, where they live, when they are installed again.
Does not own: what is run with them.
Invariant: a client that cannot be installed is an error that names the command to run, never a test left out.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEBIAN_PACKAGES = ["rclone", "restic"]


class InstallError(Exception):
    """A client is missing and could not be installed; the message ends with the command that would."""


@dataclass(frozen=True)
class Clients:
    """Where the installed clients are."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "python" / "bin" / "python"

    @property
    def maestral_python(self) -> Path:
        return self.root / "maestral" / "bin" / "python"

    @property
    def node_modules(self) -> Path:
        return self.root / "javascript" / "node_modules"

    @property
    def path(self) -> str:
        """A PATH that finds the clients of the cache first."""
        folders = [self.root / "python" / "bin", self.root / "debian" / "usr" / "bin"]
        return os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])


def default_root() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "onggi-clients"


def install(root: Path, refresh: bool = False) -> Clients:
    """Installs what is missing or was installed from another list; `refresh` installs everything anew."""
    clients = Clients(root)
    root.mkdir(parents=True, exist_ok=True)
    python, maestral = HERE / "requirements.txt", HERE / "maestral" / "requirements.txt"
    steps = [
        ("python", python.read_bytes(), partial(_install_python, requirements=python)),
        ("maestral", maestral.read_bytes(), partial(_install_python, requirements=maestral)),
        ("javascript", (HERE / "javascript" / "package.json").read_bytes(), _install_javascript),
        ("debian", " ".join(DEBIAN_PACKAGES).encode(), _install_debian),
    ]
    for name, wanted, step in steps:
        folder = root / name
        # The stamp is written last: an interrupted install is done again.
        stamp, digest = folder / "installed", hashlib.sha256(wanted).hexdigest()
        if not refresh and stamp.exists() and stamp.read_text() == digest:
            continue
        print(f"clients: installing the {name} packages into {folder}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        step(folder)
        stamp.write_text(digest)
    return clients


def _install_python(folder: Path, requirements: Path) -> None:
    try:
        _run([sys.executable, "-m", "venv", str(folder)], "python3 -m venv")
    except InstallError:
        # Debian ships ensurepip apart from python3.
        _run_as_root(["apt-get", "install", "-y", "python3-venv"])
        _run([sys.executable, "-m", "venv", "--clear", str(folder)], "sudo apt-get install -y python3-venv")
    command = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)]
    _run(command, " ".join(command))


def _install_javascript(folder: Path) -> None:
    if shutil.which("npm") is None:
        raise InstallError("npm is not installed; run: sudo apt-get install -y nodejs npm")
    shutil.copy(HERE / "javascript" / "package.json", folder)
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    _run(command, " ".join(command))


def _install_debian(folder: Path) -> None:
    """Unpacks Debian's packages into the cache: needs no root, and the system stays as it is."""
    missing = [package for package in DEBIAN_PACKAGES if shutil.which(package) is None]
    if not missing:
        return
    by_hand = f"sudo apt-get update && sudo apt-get install -y {' '.join(missing)}"
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise InstallError(f"install {' and '.join(missing)} so that they are on the PATH")
    download = ["apt-get", "download", *missing]
    try:
        _run(download, by_hand, folder)
    except InstallError:
        # A fresh machine has no package lists yet.
        _run_as_root(["apt-get", "update"], by_hand)
        _run(download, by_hand, folder)
    for package in folder.glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(folder)], by_hand)
        package.unlink()


def _run_as_root(command: list[str], by_hand: str | None = None) -> None:
    by_hand = by_hand or "sudo " + " ".join(command)
    if os.geteuid() != 0:
        raise InstallError(f"this needs root; run: {by_hand}")
    _run(command, by_hand)


def _run(command: list[str], by_hand: str, folder: Path | None = None) -> None:
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{error}; run: {by_hand}") from error
    if done.returncode != 0:
        raise InstallError(f"{done.stdout}{done.stderr}\n{command[0]} failed; run: {by_hand}")
