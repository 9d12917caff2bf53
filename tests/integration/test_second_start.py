"""A second start of a run that is being made is refused, what only looks at the run is not; a start for one file."""

import subprocess
import sys

from samizdat.base.files import write_text

RECORD = ("--configfile", "config/tiny.yaml", "--", "results/tiny/config.json")
HOLD = """
import sys
from pathlib import Path
from samizdat.runs.only_start import be_the_only_start
be_the_only_start(Path("work/tiny"))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_start_is_refused_until_the_first_has_ended(checkout):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=checkout.root, env=checkout.environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as first:  # fmt: skip
        assert first.stdout.readline() == "held\n"
        second = checkout.snakemake(*RECORD)
        assert second.returncode == 1, second.stderr
        *_, what, remedy = second.stderr.splitlines()
        assert what == "✗ another Snakemake is at work on this run (it holds the lock work/tiny/lock)."
        assert remedy.startswith("  What to do: wait until it ends") and "WorkflowError" not in second.stderr
        assert not (checkout.root / "results").exists()
        assert checkout.planned_jobs(*RECORD) == {"write_config": 1}
        first.kill()
    done = checkout.snakemake(*RECORD)
    assert done.returncode == 0, done.stderr


def test_a_start_for_another_file_does_not_announce_a_report_that_may_be_an_old_one(checkout):
    report = checkout.root / "results" / "tiny" / "report"
    for name in ("report.html", "report.ipynb", "report.pdf"):
        write_text(report / name, "of an earlier config")
    done = checkout.snakemake(*RECORD)
    assert done.returncode == 0 and "Report:" not in done.stderr, done.stderr
    assert (report / "report.html").read_text(encoding="utf-8") == "of an earlier config"
