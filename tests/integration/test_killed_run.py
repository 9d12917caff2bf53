"""A run that is killed, interrupted and stopped by a full disk several times, then finished by the plain command.

All tests of `disturbed` but the last disturb one checkout, in any order; the last one finishes the run.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import Checkout, new_checkout
from samizdat.base.files import is_checksum

pytestmark = pytest.mark.long

TINY = ("--configfile", "config/tiny.yaml")
# Each signal is sent while the private folder of one of these steps has its lock: while the step runs. Snakemake is
# asked only for the file of that step, so that the step has not run before; what the step needs is made before.
DISTURBED_IN = {
    "classifiers/source": (signal.SIGTERM, "classifiers/source/card.json", ("corpus/texts.parquet",)),
    "models/gpt2-tiny": (signal.SIGKILL, "models/gpt2-tiny/summary.json", ("tokenizers/own/summary.json",)),
    "scores/source/texts": (signal.SIGKILL, "scores/source/texts.parquet", ("classifiers/source/card.json",)),
    "scores/sentiment/samples": (
        signal.SIGINT, "scores/sentiment/samples.parquet",
        ("classifiers/sentiment/card.json", "samples/gpt2-tiny.parquet"),
    ),
    "report": (signal.SIGKILL, "report/report.ipynb", ("manifest.json",)),
}  # fmt: skip


def results_of(checkout: Checkout) -> dict[str, bytes]:
    """Read every result file except the provenance, which has times in it."""
    root = checkout.root / "results" / "tiny"
    files = [path for path in root.rglob("*") if path.is_file() and "provenance.json" not in path.name]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def disturbed(tiny, tmp_path_factory) -> Checkout:
    """A checkout in which nothing has run yet; on two small disks of its own where this system allows it."""
    checkout = new_checkout(tmp_path_factory.mktemp("disturbed") / "checkout")
    folders = [checkout.root / name for name in ("results", "work")]
    for folder in folders:
        folder.mkdir()
        mount("-t", "tmpfs", "-o", "size=600m", "samizdat", str(folder))
    shutil.copytree(tiny.root / "work" / "downloads", checkout.root / "work" / "downloads")
    yield checkout
    for folder in folders:
        while os.path.ismount(folder) and subprocess.run(["umount", str(folder)], check=False).returncode == 0:
            pass


def mount(*arguments: str) -> str:
    """Run `mount`; return its error message, empty where it succeeds."""
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False).stderr.strip()
    except FileNotFoundError:
        return "there is no command mount"


def need_disk(checkout: Checkout) -> None:
    if not os.path.ismount(checkout.root / "results"):
        pytest.skip("a small or read-only disk needs a user who may mount one: root, on Linux")


def start_and_kill(checkout: Checkout, step: str, number: signal.Signals, target: str, needed: tuple[str, ...]) -> None:
    """Run until a step has begun, then send a signal.

    An interrupt goes to all processes, as from a terminal; every other signal only to Snakemake, and the processes
    that Snakemake started must end by themselves. What the step needs is made first, and starts warm, as in the last
    test.
    """
    made = Checkout(checkout.root, warm=True).snakemake(*(f"results/tiny/{name}" for name in needed), *TINY)
    assert made.returncode == 0, made.stdout + made.stderr
    lock = checkout.root / "work" / "tiny" / step / "lock"
    lock.unlink(missing_ok=True)
    said = checkout.root / "stderr.txt"
    with said.open("w") as stderr:
        process = subprocess.Popen(
            ["snakemake", "--cores", "2", f"results/tiny/{target}", *TINY],
            cwd=checkout.root,
            env=checkout.environment(),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        while not lock.exists():
            assert process.poll() is None, said.read_text(encoding="utf-8")
            time.sleep(0.02)
        time.sleep(0.3)
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        assert process.wait() != 0


def living_stages(checkout: Checkout) -> list[str]:
    """Return the commands of the stages that still run in the checkout."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == checkout.root:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if "samizdat." in command]


def run_remounted(checkout: Checkout, option: str, usual: str) -> subprocess.CompletedProcess[str]:
    """Run while the disk of the results has another option; skip the test where this system can't mount."""
    need_disk(checkout)
    results = str(checkout.root / "results")
    assert mount("-o", f"remount,{option}", results) == ""
    try:
        return Checkout(checkout.root, warm=True).snakemake(*TINY)
    finally:
        assert mount("-o", f"remount,{usual}", results) == ""


def test_a_full_disk_is_named_and_leaves_no_part_of_a_file(disturbed):
    done = run_remounted(disturbed, "size=64k", "size=600m")  # less than the corpus takes
    assert done.returncode != 0
    assert "No space left on device" in done.stderr and "free some disk space" in done.stderr, done.stderr
    assert "this is a bug" not in done.stderr and "Traceback" not in done.stderr


def test_read_only_results_are_named(disturbed):
    done = run_remounted(disturbed, "ro", "rw")
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for orphans in /proc, which is Linux's")
@pytest.mark.parametrize("step", DISTURBED_IN)
def test_a_killed_run_leaves_no_process_behind(disturbed, step):
    start_and_kill(disturbed, step, *DISTURBED_IN[step])
    deadline = time.monotonic() + 600
    while living_stages(disturbed) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not living_stages(disturbed)
    number, target, _ = DISTURBED_IN[step]
    if number == signal.SIGKILL:
        assert not (disturbed.root / "results" / "tiny" / target).exists(), "the step was cut, and not left to its end"


def test_the_plain_command_finishes_with_the_bytes_of_a_run_never_disturbed(tiny, disturbed):
    done = Checkout(disturbed.root, warm=True).snakemake(*TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    expected, found = results_of(tiny), results_of(disturbed)
    assert set(found) == set(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert [path.name for path in (disturbed.root / "results").rglob(".*") if not is_checksum(path)] == []


def test_two_runs_at_once_in_one_folder_do_no_harm(tiny, tmp_path):
    checkout = new_checkout(tmp_path / "twice", warm=True)
    shutil.copytree(tiny.root / "work" / "downloads", checkout.root / "work" / "downloads")
    command = ["snakemake", "--cores", "1", *TINY, "--until", "import_corpus"]
    both = [
        subprocess.Popen(command, cwd=checkout.root, env=checkout.environment(), stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(2)
    ]  # fmt: skip
    statuses = [process.wait() for process in both]
    assert 0 in statuses
    done = checkout.snakemake(*TINY, "--until", "import_corpus")
    assert done.returncode == 0, done.stderr
    name = "corpus/texts.parquet"
    assert results_of(checkout)[name] == results_of(tiny)[name]
    names = {path.name for path in (checkout.root / "results/tiny/corpus").iterdir() if not is_checksum(path)}
    assert names == {"summary.json", "texts.parquet"}
