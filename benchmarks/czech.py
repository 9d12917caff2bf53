"""Fetch a Czech and Slovak corpus: the sayings in Debian's package fortunes-cs, as the table of config/czech.yaml.

apt downloads the package, unless it is in work/downloads/ already; its hash is pinned. Its licence is the GPL, so its
texts are not in this repository.
"""

import csv
import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from samizdat.base.files import sha256_of, write_text

DOWNLOADS = Path(__file__).parents[1] / "work" / "downloads"
TABLE = DOWNLOADS / "czech.csv"
PACKAGE, VERSION = "fortunes-cs", "2.0.9-1.1"
SHA256 = "5a38a15bcd58c6a2f777a1f2db8d51da901bc3d0147b2db3597c8a1b78acb447"
COLUMNS = ("text", "author", "kind", "language")
# Files of the package → kind and language. Files with longer passages of novels and handbooks are left out.
FILES = {
    "citace": ("citát", "čeština"),
    "citat": ("citát", "čeština"),
    "klasik-cz": ("citát", "čeština"),
    "klasik-sk": ("citát", "slovenčina"),
    "murphy": ("zákon", "čeština"),
    "plihal": ("verš", "čeština"),
    "vodnansky": ("verš", "čeština"),
}
ANONYMOUS = "XY"
_AUTHOR = re.compile(r"\n\s*--\s*(?P<author>[^\n]+)\s*\Z")


def main() -> None:
    """Fetch the package and write the table."""
    archive = fetch()
    unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as files:
        rows = [row for name in FILES for row in sayings(name, _read(files, name))]
    write_table(rows, TABLE)
    print(f"{len(rows):,} texts in {TABLE}")


def fetch() -> Path:
    """Download the package, unless it is there, and check its hash; return its path."""
    archive = DOWNLOADS / f"{PACKAGE}_{VERSION}_all.deb"
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    if not archive.is_file():
        command = ["apt-get", "--quiet", "download", f"{PACKAGE}={VERSION}"]
        try:
            failed = subprocess.run(command, cwd=DOWNLOADS, check=False).returncode
        except FileNotFoundError:
            failed = True
        if failed:
            sys.exit(f"{archive.name} can't be had from apt: run `apt-get update`, or put it into {DOWNLOADS} by hand")
    if sha256_of(archive) != SHA256:
        sys.exit(f"{archive} has another SHA-256 than {SHA256}: remove it")
    return archive


def sayings(name: str, contents: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows of one file, in which a line with `%` separates sayings and the last line names the author."""
    kind, language = FILES[name]
    for piece in re.split(r"^%\n", contents, flags=re.MULTILINE):
        found = _AUTHOR.search(piece.rstrip())
        text = piece[: found.start()] if found else piece
        # Line ends in prose only fill the lines; in verse they are part of the text.
        lines = [" ".join(line.split()) for line in text.strip().split("\n")]
        text = ("\n" if kind == "verš" else " ").join(line for line in lines if line)
        author = found["author"].strip() if found else ""
        if text:
            yield text, "" if author == ANONYMOUS else author, kind, language


def write_table(rows: list[tuple[str, str, str, str]], table: Path) -> None:
    """Write the rows as CSV with a heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *rows])
    write_text(table, text.getvalue())


def _read(files: tarfile.TarFile, name: str) -> str:
    return files.extractfile(f"./usr/share/games/fortunes/cs/{name}").read().decode("utf-8")


if __name__ == "__main__":
    main()
