"""Make a run again and say, file by file, whether the result is the same (`samizdat verify`)."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.base.escaping import plain
from samizdat.base.files import locked, sha256_of
from samizdat.base.language import ENGLISH
from samizdat.base.project import own
from samizdat.records.io import read_document
from samizdat.records.models import DEVICES
from samizdat.records.run import Manifest, manifest_of
from samizdat.runs import bundle, names, rebuild
from samizdat.runs.same_texts import RELATIVE_TOLERANCE
from samizdat.runs.sameness import (
    CLOSE,
    DIFFERENT,
    MACHINE_VALUES,
    SAME,
    KnownDifferences,
    Verdict,
    compare,
    is_of_a_machine,
)

SCRATCH = Path("work/.verify")  # no run can have this name
REPORTS = ("report/quarto.ipynb", "report/report.ipynb", "report/report.html")
PDF = "report/report.pdf"
COPIED = {".ipynb": "report/report.ipynb", ".html": "report/report.html", ".pdf": PDF}  # suffix of a copy → of what
_BUILD = re.compile(r"\+[a-z0-9.]+$")  # of a version: that of a machine, such as +cpu
STATUS = {SAME: 0, CLOSE: 1, DIFFERENT: 2}
_MADE_AGAIN = "made again from its texts, its config and the code named above, the run"
ANSWERS = {
    SAME: f"Yes: {_MADE_AGAIN} is the same.",
    CLOSE: f"Yes, within {RELATIVE_TOLERANCE:.1%}: {_MADE_AGAIN} has the same numbers.",
    DIFFERENT: "No: made again, the run is different. Each line above that begins with “different” says where.",
}


def verify(source: Path, copies: Sequence[Path]) -> int:
    """Make a run again from its config, inputs and code, and print a table of what is the same.

    The run itself is only read. The run made again is in `work/.verify/<run>`, and is deleted unless it differs. Of a
    run that is not in `results/` the folder's name ends with a digest of its place: many may have one name.

    Args:
        source: `results/<run>`; or a zip that `write_bundle` or `write_crate` wrote, anywhere, or the folder that it
            was unpacked into, as some browsers do.
        copies: notebooks, pages or PDFs that were handed in beside it; each is compared with the run's own.

    Returns:
        The exit status: 0 all bytes are the same, 1 all numbers are within the tolerance, 2 something is different.

    Raises:
        UserError: there is no such run, it is not one that may be made again here, its inputs are missing, or a step
            fails.
    """
    name = source.stem if source.suffix == ".zip" else source.resolve().name
    if source.suffix == ".zip" and not source.exists():
        raise UserError(f"{source} does not exist", remedy="name a run, such as RUN=results/demo, or its bundle")
    if source.is_file() and source.suffix.lower() in COPIED:
        raise UserError(
            f"{source} is a copy of a report, which alone can't be made again",
            remedy=f"name the run or its bundle, then the copy: make verify RUN=their.zip COPIES={source.name}",
        )
    is_unpacked = not (source / "manifest.json").is_file() and (source / "results" / "manifest.json").is_file()
    if not source.is_file():
        with bundle.of_somebody_else() if is_unpacked else contextlib.nullcontext():
            manifest_of(source / "results" if is_unpacked else source)  # before anything is deleted
    for copy in copies:
        if not copy.is_file() or copy.suffix.lower() not in COPIED:
            raise UserError(
                f"{copy} is no file, or no report", remedy=f"name a copy of the report ({', '.join(COPIED)})"
            )
    if not re.fullmatch(names.NAME, name):
        name = "run"
    if source.is_file() or source.resolve().parent != Path("results").resolve():
        name += f"-{hashlib.sha256(os.fsencode(source.resolve())).hexdigest()[:8]}"
    scratch = SCRATCH / name
    with locked(SCRATCH / f"{name}.lock"):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        given = source if is_unpacked else scratch / "given" if source.is_file() else None
        if given and not is_unpacked:
            bundle.unpack(source, given)
        run = given / "results" if given else source
        manifest = manifest_of(run)
        if given or not rebuild.is_own(manifest, source):
            names.check_names(manifest, source)
        which_code = rebuild.copy_code(manifest, scratch / "checkout")
        print(f"Making the run {manifest.run} again {which_code}", file=sys.stderr, flush=True)
        if given and bundle.lock_differs(given):
            print(f"The run was made with other package versions than those in {own(bundle.LOCK)}", file=sys.stderr)
        rebuild.copy_inputs(manifest, given / "inputs" if given else None, scratch / "checkout")
        rebuilt = rebuild.rebuild(manifest, run, scratch / "checkout")
        verdicts = dict(compare_runs(manifest, run, rebuilt))
        copied = compare_copies(copies, run, rebuilt)
        print(table_of(verdicts, copied))
        if _worst(verdicts) == DIFFERENT:
            print(f"The run made again is kept in {rebuilt}", file=sys.stderr)
        else:
            shutil.rmtree(scratch)
    return max(STATUS[verdict.kind] for verdict in (*verdicts.values(), *copied.values()))


def compare_runs(manifest: Manifest, run: Path, rebuilt: Path) -> Iterator[tuple[str, Verdict]]:
    """Compare two runs; yield each artefact with its verdict, then the files that a manifest doesn't name.

    Args:
        manifest: of the recorded run.
        run: the recorded run's folder; a bundle without texts lacks some files, of which only the hash is known.
        rebuilt: the folder of the same run made again.
    """
    new_manifest = read_document(Manifest, rebuilt / "manifest.json")
    comma = manifest.config.get("report_language", ENGLISH) != ENGLISH
    known = KnownDifferences(_words_of_machines(manifest, new_manifest, run, rebuilt), comma=comma)
    recorded = manifest.artefacts | _report_hashes(run)
    # Weights first, because other files contain their hashes.
    for name in sorted(manifest.artefacts, key=lambda name: (not name.endswith(".safetensors"), name)):
        yield name, _verdict(name, recorded, run, rebuilt, known)
    for name in sorted(new_manifest.artefacts.keys() - manifest.artefacts.keys()):
        yield name, Verdict(DIFFERENT, "only the rebuilt run has it")
    for name in _unrecorded(run):
        yield name, _verdict(name, recorded, run, rebuilt, known)
    verdict = _verdict("manifest.json", recorded, run, rebuilt, known)
    yield "manifest.json", verdict
    # It has the hashes of all that a report is made from: from the same bytes come the same numbers.
    known.exact = verdict.kind == SAME
    if verdict.kind == CLOSE:
        old, new = (re.findall(r'RESULTS = \\"([0-9a-f]{64})\\"', _read(here / REPORTS[0])) for here in (run, rebuilt))
        known.words |= dict(zip(old, new, strict=False))
    for name in (*REPORTS, *([PDF] if manifest.config.get("pdf") else [])):
        yield name, _verdict(name, recorded, run, rebuilt, known)


def compare_copies(copies: Sequence[Path], run: Path, rebuilt: Path) -> dict[str, Verdict]:
    """Compare copies of a run's reports with the run's own; return copy → verdict. Their numbers must be the same.

    A bundle without texts may lack its reports. Then the rebuilt one takes its place if it has the recorded hash.
    """
    recorded, verdicts = _report_hashes(run), {}
    for copy in copies:
        name = COPIED[copy.suffix.lower()]
        sha256, again = recorded.get(name), rebuilt / name
        is_again = not (run / name).is_file() and again.is_file() and sha256_of(again) == sha256
        known = KnownDifferences(exact=True)
        verdicts[str(copy)] = _against(again if is_again else run / name, copy, sha256, known)
    return verdicts


def _unrecorded(run: Path) -> list[str]:
    """List the files of a run that its manifest does not name and that are no report; the provenance has dates."""
    last = {"manifest.json", "provenance.json", *REPORTS, PDF}
    found = (path.relative_to(run).as_posix() for pattern in bundle.UNRECORDED for path in run.glob(pattern))
    return sorted(set(found) - last)


def table_of(verdicts: dict[str, Verdict], copied: Mapping[str, Verdict]) -> str:
    """Write the verdicts as text: a line for each file, how many of the run's are of each kind, and the answer.

    Args:
        verdicts: of the run's files.
        copied: of the copies that were handed in; they don't change the answer, which is of the run.
    """
    copied = {plain(name): verdict for name, verdict in copied.items()}
    every = [*((plain(name), verdict) for name, verdict in verdicts.items()), *copied.items()]
    width = max(len(name) for name, _ in every)
    lines = [f"{verdict.kind:<12}  {name:<{width}}  {plain(verdict.where)}".rstrip() for name, verdict in every]
    counts = {kind: sum(verdict.kind == kind for verdict in verdicts.values()) for kind in STATUS}
    words = {SAME: SAME, CLOSE: f"{CLOSE} within {RELATIVE_TOLERANCE:.1%}", DIFFERENT: DIFFERENT}
    counted = ", ".join(f"{count} {words[kind]}" for kind, count in counts.items() if count)
    others = [f"No: {name} is not the run's own." for name, verdict in copied.items() if verdict.kind == DIFFERENT]
    return "\n".join([*lines, "", f"Files of the run: {counted}.", ANSWERS[_worst(verdicts)], *others])


def _worst(verdicts: Mapping[str, Verdict]) -> str:
    return max((verdict.kind for verdict in verdicts.values()), key=STATUS.__getitem__)


def _verdict(name: str, recorded: dict[str, str], run: Path, rebuilt: Path, known: KnownDifferences) -> Verdict:
    """Compare one file of two runs; `recorded` has the hashes that the recorded run says its files have."""
    if not names.is_inside(name):
        return Verdict(DIFFERENT, "its name leads out of the run's folder")
    return _against(run / name, rebuilt / name, recorded.get(name), known)


def _against(expected: Path, found: Path, sha256: str | None, known: KnownDifferences) -> Verdict:
    """Compare a file with the one that is expected, whose recorded hash decides where it is not here."""
    if not expected.is_file():
        if sha256 is None:
            return Verdict(DIFFERENT, "the run has no such file")
        if found.is_file() and sha256_of(found) == sha256:
            return Verdict(SAME)
        return Verdict(DIFFERENT, "its hash is different, and the recorded file is not here to compare with")
    if sha256 is not None and sha256_of(expected) != sha256:
        return Verdict(DIFFERENT, "the run's own file does not have the hash that the run records")
    return _compared(expected, found, known)


def _compared(expected: Path, found: Path, known: KnownDifferences) -> Verdict:
    try:
        return compare(expected, found, known)
    except Exception as error:  # a file from somebody else may contain anything, and a run may have no PDF
        return Verdict(DIFFERENT, f"it can't be read: {error}")


def _report_hashes(run: Path) -> dict[str, str]:
    """Read the hashes of manifest, notebooks, page and PDF from the run's provenance."""
    names = ("manifest.json", *REPORTS, PDF)
    try:
        hashes = json.loads(_read(run / "provenance.json"))["sha256"]
        return {name: str(hashes[Path(name).name]) for name in names if Path(name).name in hashes}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _words_of_machines(old: Manifest, new: Manifest, run: Path, rebuilt: Path) -> dict[str, str]:
    """Find the words that tell two machines apart: builds of one package version, number formats, devices."""
    words = {
        version: new.versions[package]
        for package, version in old.versions.items()
        if package in new.versions and _BUILD.sub("", version) == _BUILD.sub("", new.versions[package])
    }
    for item in old.config["models"]:
        path = Path("models", item["name"], "summary.json")
        try:
            before, now = (json.loads(_read(folder / path)) for folder in (run, rebuilt))
        except (ValueError, RecursionError):
            continue
        if not (isinstance(before, dict) and isinstance(now, dict)):
            continue
        words |= {
            str(before[key]): str(now[key])
            for key in MACHINE_VALUES
            if is_of_a_machine(key, before.get(key)) and is_of_a_machine(key, now.get(key))
        }
        # The report's words for the two devices.
        old_device, new_device = (DEVICES.get(str(summary.get("device_kind"))) for summary in (before, now))
        if old_device and new_device:
            words[old_device] = new_device
    return {word: found for word, found in words.items() if word != found}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
