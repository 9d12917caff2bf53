"""Measure what checksums cost: the processor's time for SHA-256 in all processes of the demo, of all its time.

    python benchmarks/checking.py                a demo run in a clone; adds its row
    python benchmarks/checking.py --quick        a tiny run; records nothing

Counted is each hash of a file or of bytes, also those of texts, for whatever it is needed: so checking costs less. It
is part of `make bench-reproducibility`.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from record import Figure, add, record_of, show

# Python reads this module when it begins.
COUNTER = """
import atexit, hashlib, os, time
_spent = 0.0
def _timed(function):
    def call(*arguments, **named):
        global _spent
        begun = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            _spent += time.thread_time() - begun
    return call
hashlib.file_digest, hashlib.sha256 = _timed(hashlib.file_digest), _timed(hashlib.sha256)
def _write():
    with open(os.environ["SPENT"], "a") as file:
        file.write(f"{_spent}\\n")
atexit.register(_write)
"""


def checking_figures(place: Path, folder: Path, *options: str) -> dict[str, Figure]:
    """Run in a clone, and compare the time for hashes with that of all processes; return the figures.

    Args:
        place: the clone.
        folder: an empty one for what is counted.
        options: of Snakemake.
    """
    from reproducibility import environment

    (folder / "sitecustomize.py").write_text(COUNTER, encoding="utf-8")
    spent = folder / "spent"
    own = environment(place)
    own |= {"SPENT": str(spent), "PYTHONPATH": os.pathsep.join([own["PYTHONPATH"], str(folder)])}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *options]
    subprocess.run(command, cwd=place, env=own, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    hashes = sum(map(float, spent.read_text(encoding="utf-8").split()))
    return {
        "checking_seconds": Figure("the demo: processor seconds for SHA-256, all processes", hashes),
        "checking_percent": Figure("the same in percent of all its processor seconds", 100 * hashes / total, 2, True),
    }


def main() -> None:
    """Run the demo, show the figures and add them to those of reproducibility."""
    from reproducibility import clone

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    tiny = ["--configfile", "config/tiny.yaml"] if options.quick else []
    with tempfile.TemporaryDirectory(prefix="samizdat-checking-") as name:
        counted = Path(name, "counted")
        counted.mkdir()
        figures = checking_figures(clone(Path(name, "place")), counted, *tiny)
    show(figures)
    if not options.quick:
        add("reproducibility", record_of(figures, {}))


if __name__ == "__main__":
    main()
