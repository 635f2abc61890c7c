"""Maestral in one process, without its daemon and its command line: what the suite runs with Maestral's own Python.

    driver.py link FOLDER   prints the address where a user lets it in, reads the code, makes the folder
    driver.py sync          syncs until its input ends; each line asks how it stands, and a line of JSON answers
    driver.py unlink        gives up its sign-in

Owns: nothing of Maestral's: it calls what Maestral's front ends call. Where it keeps things, XDG's variables say.
"""

import json
import logging
import sys

from maestral.main import Maestral

CONFIG = "clients"


def main() -> None:
    maestral = Maestral(CONFIG, log_to_stderr=True)
    match sys.argv[1:]:
        case ["link", folder]:
            link(maestral, folder)
        case ["sync"]:
            sync(maestral)
        case ["unlink"]:
            maestral.unlink()
        case _:
            sys.exit(__doc__)


def link(maestral: Maestral, folder: str) -> None:
    tell(maestral.get_auth_url())
    failed = maestral.link(sys.stdin.readline().strip())
    if failed:
        sys.exit(f"linking failed with {failed}")
    maestral.create_dropbox_directory(folder)


def sync(maestral: Maestral) -> None:
    maestral.log_level = logging.DEBUG
    maestral.start_sync()
    for _ in sys.stdin:
        errors = [f"{error.direction.value} {error.dbx_path}: {error.title}: {error.message}" for error in maestral.sync_errors]
        errors += [f"{error.title}: {error.message}" for error in maestral.fatal_errors]
        tell(json.dumps({"status": maestral.status, "errors": errors}))
    maestral.stop_sync()


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
