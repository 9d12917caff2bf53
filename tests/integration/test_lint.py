"""Snakemake's linter reports nothing, except for one rule that this workflow does not follow."""

import re
import subprocess
import sys

# All steps run in Snakemake's own locked environment; the lock documents the software.
ONE_ENVIRONMENT = "Specify a conda environment or container for each rule."


def test_the_workflow_passes_snakemakes_linter():
    done = subprocess.run([sys.executable, "-m", "snakemake", "--lint"], capture_output=True, text=True)
    lints = re.findall(r"^    \* (.*?):?$", done.stdout + done.stderr, flags=re.MULTILINE)
    assert set(lints) == {ONE_ENVIRONMENT}, done.stderr
