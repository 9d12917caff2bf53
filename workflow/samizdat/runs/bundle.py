"""Write a run as one file that somebody else can verify (`samizdat bundle`), and unpack such a file safely."""

import contextlib
import fnmatch
import io
import json
import shutil
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from samizdat.base import free_space
from samizdat.base.corpus_files import label_table
from samizdat.base.errors import DISK_ERRORS, UserError
from samizdat.base.files import MAKE_AGAIN, checked_bytes, replacing, sha256_of
from samizdat.base.project import own
from samizdat.base.wording import how_to_make
from samizdat.records.io import parse_document
from samizdat.records.run import Manifest, manifest_of
from samizdat.runs.names import CODE, CRATE_METADATA, DOWNLOADS, NOT_OURS, check_input, check_names, is_inside
from samizdat.runs.sbom import bill_of_materials

# Files of a run that contain sentences or single words of the corpus, and those that do with `publish_texts`.
WITH_TEXTS = (
    "corpus/texts.parquet", "tokenizers/*/tokens/*", "samples/*.parquet", "statistics/copies.parquet",
    "statistics/terms.parquet", "classifiers/*/examples.json", "models/*/inside/tokens.parquet",
)  # fmt: skip
REPORT = ("report/*",)

# Files that every run has and that its manifest does not name.
UNRECORDED = (
    "manifest.json", "config.json", "rules.dot", "provenance.json", "report/quarto.ipynb", "report/report.ipynb",
    "report/report.html", "report/report.pdf", "tokenizers/*/tokenizer_config.json", "tokenizers/*/tokens/*.bin",
)  # fmt: skip
# A run's files are compressed already or are texts. A bundle that unpacks to more than this is made to fill a disk.
HIGHEST_RATIO = 50
ALWAYS_UNPACKED_BYTES = 64 << 20
LARGEST_MANIFEST_BYTES = 16 << 20

LOCK = "envs/lock.txt"
SBOM = "sbom.cdx.json"  # the name that CycloneDX recommends for its files ends so
README = "README.md"
_FOR_THE_RECEIVER = """# {run}: a run of Samizdat

{report}

To verify it, clone the repository of Samizdat; ask the sender for its address. The run was made with the commit
{commit}. In the folder of the clone, call

    make verify RUN=path/of/this.zip

This makes the run again from the config and the texts in this file, which takes as long as the run took, and says of
each file in `results/` whether the new one has the same bytes or the same numbers. `COPIES=path/of/report.ipynb` after
it compares a notebook, page or PDF that you got beside this file, too.

Inputs of the run, by their SHA-256; those that are in this file have the same name in `inputs/`:

{inputs}
"""
_WITH_REPORT = "The report is `results/report/report.html`, the notebook `results/report/report.ipynb`."
_WITHOUT_REPORT = "The report shows sentences of the corpus, so it is not in this file; its hash is."
_RENEW = "bring the run up to date with {}, then bundle it"
_EARLIEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_CHUNK_BYTES = 1 << 20


# Name in a zip file → file or content.
Members = dict[str, Path | bytes]


def write_bundle(run: Path, *, hashes_only: bool) -> Path:
    """Write `<run>.zip` next to the run's folder: results, provenance, lock, SBOM and inputs. Same run, same bytes.

    Args:
        run: a finished run, such as `results/demo`.
        hashes_only: leave out the corpus's texts and the results that contain some; so does the report, unless it was
            made with `publish_texts: false`. The person who verifies the bundle needs the texts in the same places. A
            run with `publish_texts: false` is always bundled this way.

    Raises:
        UserError: there is no such run, or it is not finished; its files, report or inputs are not those that it
            records; or a file has a name that is not allowed in a bundle.
    """
    target = run.parent / f"{run.name}.zip"
    write_zip(members_of(run, hashes_only=hashes_only), target)
    return target


def members_of(run: Path, *, hashes_only: bool) -> Members:
    """List what a bundle of a run has, after checks: name in the bundle → file or content.

    Args and errors are those of `write_bundle`.
    """
    manifest = manifest_of(run)
    check_names(manifest, run / "manifest.json")
    published = manifest.config["publish_texts"]
    hides_report = hashes_only and published
    hashes_only = hashes_only or not published
    left_out = (*(WITH_TEXTS if hashes_only else ()), *(REPORT if hides_report else ()))
    inputs = "\n".join(f"    {sha256}  {name}" for name, sha256 in sorted(manifest.inputs.items()))
    report = _WITHOUT_REPORT if hides_report else _WITH_REPORT
    readme = _FOR_THE_RECEIVER.format(run=manifest.run, commit=manifest.commit, inputs=inputs, report=report)
    members: Members = {README: readme.encode()}
    if (locked := Path(own(LOCK))).is_file():
        members["lock.txt"] = locked
        members[SBOM] = bill_of_materials(manifest, locked.read_text(encoding="utf-8"), run / "provenance.json")
    for path in sorted(path for path in run.rglob("*") if path.is_file()):
        name = path.relative_to(run).as_posix()
        if _is_result(name, manifest) and not _is_one_of(name, left_out):
            members[f"results/{name}"] = path
    without_texts = {
        manifest.config["notes"],
        *(label_table(one).as_posix() for one in manifest.config["human_labels"]),
    }
    _require_report(run)
    for name, sha256 in manifest.artefacts.items():
        _require_recorded(run / name, sha256, run / "manifest.json")
    for name, sha256 in manifest.inputs.items():
        if name.startswith(DOWNLOADS) and not Path(name).is_file():
            continue  # its hash is pinned, so it is downloaded when the bundle is verified
        check_input(name)
        if not Path(name).is_file():
            raise UserError(
                f"{name} is not here, and the run read it",
                remedy="start this in the folder in which the run was made, or put the file back there",
            )
        _require_recorded(Path(name), sha256, run / "manifest.json")
        if not hashes_only or name in without_texts:
            members[f"inputs/{sha256}"] = Path(name)
    return members


