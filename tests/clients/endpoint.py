"""An S3 endpoint under test, and how each kind of client is told about it.

Owns: address, credentials, certificate authority; the environment of clients that run as processes.
Does not own: the server behind it (server.py).
"""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.config import Config


@dataclass(frozen=True)
class Endpoint:
    url: str
    access_key: str
    secret_key: str
    ca_file: Path | None = None
    region: str = "us-east-1"

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        """Host and port, as clients that know no URLs want them."""
        return urlsplit(self.url).netloc

    def boto3(self, **config):
        """A boto3 client as a user makes it: endpoint and credentials, nothing else unless a test asks for it."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            verify=str(self.ca_file) if self.ca_file else None,
            config=Config(**config) if config else None,
        )

    def trust(self, variable: str) -> dict[str, str]:
        """The variable by which a client finds the certificate authority; nothing over plain HTTP."""
        return {variable: str(self.ca_file)} if self.ca_file else {}

    def environment(self, home: Path) -> dict[str, str]:
        """The environment for a client process: nothing of the user's own configuration gets in."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "NODE_PATH") if name in os.environ}
        return kept | {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "LC_ALL": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
