"""What `quarto render report/` does first: it brings `report/report.ipynb` up to date with a run."""

import os
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import yaml
from snakemake.utils import update_config

from samizdat.base.errors import UserError
from samizdat.base.files import locked, sha256_of, write_text
from samizdat.publishing.notebook import execute, make_notebook
from samizdat.records.io import read_document
from samizdat.records.run import Manifest

DEFAULT_RUN = Path("results/demo")


def main() -> None:
    """Write `report.ipynb` into the current folder, which is `report/`, and exit with a status.

    The run is the one in `SAMIZDAT_RUN` (relative to the repository), by default the demo. Cells are executed
    only when no earlier execution saw the same results.
    """
    root = Path.cwd().parent
    try:
        print(prepare(root, root / os.environ.get("SAMIZDAT_RUN", DEFAULT_RUN)), file=sys.stderr)
    except UserError as error:
        sys.exit(f"✗ report: {error}")


def prepare(root: Path, run: Path) -> str:
    """Bring `report/report.ipynb` below `root` up to date with the results in `run`.

    Raises:
        UserError: the run is not finished, its files changed, or a cell fails.
    """
    if not (run / "manifest.json").is_file():
        raise UserError(
            f"{run} holds no finished run",
            remedy="run `make report` first, or set SAMIZDAT_RUN to the folder of another run",
        )
    manifest = read_document(Manifest, run / "manifest.json")
    for reason in stale(manifest, root):
        print(f"Warning: the results in {run} are older than {reason}; `make report` renews them.", file=sys.stderr)
    document, notes = root / "report" / "index.qmd", root / manifest.config["notes"]
    work = root / "work" / manifest.run / "report"
    # The same work folder and lock as the step of the workflow, so that neither executes what the other did.
    with locked(work / "lock"):
        notebook, fresh = execute(make_notebook(document, notes, run), document, run, work, manifest.config["threads"])
    write_text(root / "report" / "report.ipynb", nbformat.writes(notebook) + "\n")
    return f"✓ report.ipynb of the run {manifest.run}, {'executed' if fresh else 'as executed before'}"


def stale(manifest: Manifest, root: Path) -> Iterator[str]:
    """What the results are older than: changed input files, and the config files of this run."""
    for name, sha256 in manifest.inputs.items():
        if name != manifest.config["notes"] and not ((root / name).is_file() and sha256_of(root / name) == sha256):
            yield name
    base = _read(root / "config" / "config.yaml")
    layers = [{}, *(_read(path) for path in sorted((root / "config").glob("*.yaml")))]
    configs = [config for layer in layers if (config := _laid_over(base, layer)).get("name") == manifest.run]
    if configs and manifest.config not in configs:
        yield "the config"


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}


def _laid_over(base: dict[str, Any], layer: dict[str, Any]) -> dict[str, Any]:
    """One config over another, as Snakemake does it."""
    config = deepcopy(base)
    update_config(config, layer)
    return config
