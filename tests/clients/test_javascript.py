"""The AWS SDK for JavaScript: each case is a function of javascript/cases.cjs, run by node."""

from pathlib import Path

import pytest

from payload import SIZES

SCRIPT = Path(__file__).with_name("javascript") / "cases.cjs"
CASES = ["conditions", "copyAndTags", "listing", "lostUploadResumes", "presignedGetAndPut", "presignedParts", "versions"]


@pytest.fixture
def node(run, endpoint):
    return lambda *arguments: run("node", SCRIPT, *arguments, **endpoint.trust("NODE_EXTRA_CA_CERTS"))


@pytest.mark.parametrize("size", SIZES)
def test_round_trip(node, bucket, size):
    node("roundTrip", bucket, str(size))


@pytest.mark.parametrize("size", SIZES)
def test_lib_storage(node, bucket, size):
    node("libStorage", bucket, str(size))


@pytest.mark.parametrize("case", CASES)
def test_case(node, bucket, case):
    node(case, bucket)