def _is_result(name: str, manifest: Manifest) -> bool:
    """Whether a file below a run's folder is the run's own: its manifest names it, or every run has such a file."""
    return name in manifest.artefacts or _is_one_of(name, UNRECORDED)


def _is_one_of(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _require_report(run: Path) -> None:
    """Refuse a run whose report is missing, was edited, or was made from other results than those that are there."""
    record = run / "provenance.json"
    if not record.is_file():
        raise UserError(f"{run} is not finished: it has no {record.name}", remedy=_RENEW.format(how_to_make(run.name)))
    for name, sha256 in json.loads(checked_bytes(record))["sha256"].items():
        _require_recorded(run / name if name == "manifest.json" else run / "report" / name, sha256, record)


def _require_recorded(path: Path, sha256: str, record: Path) -> None:
    """Refuse a file that is missing or has another hash than the run records."""
    if not path.is_file() or sha256_of(path) != sha256:
        remedy = _RENEW.format(how_to_make(record.parent.name))
        raise UserError(f"{path} is not the file that {record} records", remedy=remedy)


def write_zip(members: Members, target: Path) -> None:
    """Write files (name in the zip → file or content) sorted, with fixed dates and modes."""
    with replacing(target, checksum=False) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, member in sorted(members.items()):
            entry = zipfile.ZipInfo(name, _EARLIEST_ZIP_DATE)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.file_size = len(member) if isinstance(member, bytes) else member.stat().st_size
            opened = io.BytesIO(member) if isinstance(member, bytes) else member.open("rb")
            with opened as source, archive.open(entry, "w") as into:
                shutil.copyfileobj(source, into, _CHUNK_BYTES)


def unpack(bundle: Path, folder: Path) -> Path:
    """Unpack a bundle, or of a crate what a bundle has, into an empty folder; return the folder of its results.

    The manifest is read first. Nothing is written unless it is one of a run, each member is a file that it names, none
    leads out of `folder`, and the files are no larger than a bundle's can be.

    Raises:
        UserError: the file is not a bundle, or unpacking it is not safe.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = archive.infolist()
            _check_entries(entries, bundle)
            if CRATE_METADATA in archive.namelist():
                beside = (CRATE_METADATA, *CODE)
                entries = [entry for entry in entries if PurePosixPath(entry.filename).parts[0] not in beside]
            manifest = _manifest_of(archive, bundle)
            check_names(manifest, bundle)
            known = {"lock.txt", SBOM, README, *(f"inputs/{sha256}" for sha256 in manifest.inputs.values())}
            for entry in entries:
                name = entry.filename
                if name not in known and not _is_result(name.removeprefix("results/"), manifest):
                    raise UserError(f"{bundle} contains {name!r}, which its manifest doesn't name", remedy=NOT_OURS)
            free_space.require({folder: sum(entry.file_size for entry in entries)}, f"unpacking {bundle}")
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("xb") as into:
                    shutil.copyfileobj(source, into, _CHUNK_BYTES)
    except UserError:
        raise
    # What zipfile raises for files that `make bundle` never writes: damaged, with one name twice, compressed by an
    # unknown method, encrypted.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            raise
        said = str(error) or type(error).__name__
        raise UserError(f"{bundle} is not a complete zip file ({said})", remedy="download or copy it again") from None
    return folder / "results"


def _check_entries(entries: list[zipfile.ZipInfo], bundle: Path) -> None:
    """Refuse members that lead out of the folder, and members that take many times the bundle's own size."""
    for entry in entries:
        if stat.S_ISLNK(entry.external_attr >> 16) or not is_inside(entry.filename):
            raise UserError(
                f"{bundle} contains {entry.filename!r}, which leads out of the folder that it is unpacked into",
                remedy=NOT_OURS,
            )
    size = sum(entry.file_size for entry in entries)
    if size > max(ALWAYS_UNPACKED_BYTES, HIGHEST_RATIO * bundle.stat().st_size):
        raise UserError(
            f"{bundle} would take {size / 1e9:.2f} GB, more than {HIGHEST_RATIO} times its own size, as no run does",
            remedy=NOT_OURS,
        )


def _manifest_of(archive: zipfile.ZipFile, bundle: Path) -> Manifest:
    """Read the manifest of a bundle without unpacking anything."""
    try:
        entry = archive.getinfo("results/manifest.json")
    except KeyError:
        raise UserError(f"{bundle} contains no run", remedy="name a file that `make bundle` wrote") from None
    if entry.file_size > LARGEST_MANIFEST_BYTES:
        raise UserError(f"{bundle}: its manifest takes {entry.file_size / 1e6:.0f} MB", remedy=NOT_OURS)
    with of_somebody_else():
        return parse_document(Manifest, archive.read(entry), bundle / entry.filename)


@contextlib.contextmanager
def of_somebody_else() -> Iterator[None]:
    """Replace the remedy of an error about the record of a run that can't be made again by the same command."""
    try:
        yield
    except UserError as error:
        remedy = (
            "if another version of Samizdat made the run, verify it with that version; else ask the sender for the "
            "file that `make bundle` wrote"
        )
        raise UserError(error.what, remedy=remedy if error.remedy == MAKE_AGAIN else error.remedy) from None


def lock_differs(folder: Path) -> bool:
    """Whether an unpacked bundle was made with another package lock than the one here."""
    lock, here = folder / "lock.txt", Path(own(LOCK))
    return lock.is_file() and not (here.is_file() and sha256_of(lock) == sha256_of(here))
