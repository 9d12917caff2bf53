"""Update `report/report.ipynb` with a run's results, before `quarto render report/` renders it."""

import itertools
import os
import sys
from collections.abc import Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from samizdat.base.configuration import leave_to_recipe
from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.files import locked, sha256_of
from samizdat.base.wording import how_to_make
from samizdat.publishing.empty_floats import sections_of, without_empty_floats
from samizdat.publishing.execution import execute
from samizdat.publishing.notebook import make_notebook, write_notebook
from samizdat.records.io import read_document
from samizdat.records.run import Manifest

DEFAULT_RUN = Path("results/demo")


def main() -> None:
    """Write `report.ipynb` into the current folder, which is `report/`; exit with a message where that fails.

    The environment variable `SAMIZDAT_RUN` names the run's folder, relative to the repository; by default it is the
    demo's. Cells are executed only when no earlier execution read the same results.
    """
    root = Path.cwd().parent
    try:
        print(prepare(root, root / os.environ.get("SAMIZDAT_RUN", DEFAULT_RUN)), file=sys.stderr)
    except (UserError, OSError) as error:
        sys.exit(visible(f"✗ report: {error}"))


def prepare(root: Path, run: Path) -> str:
    """Update `report/report.ipynb` below `root` with the results in `run`.

    Raises:
        UserError: the run is not finished or of an earlier version, its files are not those of its manifest, or a
            cell fails.
    """
    if not (run / "manifest.json").is_file():
        raise UserError(
            f"{run} has no finished run (there is no manifest.json)",
            remedy=f"run {how_to_make(run.name)} first, or set SAMIZDAT_RUN to the folder of another run",
        )
    manifest = read_document(Manifest, run / "manifest.json")
    if unknown := sorted(_read(root / "config" / "config.yaml").keys() - manifest.config.keys()):
        raise UserError(
            f"the results in {run} are of an earlier version, which had no {unknown[0]} in its config",
            remedy=f"run {how_to_make(manifest.run)}, which renews them",
        )
    for reason in stale(manifest, root):
        renews = f"{how_to_make(manifest.run)} renews them"
        print(visible(f"Warning: the results in {run} are older than {reason}; {renews}."), file=sys.stderr)
    document, notes = root / "report" / "index.qmd", root / manifest.config["notes"]
    work = root / "work" / manifest.run / "report"
    # The stage execute_report has the same work folder and lock, so neither executes again what the other executed.
    with locked(work / "lock"):
        notebook, fresh = execute(make_notebook(document, notes, run), document, run, work, manifest.config["threads"])
    write_notebook(without_empty_floats(notebook, has=sections_of(run)), root / "report" / "report.ipynb")
    return f"✓ report.ipynb of the run {manifest.run}, {'executed' if fresh else 'as executed before'}"


def stale(manifest: Manifest, root: Path) -> Iterator[str]:
    """List what changed since the results were made: input files, and the config of this run."""
    for name, sha256 in manifest.inputs.items():
        if name != manifest.config["notes"] and not ((root / name).is_file() and sha256_of(root / name) == sha256):
            yield name
    base = _read(root / "config" / "config.yaml")
    layers = [_read(path) for path in sorted((root / "config").glob("*.yaml"))]
    # A run has seldom more than two overlays, such as config/tiny.yaml and one's own.
    overlays = itertools.chain.from_iterable(itertools.permutations(layers, number) for number in range(3))
    configs = [config for some in overlays if (config := _laid_over(base, some)).get("name") == manifest.run]
    if configs and manifest.config not in configs:
        yield "the config"


def _read(path: Path) -> dict[str, Any]:
    """Read a config file; a missing or empty one sets nothing."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if isinstance(content, dict):
        return content
    said = f"Warning: {path} is no config in YAML, so it was not compared with the run's config."
    print(visible(said), file=sys.stderr)
    return {}


def _laid_over(base: dict[str, Any], layers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Merge a config with overlays, as the workflow does."""
    config, given = deepcopy(base), dict[str, Any]()
    for layer in layers:
        update_config(config, layer)
        update_config(given, layer)
    leave_to_recipe(config, given)
    return config
