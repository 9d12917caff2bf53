"""Draw the rule graph of a run: which rule follows which."""

import os
import subprocess
import sys
from pathlib import Path

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.base.project import own
from samizdat.runs.damage import UNCHECKED


def draw_rules(run_config: Path, rulegraph: Path) -> None:
    """Ask Snakemake for the rule graph in the dot language, and write it.

    Args:
        run_config: the merged config.
        rulegraph: the file to write.

    Raises:
        UserError: Snakemake fails.
    """
    # The workflow alone, also where it is a part of another one.
    command = [sys.executable, "-m", "snakemake", "--snakefile", own("Snakefile"), "--rulegraph", "dot"]
    command += ["--configfile", str(run_config), "--cores", "1", "--nolock"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {UNCHECKED: "1"})
    if done.returncode:
        raise UserError(f"Snakemake can't draw the rule graph: {done.stderr.strip()}", remedy="look at the Snakefile")
    write_text(rulegraph, done.stdout)


if __name__ == "__main__":
    stage.run(draw_rules)
