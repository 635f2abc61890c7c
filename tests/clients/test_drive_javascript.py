"""The drive's clients for JavaScript: each case is a function of javascript/drive.cjs, run by node."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("javascript") / "drive.cjs"


@pytest.mark.parametrize("case", ["tus", "tusResumes", "tusInOneRequest", "tusParallel", "tusParallelResumes", "dropbox"])
def test_case(drive_user, case):
    command = ["node", str(SCRIPT), case, drive_user.url, drive_user.token]
    environment = os.environ | {"NODE_EXTRA_CA_CERTS": str(drive_user.ca_file)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
