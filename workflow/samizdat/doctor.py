"""`samizdat doctor`: check this machine, the environment and the results, and print what a bug report needs."""

import importlib.metadata
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from samizdat import __version__
from samizdat.base.corpus_files import shown
from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.files import checksum_file, is_checksum, not_intact, sha256_of
from samizdat.base.free_space import free_bytes
from samizdat.base.hardware import describe_device, unused_gpu_warning
from samizdat.base.project import own, project_folder
from samizdat.environment import install
from samizdat.environment.system import check_system, cpp_compiler, how_to_install
from samizdat.publishing.page_by_quarto import find_quarto
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from samizdat.runs.git import commit_of, git, why_unreadable

GOOD, NOTE, BAD = "✓", "·", "✗"
# Below this a run of the demo has no room: results, work and logs of one take 0.3 GB, a training's states more.
LEAST_FREE_BYTES = 1_000_000_000
MOST_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's output: what was found, and what to do where something is wrong."""

    mark: str  # GOOD, NOTE (works, but slower or with less) or BAD (a run fails or its results are not to be trusted)
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.text}" + (f"\n    What to do: {self.remedy}" if self.remedy else "")


def doctor(root: Path) -> int:
    """Print what was found, the worst last; return 0 where a run can start and all results are undamaged, else 1.

    Args:
        root: the project's folder, or one that only uses the workflow.

    Raises:
        UserError: `root` is neither.
    """
    if not (root / "Snakefile").is_file() and not (root / "results").is_dir():
        raise UserError(
            f"{root} is not the project's folder", remedy="start this where the Snakefile or the folder results is"
        )
    found = [finding for look in (_system, _environment, _machine, _programs, _results) for finding in look(root)]
    found.sort(key=lambda finding: (GOOD, NOTE, BAD).index(finding.mark))
    print(visible("\n".join(map(str, found))))  # the names of somebody else's files must not control the terminal
    print(f"\nFor a bug report (without texts and names of files):\n{bug_report()}")
    return 1 if any(finding.mark == BAD for finding in found) else 0


def bug_report() -> str:
    """Describe versions and machine in a few lines, without paths, names or texts of the user."""
    packages = ("torch", "transformers", "snakemake", "pandas", "numpy")
    versions = ", ".join(f"{name} {_version(name) or 'missing'}" for name in packages)
    code = project_folder()
    commit = git("-C", str(code), "describe", "--always", "--dirty") if commit_of(code) else None
    lines = [
        f"samizdat {__version__}, commit {commit or 'unknown'}",
        f"Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} CPUs",
        versions,
        describe_device("auto").splitlines()[0],
        f"quarto: {'found' if find_quarto() else 'not found'}; C++ compiler: {cpp_compiler() or 'none'}",
    ]
    return "\n".join(f"  {line}" for line in lines)


def _system(root: Path) -> Iterator[Finding]:
    try:
        check_system()
    except UserError as error:
        yield Finding(BAD, error.what, error.remedy)
    yield Finding(GOOD, f"Python {platform.python_version()} on {platform.system()}")
    free = free_bytes(root)
    if free < LEAST_FREE_BYTES:
        remedy = "free some disk space; `samizdat clean` shows what this project takes"
        yield Finding(BAD, f"{free / 1e9:.1f} GB are free on the disk of {root}", remedy)
    else:
        yield Finding(GOOD, f"{free / 1e9:.0f} GB are free on the disk")


def _environment(root: Path) -> Iterator[Finding]:
    # A folder that only uses the workflow has neither a lock nor an environment that make builds.
    project = root if (root / "envs" / "lock.txt").is_file() else project_folder()
    system_torch = any((root / ".venv").glob(f"lib/python*/site-packages/{install.SYSTEM_TORCH}"))
    make = "make .venv/ready" + (" TORCH=system" if system_torch else "")
    if project != root:
        yield Finding(NOTE, f"this folder uses the workflow of {project.resolve()}")
    elif Path(sys.prefix).resolve() != (root / ".venv").resolve():
        yield Finding(NOTE, f"this is the Python of {sys.prefix}, not that of .venv, which make builds and uses")
    elif not install.fits(root, development=False, system_torch=system_torch):
        yield Finding(BAD, "the environment in .venv doesn't fit envs/lock.txt", make)
    if why := why_unreadable(project):
        remedy = "look at `git status` there"
        if "ownership" in why:
            remedy = f"git config --global --add safe.directory {shlex.quote(str(project.resolve()))}"
        yield Finding(NOTE, f"git can't read the repository of the code ({why}): runs record no commit", remedy)
    if os.environ.get("PYTHONPATH"):
        text = "PYTHONPATH is set: the packages in its folders count before those of the environment"
        yield Finding(NOTE, text, "unset PYTHONPATH")
    lock = (project / "envs" / "lock.txt").read_text(encoding="utf-8")
    locked: dict[str, set[str]] = {}  # a package has several versions where its newest doesn't support every Python
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE):
        locked.setdefault(name, set()).add(version)
    other = [f"{name} {found}" for name in locked if (found := _version(name)) and found not in locked[name]]
    if other:
        text = f"packages that have other versions than in the lock: {_some(other)}"
        # Without the note of the last installation, since make believes that one.
        again = f"rm -f .venv/ready && {make}"
        if project != root:
            again = "install the package again, with --constraint and the lock"
        yield Finding(NOTE, text, f"{again}; results of other versions may differ")
    else:
        yield Finding(GOOD, "the packages have the versions of the lock")


