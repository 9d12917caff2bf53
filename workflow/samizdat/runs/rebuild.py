"""Make a run again in a folder of its own: from the code of its commit, its inputs and its config, without results."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from samizdat.base.digest import PACKAGE
from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of, write_text
from samizdat.base.parent import die_with_parent
from samizdat.base.project import project_folder
from samizdat.base.snakemake_log import ONLY_WHY
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import read_document
from samizdat.records.run import Manifest, manifest_of
from samizdat.runs.git import commit_of, git, why_unreadable
from samizdat.runs.names import CODE, DOWNLOADS, check_input

GENERATED = shutil.ignore_patterns(
    "__pycache__", "*.egg-info", "report.ipynb", "report.html", "report.docx", "report.pdf", "report.typ", "index.html",
    "*_files", ".quarto", ".jupyter_cache",
)  # fmt: skip

# Where older commits pin the archives that a run fetches; there no input may have this name.
OLD_PINS = "data/packages.txt"
SUMMARY = "corpus/summary.json"
# The variable that tells the run made again where the summary of the recorded corpus is, and with it the record.
RECORDED = "SAMIZDAT_RECORDED_CORPUS"


def is_own(manifest: Manifest, source: Path) -> bool:
    """Whether a run was made in this folder by the code that is here, whose rules quote every name.

    A run from somewhere else, or one that the rules of an older commit would make again, must have harmless names.
    """
    return source.resolve().parent == Path("results").resolve() and manifest.commit == commit_of(project_folder())


def copy_code(manifest: Manifest, checkout: Path) -> str:
    """Put the run's code into `checkout`: its own commit where git has it, else the code here; say in words which.

    Raises:
        UserError: there is no code here.
    """
    project = project_folder()
    commit, here = manifest.commit, commit_of(project)
    short = commit[:12]
    looked_up = here and re.fullmatch(r"[0-9a-f]{40}", commit) and git("-C", str(project), "cat-file", "-t", commit)
    known = looked_up == "commit"
    if known and (manifest.clean or here != commit):
        _clone(project, checkout, commit)
        own = f"with the code of its commit {short}"
        return own if manifest.clean else f"{own}, but without the changes that were in no commit"
    if here:
        _clone(project, checkout, here)
    for name in CODE:
        source, target = project / name, checkout / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=GENERATED)
        elif source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    if not (checkout / "workflow" / "samizdat").is_dir():  # an installed package is not beside the rules
        shutil.copytree(PACKAGE, checkout / "workflow" / "samizdat", ignore=GENERATED)
    place = "this folder" if project == Path() else str(project)
    if known:
        return f"with the code in {place}: commit {short} had changes that are in no commit, maybe not these"
    reason = "is not known" if commit == "unknown" else f"{short} is not in a repository there"
    if not here and (why := why_unreadable(project)):
        reason = f"can't be looked up, as git can't read the repository there ({why})"
    return f"with the code in {place}, which may be different: the run's commit {reason}"


def copy_inputs(manifest: Manifest, bundled: Path | None, checkout: Path) -> None:
    """Put every input into `checkout` under its own name: from a bundle, or from the same place in this folder.

    Args:
        manifest: names the inputs and their hashes.
        bundled: an unpacked bundle's folder of inputs, each file named by its hash; None without a bundle.
        checkout: the folder of the copy.

    Raises:
        UserError: inputs are missing or have other hashes (names each of them), or one is not allowed as an input.
    """
    missing = []
    for name, sha256 in sorted(manifest.inputs.items()):
        absolute = Path(name).is_absolute()
        if not absolute:
            replaces_pins = name.casefold() == OLD_PINS and (checkout / OLD_PINS).is_file()
            check_input(name, allowed=not replaces_pins)
        places = [bundled / sha256] if bundled and not absolute and _is_trusted(name, sha256, checkout) else []
        source = next((path for path in (*places, Path(name)) if path.is_file() and sha256_of(path) == sha256), None)
        if source is None and not name.startswith(DOWNLOADS):  # a missing download is downloaded; its hash is pinned
            state = "has another hash here" if Path(name).is_file() else "is missing"
            missing.append(f"  - {name} {state}; its SHA-256 is {sha256}")
        elif source is not None and not absolute:
            target = checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    if missing:
        raise UserError(
            "the inputs of the run are not all here:\n" + "\n".join(missing),
            remedy="put the files with these hashes into these places, or ask for a bundle that contains them",
        )


def _is_trusted(name: str, sha256: str, checkout: Path) -> bool:
    """Whether a bundled file may be used: a download only with a hash that the code pins, texts always."""
    if not name.startswith(DOWNLOADS):
        return True
    pins = checkout / "envs" / "archives.txt"
    return pins.is_file() and f"--hash=sha256:{sha256}" in pins.read_text(encoding="utf-8")


def recorded_unread(found: dict[str, str]) -> dict[str, str]:
    """Return which files are beside the texts: of a run made again those that are recorded, else what is found here.

    Such files are no inputs, so they are not in the folder in which a run is made again.

    Raises:
        UserError: the record can't be read.
    """
    summary = os.environ.get(RECORDED)
    return read_document(CorpusSummary, Path(summary)).unread if summary else found


def recorded_code(commit: str, *, clean: bool) -> tuple[str, bool]:
    """Return commit and state of the code: of a run made again those that are recorded, else what is found here.

    The code of a run that is made again may be in no repository. Then it is told, and must not make the reports, which
    name the commit, different ones.

    Raises:
        UserError: the record can't be read.
    """
    if summary := os.environ.get(RECORDED):
        recorded = manifest_of(Path(summary).parents[1])
        return recorded.commit, recorded.clean
    return commit, clean


def rebuild(manifest: Manifest, run: Path, checkout: Path) -> Path:
    """Run the workflow in `checkout` with the run's config; return the folder of the new results.

    Args:
        manifest: of the run.
        run: its recorded results.
        checkout: code and inputs.

    Raises:
        UserError: a step failed, or the workflow refused config or inputs; it has printed why.
    """
    config = checkout.parent / "config.json"
    write_text(config, json.dumps(manifest.config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SAMIZDAT_", "PYTHONHASH"))}
    environment = inherited | {"PYTHONPATH": str((checkout / "workflow").absolute())}
    if (run / SUMMARY).is_file():
        environment[RECORDED] = str((run / SUMMARY).absolute())
    if commit_of(checkout) != manifest.commit:  # to correct the config, as Snakemake would say, is not what to do
        environment[ONLY_WHY] = "1"
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--configfile", str(config.absolute())]
    done = subprocess.run(
        command, cwd=checkout, env=environment, stdout=sys.stderr, preexec_fn=die_with_parent, check=False
    )
    if done.returncode and not (checkout / "logs").is_dir():  # nothing began
        raise _refused(manifest, checkout)
    if done.returncode:
        raise UserError(
            f"the run can't be made again (exit status {done.returncode})",
            remedy=f"look above for the step that failed; its log is in {checkout / 'logs'}",
        )
    return checkout / "results" / manifest.run


def _refused(manifest: Manifest, checkout: Path) -> UserError:
    """Make the error of a run that the code in `checkout` does not begin; it has printed why."""
    if commit_of(checkout) == manifest.commit:
        return UserError(
            "the run can't be made again: it is refused before its first step", remedy="look above for why"
        )
    remedy = "ask who made the run for the version of its code, and verify it with that version"
    if manifest.commit != "unknown":
        remedy = (
            f"verify it with the code that made it: in a clone of its repository, git checkout {manifest.commit}; do "
            "not correct the recorded config"
        )
    what = "this version can't make the run again: another version made it, and this one refuses what is named above"
    return UserError(what, remedy=remedy)


def _clone(project: Path, checkout: Path, commit: str) -> None:
    """Check out a commit into a clone that shares the project's objects and writes nothing into them."""
    cloned = git("clone", "--quiet", "--shared", "--no-checkout", str(project), str(checkout))
    if cloned is None or git("-C", str(checkout), "checkout", "--quiet", "--detach", commit) is None:
        raise UserError(f"git can't check out {commit} into {checkout}", remedy="look at the disk and at `git fsck`")
