"""Fetch a package of Debian by apt, check its hash, and read its files."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samizdat.base.files import sha256_of

DOWNLOADS = Path(__file__).parents[1] / "work" / "downloads"


@dataclass(frozen=True)
class Package:
    """A package of all architectures, pinned by the hash of its file."""

    name: str
    version: str
    sha256: str

    def fetch(self) -> Path:
        """Download the package, unless it is there, and check its hash; return its path."""
        archive = DOWNLOADS / f"{self.name}_{self.version}_all.deb"
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        if not archive.is_file():
            command = ["apt-get", "--quiet", "download", f"{self.name}={self.version}"]
            try:
                failed = subprocess.run(command, cwd=DOWNLOADS, check=False).returncode
            except FileNotFoundError:
                failed = True
            if failed:
                sys.exit(f"apt can't download {archive.name}: run `apt-get update`, or copy the file into {DOWNLOADS}")
        if sha256_of(archive) != self.sha256:
            sys.exit(f"{archive} has another SHA-256 than {self.sha256}: remove it")
        return archive

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the content of each file in the package."""
        command = ["dpkg-deb", "--fsys-tarfile", str(self.fetch())]
        unpacked = subprocess.run(command, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as files:
            for member in files:
                if member.isfile():
                    yield member.name, files.extractfile(member).read()
