"""Record the figures of a benchmark as JSON, and as a table in docs/benchmarks.md.

python benchmarks/record.py gpu FILE    add a record that `benchmarks/gpu.py --out FILE` wrote on another machine
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samizdat.base.files import write_text

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
LIBRARIES = ("torch", "transformers", "accelerate", "numpy", "snakemake")


@dataclass(frozen=True)
class Figure:
    """One measured number and its target."""

    meaning: str  # in words, with the unit
    value: float
    reach: float | None = None  # the target; None for a figure that only explains others
    less_is_better: bool = False
    spread: tuple[float, float] | None = None  # the least and the greatest of several measurements

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is no target."""
        if self.reach is None:
            return None
        return bool(self.value <= self.reach if self.less_is_better else self.value >= self.reach)  # NumPy has its own


def middle(meaning: str, values: list[float], reach: float | None = None, *, less_is_better: bool = False) -> Figure:
    """Make a figure of several measurements: their median, with the least and the greatest as spread."""
    ordered = sorted(values)
    half = len(ordered) // 2
    median = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    return Figure(meaning, median, reach, less_is_better, (ordered[0], ordered[-1]))


def write(name: str, figures: dict[str, Figure], notes: dict[str, Any]) -> None:
    """Write `benchmarks/results/<name>.json` and its table into docs/benchmarks.md.

    Args:
        name: of the benchmark. Its table is between two comments with that name; a new table is put at the end of the
            page's section of that name, which is made where there is none.
        figures: figures by name.
        notes: anything else to record as JSON, such as settings and curves.
    """
    _keep(name, record_of(figures, notes))


def record_of(figures: dict[str, Figure], notes: dict[str, Any]) -> dict[str, Any]:
    """Make the record of figures that were measured on this machine with this commit."""
    return {
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions()},
        "commit": commit(),
        "figures": {key: _as_json(figure) for key, figure in figures.items()},
        "notes": notes,
    }


def add(name: str, part: dict[str, Any]) -> None:
    """Add the record of a part of a benchmark, as `record_of` made it, to the record of the whole.

    The other rows are kept. The notes get `commits_of_parts`: the commit that each of these figures was measured with.
    A row of another machine or of other versions says so.
    """
    path = RESULTS / f"{name}.json"
    whole = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else part
    other = ", ".join(each for each in _made_with(part) if each not in _made_with(whole))
    figures = {
        key: figure | {"meaning": figure["meaning"] + (f" ({other})" if other else "")}
        for key, figure in part["figures"].items()
    }
    commits = whole["notes"].get("commits_of_parts", {}) | dict.fromkeys(figures, part["commit"])
    notes = whole["notes"] | part["notes"] | {"commits_of_parts": commits}
    _keep(name, whole | {"figures": whole["figures"] | figures, "notes": notes})


def _made_with(record: dict[str, Any]) -> list[str]:
    """Say what a record was made with: the device that computed, and each version."""
    hardware, versions = record["machine"], record["versions"]
    return [hardware["gpu"] or hardware["processor"], *(f"{key} {value}" for key, value in versions.items())]


def _keep(name: str, record: dict[str, Any]) -> None:
    """Write a record and its table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_text(RESULTS / f"{name}.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else "# Benchmarks\n"
    begin, end = f"<!-- figures of {name} -->", f"<!-- end of {name} -->"
    table = f"{begin}\n{table_of(record)}\n{end}"
    if begin in page:
        page = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: table, page, flags=re.DOTALL)
    else:
        before, _, after = page.partition(f"\n## {name}\n")
        section, following, rest = after.partition("\n## ")
        page = f"{before.rstrip()}\n\n## {name}\n{section.rstrip()}\n\n{table}\n{following}{rest}"
    write_text(PAGE, page)


def show(figures: dict[str, Figure]) -> None:
    """Print the figures."""
    for key, figure in figures.items():
        row = _row(_as_json(figure))
        print(f"{key}: {' | '.join(cell for cell in row if cell)}", flush=True)


def table_of(record: dict[str, Any]) -> str:
    """Write a record as Markdown: machine and versions, then a row for each figure."""
    hardware = record["machine"]
    versions = ", ".join(f"{key} {value}" for key, value in record["versions"].items())
    where = f"{hardware['processor']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB"
    if hardware["gpu"]:
        where += f", {hardware['gpu']}"
    lines = [f"{where}; {versions}; commit {record['commit'] or 'unknown'}.", ""]
    lines += ["| figure | value | least to greatest | reach | met |", "| --- | ---: | --- | ---: | --- |"]
    lines += [f"| {' | '.join(_row(figure))} |" for figure in record["figures"].values()]
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """Describe this machine."""
    from samizdat.base.hardware import processor_name

    return {
        "system": platform.platform(),
        "processor": processor_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "gpu": _gpu(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that matter, as far as they are installed."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the last commit of the code, without docs and results, with a `+` where files have changed since."""
    git, code = ["git", "-C", str(ROOT)], ["--", ".", ":!docs", ":!benchmarks/results"]
    try:
        log = subprocess.run([*git, "log", "-1", "--format=%H", *code], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", *code]).returncode
    except (OSError, subprocess.CalledProcessError):
        return None
    return log.stdout.strip() + ("+" if changed else "")


def _as_json(figure: Figure) -> dict[str, Any]:
    return {
        "meaning": figure.meaning,
        "value": float(f"{figure.value:.5g}"),
        "spread": figure.spread and [float(f"{value:.5g}") for value in figure.spread],
        "reach": figure.reach,
        "less_is_better": figure.less_is_better,
        "met": figure.met,
    }


def _row(figure: dict[str, Any]) -> list[str]:
    spread, reach = figure["spread"], figure["reach"]
    return [
        figure["meaning"],
        _number(figure["value"]),
        f"{_number(spread[0])} to {_number(spread[1])}" if spread else "",
        "" if reach is None else f"{'≤' if figure['less_is_better'] else '≥'} {reach:g}",
        {None: "", True: "yes", False: "no"}[figure["met"]],
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def main() -> None:
    """Add a record from another machine; one without a commit is of this checkout's files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the benchmark")
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    part = json.loads(options.file.read_text(encoding="utf-8"))
    add(options.name, part | {"commit": part["commit"] or commit()})


if __name__ == "__main__":
    main()
