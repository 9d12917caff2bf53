"""`samizdat bundle`: a run as one file that somebody else can verify; the same run gives the same bytes."""

import fnmatch
import re
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from samizdat.base import disk
from samizdat.base.errors import UserError
from samizdat.base.files import replacing, sha256_of
from samizdat.records.io import read_document
from samizdat.records.run import Manifest

# Files of a run in which sentences of the corpus stand: the corpus, its tokens, prompts from held-out texts, copies.
WITH_TEXTS = ("corpus/texts.parquet", "tokenizers/*/tokens/*", "samples/*.parquet", "statistics/copies.parquet")
DOWNLOADS = "work/downloads/"

LOCK = Path("envs/lock.txt")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can tell
# What a shell, a formatter or a terminal could take for more than a name.
_UNFIT = re.compile(r"""[\x00-\x1f\x7f-\xa0\u2028-\u202e\u2066-\u2069!"#$&'()*:;<>?\[\\\]^`{|}~]|^-""")


def write_bundle(run: Path, *, hashes_only: bool) -> Path:
    """Write `<run>.zip` beside the run's folder: results, provenance, lock and inputs.

    Args:
        run: a finished run, such as `results/demo`.
        hashes_only: leave the corpus's texts out, files of the results that hold some included; whoever verifies
            needs them in place. A run with `publish_texts: false` is always bundled so.

    Raises:
        UserError: the run is not finished, its files or inputs are no longer those of its manifest, or have names that
            a bundle may not have.
    """
    manifest = read_document(Manifest, run / "manifest.json")
    check_names(manifest, run / "manifest.json")
    hashes_only = hashes_only or not manifest.config["publish_texts"]
    members = {"lock.txt": LOCK} if LOCK.is_file() else {}
    for path in sorted(path for path in run.rglob("*") if path.is_file()):
        name = path.relative_to(run).as_posix()
        if any(part.startswith(".") for part in path.relative_to(run).parts) or (hashes_only and holds_texts(name)):
            continue
        members[f"results/{name}"] = path
    for name, sha256 in manifest.artefacts.items():
        if not (run / name).is_file() or sha256_of(run / name) != sha256:
            raise _stale(run / name, run)
    for name, sha256 in manifest.inputs.items():
        if name.startswith(DOWNLOADS) and not Path(name).is_file():
            continue  # its hash is pinned: whoever verifies fetches it
        if not Path(name).is_file() or sha256_of(Path(name)) != sha256:
            raise _stale(Path(name), run)
        if not hashes_only or name == manifest.config["notes"]:
            members[f"inputs/{sha256}"] = Path(name)
    target = run.parent / f"{run.name}.zip"
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, path in sorted(members.items()):
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, path.stat().st_size
            with path.open("rb") as source, archive.open(entry, "w") as into:
                shutil.copyfileobj(source, into, 1 << 20)
    return target


def holds_texts(name: str) -> bool:
    """Whether sentences of the corpus stand in a file of a run."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in WITH_TEXTS)


def unpack(bundle: Path, folder: Path) -> Path:
    """Unpack a bundle into an empty folder; the folder of its results.

    Nothing is ever written outside of `folder`: a name that leads out of it, or a link, refuses the whole bundle.

    Raises:
        UserError: the file is no bundle, or is one that must not be unpacked.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = archive.infolist()
            for entry in entries:
                linked = stat.S_ISLNK(entry.external_attr >> 16)
                if linked or not is_inside(entry.filename):
                    raise UserError(
                        f"{bundle} holds {entry.filename!r}, which leads out of the folder that it is unpacked into",
                        remedy="do not use it; ask whoever sent it for what `make bundle` wrote",
                    )
            disk.require({folder: sum(entry.file_size for entry in entries)}, f"unpacking {bundle}")
            for entry in entries:
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                if not entry.is_dir():
                    with archive.open(entry) as source, target.open("xb") as into:
                        shutil.copyfileobj(source, into, 1 << 20)
    # What zipfile raises of files that `make bundle` never writes: damaged, twice of one name, compressed by a method
    # that it doesn't know, encrypted.
    except (zipfile.BadZipFile, FileExistsError, NotImplementedError, RuntimeError) as error:
        raise UserError(f"{bundle} is no whole zip file ({error})", remedy="fetch or copy it again") from None
    if not (folder / "results" / "manifest.json").is_file():
        raise UserError(f"{bundle} holds no run", remedy="name a file that `make bundle` wrote")
    return folder / "results"


def is_inside(name: str) -> bool:
    """Whether a relative path in POSIX spelling stays below the folder that it is put into, on every system."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts)


def check_names(manifest: Manifest, source: Path) -> None:
    """Refuse a manifest whose names must not get near a shell or lead out of a checkout.

    The rules quote every name, but a bundle may name a commit from before they did, and is made again by its code.

    Args:
        manifest: of a run that one person makes and another makes again.
        source: where it stands, for people.

    Raises:
        UserError: tells the first such name, where it stands and what to do.
    """
    notes, corpus = manifest.config.get("notes"), manifest.config.get("corpus")
    paths = corpus.get("paths") if isinstance(corpus, dict) else None
    named = [
        ("`notes` of its config", [notes]),
        ("`corpus.paths` of its config", paths if isinstance(paths, list) else []),
        ("its inputs", manifest.inputs),
        ("its artefacts", manifest.artefacts),
    ]
    for where, names in named:
        for name in names:
            # A blank parts words, where those rules put a name on a line: the notes', and a download's.
            on_a_line = name == notes or PurePosixPath(str(name)).as_posix().startswith(DOWNLOADS)
            unfit = not isinstance(name, str) or _UNFIT.search(name) or (on_a_line and " " in name)
            if unfit or not is_inside(name):
                raise UserError(
                    f"{source}: {name!r} in {where} can't be a file's name in a bundle, which is a relative path "
                    "without `..`, quotes, brackets, controls and other characters that mean something to a shell",
                    remedy="if somebody sent it, do not use it; if the run is your own, move or rename the file, "
                    "correct the config and make the run again",
                )


def lock_differs(folder: Path) -> bool:
    """Whether an unpacked bundle was made with another lock than the one here."""
    lock = folder / "lock.txt"
    return lock.is_file() and (not LOCK.is_file() or sha256_of(lock) != sha256_of(LOCK))


def _stale(path: Path, run: Path) -> UserError:
    return UserError(
        f"{path} is not the file that {run / 'manifest.json'} records",
        remedy="bring the run up to date with `make report`, then bundle it",
    )
