"""Fetch a Czech and Slovak corpus: the sayings in Debian's package fortunes-cs, as the table of config/czech.yaml.

apt downloads the package, unless it is in work/downloads/ already; its hash is pinned. Its licence is the GPL, so its
texts are not in this repository.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from debian import DOWNLOADS, Package

from samizdat.base.files import write_text

TABLE = DOWNLOADS / "czech.csv"
PACKAGE = Package("fortunes-cs", "2.0.9-1.1", "5a38a15bcd58c6a2f777a1f2db8d51da901bc3d0147b2db3597c8a1b78acb447")
FOLDER = "./usr/share/games/fortunes/cs/"
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
    files = dict(PACKAGE.files())
    rows = [row for name in FILES for row in sayings(name, files[FOLDER + name].decode("utf-8"))]
    write_table(rows, TABLE)
    print(f"{len(rows):,} texts in {TABLE}")


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


if __name__ == "__main__":
    main()
