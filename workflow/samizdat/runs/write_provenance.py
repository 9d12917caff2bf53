"""Write the provenance: dates, machine, durations, all that differs between two runs. Written last, read by no step."""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, checked_sha256, write_text
from samizdat.base.hardware import processor_name


def write_provenance(
    reports: tuple[Path, ...],
    manifest: Path,
    run_work: Path,
    items: list[str],
    switched_off: list[str],
    parts: dict[str, int],
    provenance: Path,
) -> str:
    """Write `provenance.json`: hashes of manifest and report, machine, date, and each step's time and memory.

    Args:
        reports: the notebooks, the page and the PDF.
        manifest: the run's manifest.
        run_work: the run's folder of private state, where each step writes `usage.json` and, where it
            measured them, `speed.json`.
        items: the config's tokenizers, trainings and classifiers; steps of others are of an earlier config.
        switched_off: steps that the config doesn't ask for, or the first folder of several; they are of an earlier
            config, too.
        parts: classifier → how many jobs share the texts; parts with higher numbers are of an earlier config, too.
        provenance: the file to write.
    """
    steps: dict[str, dict[str, Any]] = {}
    damaged = 0
    for name in ("usage.json", "speed.json"):
        for path in sorted(run_work.rglob(name)):
            step = path.parent.relative_to(run_work).as_posix()
            first, *item = step.split("/")
            if (item and item[0] not in items) or not {first, step}.isdisjoint(switched_off):
                continue
            jobs = parts.get(item[0], 1) if item else 1  # a model may have the name of an earlier config's classifier
            if first == "score_part" and (jobs == 1 or int(item[1]) >= jobs):
                continue
            try:
                record = json.loads(checked_bytes(path))
            except (UserError, ValueError):
                damaged += 1
            else:
                steps.setdefault(step, {}).update(record)
    document = {
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": {path.name: checked_sha256(path) for path in (manifest, *reports)},
        "machine": {
            "system": platform.platform(),
            "processor": processor_name(),
            "gpus": _gpus(),
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        },
        "torch": _torch(),
        "peak_memory_bytes": max((step.get("peak_memory_bytes", 0) for step in steps.values()), default=0),
        "steps": steps,
    }
    write_text(provenance, json.dumps(document, indent=2, sort_keys=True) + "\n")
    seconds = sum(step["elapsed_seconds"] for step in steps.values() if "elapsed_seconds" in step)
    lost = f"; {damaged} records of durations are damaged and left out" if damaged else ""
    return f"all steps took {seconds / 60:.1f} minutes when they last ran{lost}"


def _torch() -> dict[str, Any]:
    """Describe the installed wheel of torch, which the lock doesn't pin by hash: each machine has its own build.

    `sha256` is of the names and hashes of its files as the wheel lists them, without what the installer adds.
    """
    wheel = metadata.distribution("torch")
    files = [f"{file} {file.hash.value}" for file in wheel.files or () if file.hash and ".dist-info" not in str(file)]
    listed = sorted(line for line in files if "__pycache__" not in line and not line.startswith(".."))
    source = json.loads(wheel.read_text("direct_url.json") or "{}").get("url")
    return {
        "version": wheel.version,
        "tags": re.findall(r"^Tag: (.+)$", wheel.read_text("WHEEL") or "", re.MULTILINE),
        "sha256": hashlib.sha256("\n".join(listed).encode()).hexdigest(),
        "source": source and re.sub(r"//[^/@]*@", "//", source),  # null: the registry that the installer uses
    }


def _gpus() -> list[str]:
    """Ask for name, memory and driver of each NVIDIA GPU, without importing torch, which takes seconds."""
    if not shutil.which("nvidia-smi"):
        return []
    question = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(question, capture_output=True, text=True, check=False)
    return answer.stdout.splitlines() if answer.returncode == 0 else []


if __name__ == "__main__":
    stage.run(write_provenance)
