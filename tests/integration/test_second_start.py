"""A second start of a run that is being made: refused, and told; what only looks at the run is not."""

import subprocess
import sys

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
