"""Check that runs are reproducible: two clean demo runs, killed tiny runs, and one change at a time.

    make bench-reproducibility                      two demo runs, sixty kills, damaged files, the table of changes
    python benchmarks/reproducibility.py --quick    tiny runs, three kills, two changes; records nothing

It runs the commit that is checked out here, in clones in a temporary folder. The table of changes is that of the tests.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path

from damage import damaged_figures, flip_figures, orphan_figures
from record import ROOT, Figure, middle, show, write

TINY = ["--configfile", "config/tiny.yaml"]
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TABLE = "tests/integration/test_tiny_run.py::test_a_change_reruns_what_depends_on_it_and_nothing_else"
# The row of a new text needs a run with its own texts, so it is beside the tests of such a run.
NEW_TEXT = "tests/integration/test_verified_run.py::test_one_text_more_reruns_exactly_what_depends_on_the_corpus"


def main() -> None:
    """Run all checks, show and record their figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    figures: dict[str, Figure] = {}
    notes: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="samizdat-reproducibility-") as name:
        root = Path(name)
        runs = [clone(root / place) for place in ("first", "second")]
        options, run_name = (TINY, "tiny") if quick else ([], "demo")
        notes["clean_run_seconds"] = [run(place, *options) for place in runs]
        files = [digests(place, run_name) for place in runs]
        notes["different_in_clean_runs"] = different = differing(*files)
        figures["clean_files"] = Figure("files of a run, all but provenance.json", len(files[0]))
        figures["clean_equal"] = Figure(
            f"share of them with equal bytes in two clean {run_name} runs", 1 - len(different) / len(files[0]), 1.0
        )
        figures["no_op_seconds"] = middle(
            "a run with nothing to do, seconds", [run(runs[0], *options) for _ in range(3)], 5, less_is_better=True
        )
        plans = [plan(runs[0], *options, "--config", "seed=7") for _ in range(3)]
        figures["plan_seconds"] = middle("the plan for another seed, seconds", plans, 5, less_is_better=True)
        figures |= kill(root, 3 if quick else 30, notes)
        figures |= flip_figures(root / "calm", 5 if quick else 300, notes)
        figures |= damaged_figures(root / "calm", digests(root / "calm", "tiny"), 1 if quick else 10, notes)
        figures |= orphan_figures(root / "calm", 2 if quick else 30)
    figures |= changes(quick, notes)
    show(figures)
    if not quick:
        write("reproducibility", figures, notes)
    if any(figure.met is False for figure in figures.values()):
        raise SystemExit(1)


def clone(folder: Path) -> Path:
    """Clone the commit that is checked out here, and copy the downloads that are there."""
    command = ["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)]
    subprocess.run(command, check=True)
    fetched = ROOT / "work" / "downloads"
    if fetched.is_dir():
        shutil.copytree(fetched, folder / "work" / "downloads")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Return the environment in which a clone is the installed one."""
    return os.environ | {"PYTHONPATH": str(folder / "workflow")}


def start(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own, so that a signal can go to all its processes.

    The run does not ignore interrupts, even where a shell started this program in the background.
    """
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *options]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": (folder / "stderr.txt").open("wb")}
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        command, cwd=folder, env=environment(folder), start_new_session=True, preexec_fn=heard, **quiet
    )


def run(folder: Path, *options: str) -> float:
    """Run to the end; return the seconds."""
    begun = time.monotonic()
    if start(folder, *options).wait():
        raise SystemExit(f"a run failed:\n{(folder / 'stderr.txt').read_text(encoding='utf-8')}")
    return time.monotonic() - begun


def plan(folder: Path, *options: str) -> float:
    """Return the seconds of a plan."""
    begun = time.monotonic()
    command = [sys.executable, "-c", "from samizdat.cli import main; main()", "plan", *options]
    subprocess.run(command, cwd=folder, env=environment(folder), stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begun


def digests(folder: Path, name: str) -> dict[str, str]:
    """Hash every file of a run's results except the provenance."""
    results = folder / "results" / name
    files = [path for path in results.rglob("*") if path.is_file() and _is_result(path)]
    return {path.relative_to(results).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _is_result(path: Path) -> bool:
    """Whether a file is a result: no checksum, nothing that was set aside, and not the provenance, which has dates."""
    return not path.name.startswith(".") and path.name != "provenance.json" and ".edited." not in path.name


def differing(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return the names of files that only one run has or whose bytes differ."""
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def kill(root: Path, kills: int, notes: dict[str, object]) -> dict[str, Figure]:
    """Send signals to tiny runs at random moments, then let the plain command finish, and compare the results.

    A run that ends before its next signal is compared, too, and another one starts from nothing.
    """
    calm, disturbed = clone(root / "calm"), clone(root / "disturbed")
    whole_seconds = run(calm, *TINY)
    expected = digests(calm, "tiny")
    instants, sent, ended, wrong = random.Random(30), [], 0, set()
    while len(sent) < kills:
        number, wait = instants.choice(SIGNALS), instants.uniform(0, whole_seconds / 3)
        process = start(disturbed, *TINY)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            # As Ctrl-C at a terminal, SIGINT goes to every process; other signals go only to Snakemake.
            (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
            process.wait()
            sent.append([number.name, round(wait, 2)])
            print(f"{len(sent)}: {number.name} after {wait:.1f} s", flush=True)
            continue
        ended += 1
        wrong |= set(differing(expected, digests(disturbed, "tiny")))
        for name in ("results", "work/tiny", "work/scores", ".snakemake"):
            path = disturbed / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    run(disturbed, *TINY)
    wrong |= set(differing(expected, digests(disturbed, "tiny")))
    notes |= {"signals": sent, "runs_that_were_disturbed": ended + 1, "different_after_kills": sorted(wrong)}
    return {
        "kills": Figure("signals (SIGKILL, SIGTERM, SIGINT) at random instants of tiny runs", kills),
        "killed_equal": Figure("share of files with equal bytes after them", 1 - len(wrong) / len(expected), 1.0),
    }


def changes(quick: bool, notes: dict[str, object]) -> dict[str, Figure]:
    """Run the tests' table of changes, and count the rows whose jobs are exactly the expected ones."""
    chosen = [TABLE, "-k", "touched"] if quick else [TABLE, NEW_TEXT]
    with tempfile.TemporaryDirectory() as name:
        report = Path(name, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *chosen]
        subprocess.run(command, cwd=ROOT, env=environment(ROOT), stdout=subprocess.DEVNULL, check=False)
        cases = ElementTree.parse(report).findall(".//testcase")
    failed = [case.get("name") for case in cases if len(case.findall("*")) > len(case.findall("properties"))]
    notes["rows_that_do_not_hold"] = failed
    rows = len(cases)
    return {
        "rows": Figure("rows of the table of changes", rows, None if quick else 20),
        "rows_that_hold": Figure("share of them whose jobs are exactly the expected ones", 1 - len(failed) / rows, 1.0),
    }


if __name__ == "__main__":
    main()