def _machine(root: Path) -> Iterator[Finding]:
    yield Finding(GOOD, describe_device("auto").splitlines()[0].removesuffix("."))
    if said := unused_gpu_warning():
        yield Finding(NOTE, said)
    if compiler := cpp_compiler():
        yield Finding(GOOD, f"training can be compiled ({compiler})")
    else:
        remedy = how_to_install("compiler", "install a C++ compiler and the headers of Python")
        yield Finding(NOTE, "no C++ compiler with Python's headers: training is not compiled, and slower", remedy)


def _programs(root: Path) -> Iterator[Finding]:
    other = "the embedded renderer makes the page (there is no Quarto 1.7 or newer)"
    yield Finding(GOOD, "Quarto makes the page" if find_quarto() else other)


def _results(root: Path) -> Iterator[Finding]:
    """Check whether each run's files are those of its manifest, and whether a stopped run left a lock."""
    for run in sorted((root / "results").glob("*/")):
        yield from _files_of(run, str(run.relative_to(root)))
        yield from _state_of(root / "work" / run.name, f"work/{run.name}")
    yield from _scores(root / "work" / "scores")
    if any((root / ".snakemake" / "locks").glob("*")) and not _snakemake_runs(root):
        yield Finding(BAD, "a run that was killed left its lock", _how_to_unlock(root))


def _how_to_unlock(root: Path) -> str:
    """Write the command; a folder that only uses the workflow may have no Snakefile that Snakemake finds by itself."""
    snakemake = ".venv/bin/snakemake" if (root / ".venv").is_dir() else "snakemake"
    found = any((root / name).is_file() for name in ("Snakefile", "workflow/Snakefile"))
    return f"{snakemake} --unlock" + ("" if found else f" --snakefile {shlex.quote(own('Snakefile'))}")


def _files_of(run: Path, name: str) -> Iterator[Finding]:
    if not (run / "manifest.json").is_file():
        yield Finding(NOTE, f"{name} has no manifest: the run is not finished")
        return
    try:
        artefacts = read_document(Manifest, run / "manifest.json").artefacts
    except UserError as error:
        yield Finding(BAD, error.what, error.remedy)
        return
    missing = [file for file in artefacts if not (run / file).is_file()]
    changed = [file for file in artefacts if file not in missing and sha256_of(run / file) != artefacts[file]]
    # Files that the manifest does not name, the reports among them.
    checked = [path for path in run.rglob("*") if checksum_file(path).is_file()]
    changed += [file for path in not_intact(checked) if (file := path.relative_to(run).as_posix()) not in changed]
    remedy = "run the same command again: it makes them again"
    if missing:
        yield Finding(BAD, f"{name}: {_number(missing, 'is', 'are')} missing: {_some(missing)}", remedy)
    if changed:
        what = _number(changed, "is damaged or was", "are damaged or were")
        yield Finding(BAD, f"{name}: {what} edited: {_some(changed)}", remedy)
    if not missing and not changed:
        yield Finding(GOOD, f"{name}: all {len(artefacts)} files are those of its manifest")
    orphans = [
        path.relative_to(run).as_posix()
        for path in sorted(run.rglob("*"))
        if path.is_file() and not is_checksum(path) and not checksum_file(path).is_file()
    ]
    if orphans:
        text = f"{name}: {_number(orphans, 'is', 'are')} not the run's own: {_some(orphans)}"
        yield Finding(NOTE, text, "delete what you don't need")


def _state_of(work: Path, name: str) -> Iterator[Finding]:
    """Check the files from which a run resumes, and look for what killed processes left."""
    changed = [
        path.relative_to(work).as_posix()
        for path in not_intact(path for path in sorted(work.rglob("*")) if checksum_file(path).is_file())
    ]
    if changed:
        text = f"{name}: {_number(changed, 'is', 'are')} damaged: {_some(changed)}"
        yield Finding(NOTE, text, "nothing: a run does not use them, and computes again what was in them")
    parts = [path.relative_to(work).as_posix() for path in sorted(work.rglob(".*.part-*"))]
    if parts:
        text = f"{name}: {_number(parts, 'was', 'were')} left by a process that was killed: {_some(parts)}"
        yield Finding(NOTE, text, "nothing: the step that runs next deletes them")


def _scores(store: Path) -> Iterator[Finding]:
    segments = [path for path in store.glob("*/[0-9a-f]*") if path.is_file()]
    changed = [path for path in segments if sha256_of(path) != path.name]
    if changed:
        text = f"work/scores: {_number(changed, 'is', 'are')} damaged: {_some([path.name for path in changed])}"
        yield Finding(NOTE, text, "nothing: a run computes these scores again")


def _number(files: Sequence[object], one: str, many: str) -> str:
    return f"1 file {one}" if len(files) == 1 else f"{len(files)} files {many}"


def _snakemake_runs(root: Path) -> bool:
    """Whether Snakemake is running in this folder; True where that can't be found out."""
    if not Path("/proc/self/cwd").exists():
        return True
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").resolve() == root.resolve()
            if here and b"snakemake" in (process / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(map(shown, names[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
