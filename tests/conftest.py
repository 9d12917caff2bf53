"""Fixtures that the test files share: copies of the workflow to run in, and one finished tiny run."""

import functools
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from hypothesis import settings

from samizdat.base.device import ask_for_equal_bits
from samizdat.base.hardware import LIBRARY_SETTINGS
from samizdat.environment import install
from support import warm_python

# A loaded machine is slow, and nothing is wrong with that.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# Before any test computes, as before any stage does.
ask_for_equal_bits()
os.environ.update(LIBRARY_SETTINGS)

# A shell starts what runs in the background deaf to interrupts, and so would be all that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what all test processes share, in the one that starts the others."""
    if sys.platform == "linux" and not hasattr(config, "workerinput"):
        warm_python.share()


ROOT = Path(__file__).parents[1]
WORKFLOW_FILES = ("Snakefile", "Makefile", "pyproject.toml", "config", "workflow", "profiles", "report", "data", "envs")

# Whether make, called in a copy, would use the environment of the tests as it is and install nothing.
BUILT_BY_MAKE = Path(sys.prefix).resolve() == (ROOT / ".venv").resolve() and any(
    install.fits(ROOT, development=True, system_torch=system_torch) for system_torch in (False, True)
)


@dataclass(frozen=True)
class Checkout:
    """A copy of the workflow in a folder of its own, run as a user runs it.

    A warm one starts stages as forks of a process that has their libraries loaded (`support/warm_python.py`).
    """

    root: Path
    warm: bool = False

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment of a shell in which this copy is the installed one."""
        scripts = str(Path(sys.executable).parent)
        inherited = warm_python.inherited()
        own = {"PATH": f"{scripts}:{os.environ['PATH']}", "PYTHONPATH": str(self.root / "workflow")}
        return warm_python.variables(inherited | own | extra) if self.warm else inherited | own | extra

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

    def make(self, target: str, *variables: str) -> subprocess.CompletedProcess[str]:
        """Run a target of the Makefile to its end, in the environment that runs the tests."""
        return subprocess.run(
            ["make", target, *variables],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def planned_jobs(self, *arguments: str) -> dict[str, int]:
        """Return for each rule, except `all`, the number of jobs that a run would do now."""
        done = self.snakemake("--dry-run", "--quiet", "host", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        if "Nothing to be done" in done.stdout + done.stderr:
            return {}
        table = re.search(r"^job +count\n-.*?\n(.*?)^total ", done.stdout + done.stderr, re.MULTILINE | re.DOTALL)
        rows = (row.split() for row in table.group(1).splitlines())
        return {name: int(count) for name, count in rows if name != "all"}

    def overlay(self, file: str, **changes: object) -> str:
        """Write `config/<file>.yaml` as the tiny config with some keys changed; return its path."""
        config = yaml.safe_load((self.root / "config" / "tiny.yaml").read_text(encoding="utf-8"))
        for key, value in changes.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        path = self.root / "config" / f"{file}.yaml"
        path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        return str(path.relative_to(self.root))


def _not_tracked(folder: Path) -> frozenset[str]:
    """The files of a folder that git doesn't know; none where the project is no clone."""
    command = ["git", "ls-files", "-z", "--others", "--directory", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return frozenset(str(folder / name.rstrip("/")) for name in done.stdout.split("\0") if name)


def new_checkout(folder: Path, root: Path = ROOT, *, warm: bool = False) -> Checkout:
    """Copy the files that the workflow runs from: of `data/` and `config/` those of the project, not the user's own."""
    generated = shutil.ignore_patterns(
        "__pycache__", "*.egg-info", ".*_cache", "report.ipynb", "report.html", "report.docx", "report.pdf",
        "report.typ", "index.html", "*_files", ".quarto",
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name in WORKFLOW_FILES:
        source = root / name
        if source.is_dir():
            users = _not_tracked(source) if name in ("data", "config") else frozenset()
            shutil.copytree(source, folder / name, ignore=lambda at, names, users=users: (
                generated(at, names) | {file for file in names if str(Path(at, file)) in users}
            ))  # fmt: skip
        else:
            shutil.copy2(source, folder / name)
    if BUILT_BY_MAKE:
        (folder / ".venv").symlink_to(sys.prefix)
    return Checkout(folder, warm)


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    """A fresh copy of the workflow."""
    return new_checkout(tmp_path / "checkout")


def _shared(factory: pytest.TempPathFactory, worker: str, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that all test processes share; the first that needs it makes it."""
    base = factory.getbasetemp()
    folder = (base if worker == "master" else base.parent) / name
    made = Path(f"{folder}.made")
    with FileLock(f"{folder}.lock"):
        if not made.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, worker_id) -> Checkout:
    """A copy of the workflow in which `config/tiny.yaml` was run; tests do not change its results.

    It is made as a user makes it. What tests run in it later starts warm.
    """

    def make(folder: Path) -> None:
        done = new_checkout(folder).snakemake("--configfile", "config/tiny.yaml")
        assert done.returncode == 0, done.stdout + done.stderr
        (folder / "stderr.txt").write_text(done.stderr, encoding="utf-8")

    return Checkout(_shared(tmp_path_factory, worker_id, "tiny", make), warm=True)


@pytest.fixture(scope="session")
def installed(tmp_path_factory, worker_id) -> Path:
    """The folder of packages in which the project's wheel was installed; its dependencies are in others."""
    from support.wheels import install_project

    # Imported, pip would put the standard library's distutils in the place of setuptools' own, without which PyTorch
    # can't compile in this process.
    if not list(metadata.distributions(name="pip")):
        pytest.skip("needs pip in the environment of the tests")

    def make(folder: Path) -> None:
        source = new_checkout(folder / "source").root
        for name in ("README.md", "LICENSE"):
            shutil.copy2(ROOT / name, source)
        install_project(source, folder / "installed")

    (packages,) = _shared(tmp_path_factory, worker_id, "wheel", make).glob("installed/lib/python*/site-packages")
    return packages


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """A Hub on this machine with a dataset, a small GPT-2 and the classifiers that `config/gpu.yaml` names."""
    from support import hub_fixtures
    from support.hub_server import HubServer

    folder, server = tmp_path_factory.mktemp("hub"), HubServer()
    gpu = yaml.safe_load((ROOT / "config" / "gpu.yaml").read_text(encoding="utf-8"))
    for number, item in enumerate(gpu["classifiers"]):
        repository = hub_fixtures.write_published(item["checkpoint"], folder / str(number))
        server.add(item["checkpoint"], repository, commit=item["revision"])
    training = gpu["training"]
    server.add(training["checkpoint"], hub_fixtures.write_gpt2(folder / "gpt2"), commit=training["revision"])
    server.add("tests/sentences", hub_fixtures.write_dataset(folder / "sentences"), kind="datasets")
    yield server
    server.stop()


@pytest.fixture
def at_hub(hub, tmp_path, monkeypatch):
    """The same Hub for code that runs in this process, with an empty cache and no token."""
    from huggingface_hub import constants

    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    hub.requests.clear()
    return hub


@pytest.fixture(scope="session")
def chromium():
    """A browser."""
    from playwright.sync_api import sync_playwright

    from support.browsing import LAUNCH

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**LAUNCH)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def made_up(tmp_path_factory, worker_id) -> Path:
    """A made-up run with its report, executed and rendered by the embedded renderer; tests change nothing in it."""
    from support.run_fixture import make_run, publish

    return _shared(tmp_path_factory, worker_id, "made-up", lambda folder: publish(make_run(folder)))


@pytest.fixture
def study(tmp_path):
    """An empty study that tests of the statistics fill."""
    from support.study import Study

    return Study(tmp_path)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A tokenizer's folder, for tests of training."""
    from support.small_training import write_tokenizer

    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def trained(tokenizer, tmp_path_factory):
    """The folder of a model that was trained with `tokenizer`."""
    from support.small_training import run

    return run(tokenizer, tmp_path_factory.mktemp("trained"))[1]


@pytest.fixture(scope="module")
def classifier_of(tmp_path_factory):
    """A function from a model type to the folder of such a classifier with random weights."""
    from support.small_classifier import make_classifier

    return functools.cache(lambda kind: make_classifier(tmp_path_factory.mktemp(kind), model_type=kind))


@pytest.fixture(scope="module")
def classifier(classifier_of):
    """The folder of a BERT classifier with random weights."""
    return classifier_of("bert")
