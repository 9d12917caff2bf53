"""The house keeps its shape: who may import whom, who may be heavy, what no file may hold."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from samizdat.base.digest import imported_siblings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workflow" / "samizdat"
STAGES = {
    "corpus.fetch_package",
    "corpus.import_corpus",
    "models.make_tokenizer",
    "models.train_model",
    "samples.generate_samples",
    "classifiers.finetune_classifier",
    "classifiers.import_classifier",
    "classifiers.score_texts",
    "statistics.compute_statistics",
    "statistics.judge_samples",
    "runs.write_manifest",
    "publishing.execute_report",
    "publishing.render_report",
    "runs.write_provenance",
    "models.push_model",
}
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py"
)
HEAVY = {"torch", "transformers", "datasets"}


def imports_at_the_top(module: str) -> set[str]:
    path = PACKAGE / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES)
def test_a_stage_is_imported_by_nobody(module):
    others = imported_siblings(module) - {module}
    assert not {name for name in others if name in STAGES}, f"{module} imports a stage"


def test_every_stage_exists():
    assert set(MODULES) >= STAGES


@pytest.mark.parametrize(
    "module",
    ["base.configuration", "base.digest", "base.seeds", "base.errors", "records.io", "base.files", "reporting"],
)
def test_what_the_snakefile_and_the_report_import_is_light(module):
    heavy = {name: imports_at_the_top(name) & HEAVY for name in imported_siblings(module)}
    assert not {name: found for name, found in heavy.items() if found}


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def test_modules_and_rules_files_are_read_in_one_sitting():
    limits = {".py": 300, ".smk": 180}
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked_files()
        if (limit := limits.get(path.suffix))
        and "tests" not in path.parts
        and (lines := path.read_text(encoding="utf-8").count("\n")) > limit
    }
    assert not long


def test_no_table_of_the_lock_names_a_host():
    assert not re.search(r"https?://|--index-url|file:", (ROOT / "envs" / "lock.txt").read_text(encoding="utf-8"))


def test_the_lock_holds_every_dependency_and_torch_stays_out():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "envs" / "lock.txt").read_text(encoding="utf-8"), re.M))
    wanted = set(re.findall(r'^    "([a-z0-9._-]+)[=>]', project, re.M)) - {"setuptools"}
    assert wanted - locked == {"torch"}
