"""Fetch a corpus of nine million of GPT-2's tokens: the entries of an English dictionary, a text each.

The dictionary is the GNU Collaborative International Dictionary of English (Webster's of 1913 and WordNet), in Debian's
package dict-gcide. apt downloads the package, unless it is in work/downloads/ already; its hash is pinned. Its licence
is the GPL, so its texts are not in this repository.
"""

import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from debian import DOWNLOADS, Package
from record import ROOT

from samizdat.base.files import write_text

PACKAGE = Package("dict-gcide", "0.48.5+nmu2", "7b0af5cfde3cbdef5e9d6e78f92ec335ced7c2790f37a40f49bebc6f7347ac0f")
FILE = "./usr/share/dictd/gcide.dict.dz"
# Of GPT-2's own tokens: 1,207,495 bytes of 5,000 entries drawn at random are 377,251.
BYTES_PER_TOKEN = 3.2
# Each definition is followed by its source, such as `[1913 Webster]` or `[WordNet 1.5]`.
_SOURCE = re.compile(r"\[(?:1913 Webster|WordNet[^\]]*|Webster[^\]]*|[^\]]{0,40}PJC[^\]]*)\]")
_CONFIG = {
    "name": "dictionary",
    "title": "A dictionary",
    "classifiers": [],
    "corpus": {"source": "files", "paths": ["work/downloads/dictionary.jsonl"], "label_columns": [],
               "validation_share": 0.02, "test_share": 0.02},
}  # fmt: skip


def imported() -> Path:
    """Import the entries as a run does; return the table of texts."""
    lines = (json.dumps({"text": entry}) for entry in entries(dict(PACKAGE.files())[FILE]))
    write_text(DOWNLOADS / "dictionary.jsonl", "\n".join(lines))
    write_text(DOWNLOADS / "dictionary.yaml", json.dumps(_CONFIG))
    table = Path("results") / "dictionary" / "corpus" / "texts.parquet"
    command = ["snakemake", "--cores", "2", table, "--configfile", DOWNLOADS / "dictionary.yaml"]
    subprocess.run([str(word) for word in command], cwd=ROOT, check=True)
    return ROOT / table


def entries(packed: bytes) -> Iterator[str]:
    """Yield the entries of the dictionary, each in one line, without the sources of its definitions."""
    text = gzip.decompress(packed).decode("utf-8", "replace")
    # The first line of an entry begins at the margin; the entries about the dictionary itself come first.
    for entry in re.split(r"\n(?=\S)", text):
        line = " ".join(_SOURCE.sub("", entry).split())
        if not line.startswith("00-database"):
            yield line


if __name__ == "__main__":
    print(imported())
