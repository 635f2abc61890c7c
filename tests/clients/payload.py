"""The bytes that the suites store: sizes around every boundary that matters, and a real tree of files.

Owns: sizes, deterministic bytes, the tree and its comparison.
"""

import functools
import hashlib
import os
import random
import shutil
import sysconfig
import time
from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
PART_BYTES_MIN = 5 * MIB

# Around the 8 KiB that SDKs buffer and sign at once, around the smallest part, and one that every client cuts into parts.
SIZES = [0, 1, 8 * KIB - 1, 8 * KIB, 8 * KIB + 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 100 * MIB]
SMALL_SIZES = [size for size in SIZES if size <= 8 * KIB + 1]

# Keys that XML, URLs and signatures each get wrong in their own way; every one is legal in S3.
AWKWARD_KEYS = [
    "plain.txt",
    "with space.txt",
    "plus+sign.txt",
    "percent%20literal.txt",
    "100%.txt",
    "equals=and&ampersand?.txt",
    "hash#tag;semicolon.txt",
    "quote'double\"back\\slash.txt",
    "<angle>[bracket]{brace}.txt",
    "한글/옹기.txt",
    "emoji-🏺.txt",
    "e\u0301-decomposed.txt",
    "trailing-slash/",
    "double//slash.txt",
    "tilde~star*(paren)!.txt",
    "colon:at@comma,.txt",
    "trailing space ",
]
# XML 1.0 cannot hold these at all: only encoding-type=url brings them through a listing.
CONTROL_KEYS = ["tab\there", "bell\x07", "newline\nhere", "unit\x1fseparator"]


@functools.lru_cache(maxsize=None)
def payload(size: int, seed: int = 0) -> bytes:
    """The same bytes for the same size and seed in every run; nothing in them compresses or repeats."""
    return random.Random(f"{size}/{seed}").randbytes(size)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def multipart_etag(parts: list[bytes]) -> str:
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f"{hashlib.md5(digests).hexdigest()}-{len(parts)}"


def build_tree(root: Path) -> Path:
    """A real tree: Python's standard library, with the files and names that tools stumble over added."""
    library = Path(sysconfig.get_path("stdlib"))
    root.mkdir(parents=True)
    for name in ["asyncio", "email", "encodings", "json", "lib2to3", "unittest", "xml"]:
        if (library / name).is_dir():
            shutil.copytree(library / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for source in sorted(library.glob("*.py")):
        shutil.copy(source, root)
    odd = root / "odd names"
    odd.mkdir()
    for name in ["empty", "with space", "plus+sign", "percent%41", "한글", "emoji-🏺", "equals=a&b", "quote'd", "#hash"]:
        (odd / name).write_bytes(b"" if name == "empty" else name.encode())
    # More than any client's threshold for multipart.
    (root / "large.bin").write_bytes(payload(33 * MIB + 7))
    # S3 keeps whole seconds: a file changed in the second of its upload would look newer than its copy, and be sent again.
    an_hour_ago = time.time() - 3600
    for path in root.rglob("*"):
        os.utime(path, (an_hour_ago, an_hour_ago))
    return root


def describe_tree(root: Path) -> dict[str, str]:
    """Every file below `root` with the digest of its bytes: equal descriptions are equal trees."""
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            files[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files
