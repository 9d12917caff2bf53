"""Run every line of the benchmark for GPUs on the CPU with tiny models, as time on a GPU is too costly for mistakes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support.machine import needs_compiler

ROOT = Path(__file__).parents[2]
# Figures that are exact on every device.
EXACT = {
    "training_plain_bytes", "training_compiled_bytes", "training_older_bytes", "killed_bytes", "ended_bytes",
    "finetuning_bytes", "greedy_share", "company", "logits", "score_company", "waits",
}  # fmt: skip
ROWS = (
    "checks training", "checks generation", "checks classification", "checks resuming", "checks waiting",
    "checks processes", "speeds step", "speeds memory", "speeds training", "speeds trainer", "speeds generation",
    "speeds classification", "speeds finetuning",
)  # fmt: skip


@needs_compiler
def test_every_row_of_the_benchmark_runs(tmp_path):
    before = {path: path.read_bytes() for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    done = subprocess.run(
        [sys.executable, "benchmarks/gpu.py", "--quick", "--device", "cpu", "--out", tmp_path / "figures.json"],
        cwd=ROOT,
        # Idle threads must sleep: spinning, they would slow down the products of other threads.
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert not [row for row in ROWS if not any(line.startswith(f"— {row}, ") for line in lines)]
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert not {key: figures[key] for key in EXACT if figures[key][2] is not True}
    assert figures["processes_percent"][2] and figures["training_float32_percent"][2]
    # Figures of tiny models are not recorded.
    assert {path: path.read_bytes() for path in (ROOT / "benchmarks" / "results").glob("*.json")} == before
