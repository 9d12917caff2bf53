"""Update report.ipynb with the run's results and this folder's document: Quarto's pre-render hook.

Any Python may start it: where that one doesn't have the package, the one in .venv goes on.
"""

import os
import sys
from pathlib import Path

try:
    from samizdat.publishing.quarto_hook import main
except ImportError as error:
    environment = Path(__file__).resolve().parents[1] / ".venv"
    python = environment / "bin" / "python"
    if python.is_file() and Path(sys.prefix).resolve() != environment.resolve():
        os.execv(str(python), [str(python), __file__])  # noqa: S606 - no shell is wanted
    sys.exit(
        f"✗ report: the package samizdat can't be loaded by {sys.executable} ({error}). "
        f"Run `make .venv/ready` in {environment.parent}, or set QUARTO_PYTHON to a Python that has it."
    )

main()
