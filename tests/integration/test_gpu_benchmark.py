"""Run every line of the benchmark for GPUs on the CPU with tiny models, as time on a GPU is too costly for mistakes."""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from samizdat.base.files import write_text
from support.machine import needs_compiler

ROOT = Path(__file__).parents[2]
# Figures that are exact on every device.
EXACT = {
    "training_plain_bytes", "training_compiled_bytes", "training_older_bytes", "killed_bytes", "ended_bytes",
    "finetuning_bytes", "greedy_share", "company", "logits", "score_company", "waits", "score_company_few-shot",
    "score_company_zero-shot", "score_company_deberta",
}  # fmt: skip
ROWS = (
    "checks training", "checks generation", "checks classification", "checks kinds", "checks resuming",
    "checks waiting", "checks processes", "speeds step", "speeds memory", "speeds training", "speeds trainer",
    "speeds generation", "speeds classification", "speeds finetuning",
)  # fmt: skip


# In a process, hides the packages of this environment that the benchmark doesn't name, as on a bare machine.
HIDE = """
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if path is None and name in {hidden!r} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""


def named_packages() -> set[str]:
    """Read which packages the benchmark says that it needs; with those that they need."""
    docstring = ast.get_docstring(ast.parse((ROOT / "benchmarks" / "gpu.py").read_text(encoding="utf-8")))
    named = re.search(r"for these stages: (.+?) and (\w+)\.", docstring, re.DOTALL)
    waiting, found = ["torch", "transformers", *re.findall(r"[\w-]+", named[1]), named[2]], set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            needs = [Requirement(line) for line in importlib.metadata.requires(name) or []]
            waiting += [each.name for each in needs if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


@pytest.mark.long
@needs_compiler
def test_every_row_of_the_benchmark_runs(tmp_path):
    named = named_packages()
    hidden = {
        module
        for module, packages in importlib.metadata.packages_distributions().items()
        if module != "samizdat" and not named.intersection(map(canonicalize_name, packages))
    }
    write_text(tmp_path / "bare" / "sitecustomize.py", HIDE.format(hidden=hidden))
    before = {path: path.read_bytes() for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    done = subprocess.run(
        [sys.executable, "benchmarks/gpu.py", "--quick", "--device", "cpu", "--out", tmp_path / "figures.json"],
        cwd=ROOT,
        # Idle threads must sleep: spinning, they would slow down the products of other threads.
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'workflow'}:{tmp_path / 'bare'}", "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert not [row for row in ROWS if not any(line.startswith(f"— {row}, ") for line in lines)]
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["figures"]
    assert not {key: figures[key] for key in EXACT if figures[key]["met"] is not True}
    assert figures["processes_percent"]["met"] and figures["training_float32_percent"]["met"]
    assert "hypothesis" in hidden and "icu4py" not in hidden
    # Figures of tiny models are not recorded.
    assert {path: path.read_bytes() for path in (ROOT / "benchmarks" / "results").glob("*.json")} == before
