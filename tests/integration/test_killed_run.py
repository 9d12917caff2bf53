"""A run that is killed again and again, and finished by the plain command, with the bytes of one never disturbed."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Checkout, new_checkout

TINY = ("--configfile", "config/tiny.yaml")
# Each kill comes when the private folder of one of these steps has its lock: while it is at work.
KILLED_IN = ("models/gpt2-tiny", "scores/source/texts", "report")


def results_of(checkout: Checkout) -> dict[str, bytes]:
    """Every result file but the provenance, which tells times."""
    root = checkout.root / "results" / "tiny"
    files = [path for path in root.rglob("*") if path.is_file() and path.name != "provenance.json"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def start_and_kill(checkout: Checkout, step: str) -> None:
    """Run until a step has begun, then kill Snakemake alone: what it started must end by itself."""
    lock = checkout.root / "work" / "tiny" / step / "lock"
    with subprocess.Popen(
        ["snakemake", "--cores", "2", *TINY],
        cwd=checkout.root,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not lock.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)


def living_stages(checkout: Checkout) -> list[str]:
    """Commands of processes that still work in the checkout."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == checkout.root:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if "samizdat." in command]


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for orphans in /proc, which is Linux's")
def test_a_run_killed_three_times_ends_with_the_same_bytes(tiny, tmp_path):
    checkout = new_checkout(tmp_path / "killed")
    shutil.copytree(tiny.root / "work" / "downloads", checkout.root / "work" / "downloads")
    for step in KILLED_IN:
        start_and_kill(checkout, step)
        deadline = time.monotonic() + 20
        while living_stages(checkout) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not living_stages(checkout)
    done = checkout.snakemake(*TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    expected, found = results_of(tiny), results_of(checkout)
    assert set(found) == set(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    left = [path.name for path in (checkout.root / "results").rglob(".*")]
    assert left == []


def test_two_runs_at_once_in_one_folder_do_no_harm(tiny, tmp_path):
    checkout = new_checkout(tmp_path / "twice")
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
    assert {path.name for path in (checkout.root / "results/tiny/corpus").iterdir()} == {
        "summary.json",
        "texts.parquet",
    }
