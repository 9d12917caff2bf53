"""What the test files share: copies of the workflow to run in, and one finished tiny run."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW_FILES = ("Snakefile", "config", "workflow", "profiles", "report", "data")


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow in a folder of its own, run as a user would run it."""

    root: Path

    def environment(self, **extra: str) -> dict[str, str]:
        """The environment of a shell in which this copy is the installed one."""
        scripts = str(Path(sys.executable).parent)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SAMIZDAT_", "HF_"))}
        return (
            inherited | {"PATH": f"{scripts}:{os.environ['PATH']}", "PYTHONPATH": str(self.root / "workflow")} | extra
        )

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end."""
        return subprocess.run(
            ["snakemake", "--cores", "2", *arguments],
            cwd=self.root,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def planned_jobs(self, *arguments: str) -> dict[str, int]:
        """Rule → number of jobs that a run would do now, rule all left out."""
        done = self.snakemake("--dry-run", "--quiet", "host", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        if "Nothing to be done" in done.stdout + done.stderr:
            return {}
        table = re.search(r"^job +count\n-.*?\n(.*?)^total ", done.stdout + done.stderr, re.MULTILINE | re.DOTALL)
        rows = (row.split() for row in table.group(1).splitlines())
        return {name: int(count) for name, count in rows if name != "all"}

    def overlay(self, name: str, **changes: object) -> str:
        """Write `config/<name>.yaml` as the tiny config with some keys changed; return its path."""
        config = yaml.safe_load((self.root / "config" / "tiny.yaml").read_text(encoding="utf-8"))
        for key, value in changes.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        path = self.root / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        return str(path.relative_to(self.root))


def new_checkout(folder: Path) -> Checkout:
    """Copy what the workflow runs from."""
    generated = shutil.ignore_patterns("__pycache__", "*.egg-info", "report.ipynb", "*.html", ".quarto")
    for name in WORKFLOW_FILES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=generated)
        else:
            shutil.copy(source, folder / name)
    return Checkout(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Checkout:
    """A copy of the workflow in which `config/tiny.yaml` was run; tests leave its results as they are."""
    checkout = new_checkout(tmp_path_factory.mktemp("tiny"))
    done = checkout.snakemake("--configfile", "config/tiny.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    (checkout.root / "stderr.txt").write_text(done.stderr, encoding="utf-8")
    return checkout
