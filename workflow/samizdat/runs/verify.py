"""`samizdat verify`: makes a run again and says, artefact by artefact, whether the same came out."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.base.files import locked, sha256_of
from samizdat.records.io import read_document
from samizdat.records.models import DEVICES
from samizdat.records.run import Manifest
from samizdat.runs import bundle, rebuild
from samizdat.runs.sameness import CIRCUMSTANCES, CLOSE, DIFFERENT, RELATIVE, SAME, Explained, Verdict, compare

SCRATCH = Path("work/.verify")  # no run can be called so
REPORTS = ("report/report.ipynb", "report/report.html")
STATUS = {SAME: 0, CLOSE: 1, DIFFERENT: 2}
FAILED = 3  # could not be made again, which is no verdict

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def verify(given: Path) -> int:
    """Make a run again from its config, inputs and code, and print a table of what is the same.

    The run itself is only read. What was made again lies in `work/.verify/<run>` and stays there where it differs.

    Args:
        given: `results/<run>`, or a zip that `write_bundle` wrote, anywhere.

    Returns:
        The exit status: 0 all bytes are the same, 1 all numbers are within the tolerance, 2 something is different.

    Raises:
        UserError: there is no such run, its inputs are not here, or a step fails.
    """
    name = given.stem if given.suffix == ".zip" else given.resolve().name
    if not given.exists():
        raise UserError(f"{given} does not exist", remedy="name a run, such as RUN=results/demo, or its bundle")
    if not _NAME.fullmatch(name):
        name = "run"
    scratch = SCRATCH / name
    with locked(SCRATCH / f"{name}.lock"):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        run, offered = given, None
        if given.is_file():
            run, offered = bundle.unpack(given, scratch / "given"), scratch / "given" / "inputs"
        manifest = read_document(Manifest, run / "manifest.json")
        if offered:
            bundle.check_names(manifest, given)
        if not _NAME.fullmatch(manifest.run):
            raise UserError(f"{manifest.run!r} is no name of a run", remedy="do not use it")
        code = rebuild.lay_code(manifest, scratch / "checkout")
        print(f"Making the run {manifest.run} again {code}", file=sys.stderr, flush=True)
        if offered and bundle.lock_differs(scratch / "given"):
            print("It was made with other versions of packages (lock.txt) than are locked here", file=sys.stderr)
        rebuild.lay_inputs(manifest, offered, scratch / "checkout")
        made = rebuild.rebuild(manifest, scratch / "checkout")
        verdicts = dict(compare_runs(manifest, run, made))
        worst = max((verdict.kind for verdict in verdicts.values()), key=STATUS.__getitem__)
        print(table_of(verdicts))
        if worst == DIFFERENT:
            print(f"What was made again stays in {made}", file=sys.stderr)
        else:
            shutil.rmtree(scratch)
    return STATUS[worst]


def compare_runs(manifest: Manifest, run: Path, made: Path) -> Iterator[tuple[str, Verdict]]:
    """Each artefact of a run with its verdict, then manifest, notebook and page.

    Args:
        manifest: of the run.
        run: its folder; a bundle without texts lacks some files, of which only the hash is known.
        made: the folder of the same run made again.
    """
    again = read_document(Manifest, made / "manifest.json")
    explained = Explained(_circumstances(manifest, again, run, made))
    recorded = manifest.artefacts | _report_hashes(run)
    # Weights first: other files name their hashes.
    for name in sorted(manifest.artefacts, key=lambda name: (not name.endswith(".safetensors"), name)):
        yield name, _verdict(name, recorded, run, made, explained)
    for name in sorted(again.artefacts.keys() - manifest.artefacts.keys()):
        yield name, Verdict(DIFFERENT, "only the rebuilt run has it")
    verdict = _verdict("manifest.json", recorded, run, made, explained)
    yield "manifest.json", verdict
    if verdict.kind == CLOSE:
        digests = [re.findall(r'RESULTS = \\"([0-9a-f]{64})\\"', _read(folder / REPORTS[0])) for folder in (run, made)]
        explained.words |= dict(zip(*digests, strict=False))
    for name in REPORTS:
        yield name, _verdict(name, recorded, run, made, explained)


def table_of(verdicts: dict[str, Verdict]) -> str:
    """The verdicts for people: a line each, and how many there are of each kind."""
    width = max(len(name) for name in verdicts)
    lines = [f"{verdict.kind:<12}  {name:<{width}}  {verdict.where}".rstrip() for name, verdict in verdicts.items()]
    counts = {kind: sum(verdict.kind == kind for verdict in verdicts.values()) for kind in STATUS}
    tolerance = f"same numbers within {RELATIVE:.1%}"
    said = {SAME: "same bytes", CLOSE: tolerance, DIFFERENT: "different"}
    return "\n".join([*lines, "", ", ".join(f"{count} {said[kind]}" for kind, count in counts.items() if count)])


def _verdict(name: str, recorded: dict[str, str], run: Path, made: Path, explained: Explained) -> Verdict:
    if not bundle.is_inside(name):
        return Verdict(DIFFERENT, "it leads out of the run's folder")
    expected, found, sha256 = run / name, made / name, recorded.get(name)
    if not expected.is_file():
        if sha256 is None:
            return Verdict(DIFFERENT, "the run has no such file")
        if found.is_file() and sha256_of(found) == sha256:
            return Verdict(SAME)
        return Verdict(DIFFERENT, "its hash is another, and more than the hash is not there")
    if sha256 is not None and sha256_of(expected) != sha256:
        return Verdict(DIFFERENT, "the run's own file is not the one that it records")
    try:
        return compare(expected, found, explained)
    except Exception as error:  # a file of a stranger may be anything
        return Verdict(DIFFERENT, f"it can't be read: {error}")


def _report_hashes(run: Path) -> dict[str, str]:
    """What the run's provenance says of manifest, notebook and page."""
    try:
        hashes = json.loads(_read(run / "provenance.json"))["sha256"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: hashes[Path(name).name] for name in ("manifest.json", *REPORTS) if Path(name).name in hashes}


def _circumstances(old: Manifest, new: Manifest, run: Path, made: Path) -> dict[str, str]:
    """Words for the machine, as recorded and as found: builds of one version of a package, devices."""
    words = {
        version: new.versions[package]
        for package, version in old.versions.items()
        if package in new.versions and version.partition("+")[0] == new.versions[package].partition("+")[0]
    }
    for item in old.config["models"]:
        path = Path("models", item["name"], "summary.json")
        try:
            before, now = (json.loads(_read(folder / path)) for folder in (run, made))
        except ValueError:
            continue
        if not (isinstance(before, dict) and isinstance(now, dict)):
            continue
        words |= {str(before[key]): str(now[key]) for key in CIRCUMSTANCES if key in before and key in now}
        kinds = [DEVICES.get(str(summary.get("device_kind"))) for summary in (before, now)]
        words |= dict([kinds]) if all(kinds) else {}  # as the report spells them
    return {word: found for word, found in words.items() if word != found}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
