"""The names that a manifest of somebody else's run may have: of the run, of its files, of its inputs."""

import re
import unicodedata
from pathlib import Path, PurePosixPath

from samizdat.base.corpus_files import COMPRESSED_SUFFIXES, TEXT_SUFFIXES
from samizdat.base.errors import UserError
from samizdat.records.run import Manifest

DOWNLOADS = "work/downloads/"
NAME = "[A-Za-z0-9_-]+"  # of a run or a model
# What the workflow runs from, copied where the run's own commit is not available.
CODE = ("Snakefile", "config", "workflow", "profiles", "report", "envs", "pyproject.toml")
# The file of a crate that describes the others: beside what a bundle has, a crate has code.
CRATE_METADATA = "ro-crate-metadata.json"
# Folders that no input may be in, and suffixes that an input may have. A run from somebody else must not bring code,
# nor results and states that would pass as computed here.
CLOSED_FOLDERS = {"workflow", "profiles", "config", "envs", "results", "work", "logs"}
INPUT_SUFFIXES = {*TEXT_SUFFIXES, *COMPRESSED_SUFFIXES, ".safetensors", ".model"}
NOT_OURS = "do not use it; ask the sender for the file that `make bundle` wrote"
# Characters of a file name that a shell, a formatter or a terminal could give a meaning to.
_UNSAFE = re.compile(r"""[\x00-\x1f\x7f-\xa0\u2028-\u202e\u2066-\u2069!"#$&'()*:;<>?\[\\\]^`{|}~]|^-""")


def is_inside(name: str) -> bool:
    """Whether a relative path, written with slashes, stays below its folder on every operating system."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts)


def check_names(manifest: Manifest, source: Path) -> None:
    """Refuse a manifest with names that a shell could misread or that lead out of a checkout.

    Today's rules quote every name. But a bundle may name an older commit, whose rules did not, and verifying runs
    the code of that commit.

    Args:
        manifest: of a run that one person made and another person makes again.
        source: the file that the manifest is from, for the message.

    Raises:
        UserError: tells the first such name, where it was found and what to do.
    """
    _check_shape(manifest, source)
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
            # Those older rules put two kinds of names on a command line unquoted, where a blank ends a word.
            unquoted = name == notes or PurePosixPath(str(name)).as_posix().startswith(DOWNLOADS)
            unsafe = not isinstance(name, str) or _UNSAFE.search(name) or (unquoted and " " in name)
            if unsafe or not is_inside(name):
                raise UserError(
                    f"{source}: {name!r} in {where} can't be the name of a file in a bundle; names are relative paths "
                    "without `..`, quotes, brackets, control characters and other characters with a meaning in a shell",
                    remedy="if somebody sent you this run, do not use it; if the run is your own, move or rename the "
                    "file, correct the config and make the run again",
                )


def _check_shape(manifest: Manifest, source: Path) -> None:
    """Refuse a manifest whose name, hashes or config are not those of a run, such as a hash that is a path."""
    config = manifest.config
    models = config.get("models")
    names = (
        [item.get("name") if isinstance(item, dict) else None for item in models] if isinstance(models, list) else []
    )
    hashes = [*manifest.inputs.values(), *manifest.artefacts.values()]
    wrong = {
        "name": not re.fullmatch(NAME, manifest.run),
        "commit": not re.fullmatch("[0-9a-f]{40,64}|unknown", manifest.commit),
        "hashes": not all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes),
        "config": not names or not all(isinstance(name, str) and re.fullmatch(NAME, name) for name in names)
        or not isinstance(config.get("publish_texts"), bool) or config.get("name") != manifest.run,
        "rules": not all(len(edge) == 2 for edge in manifest.rules),
    }  # fmt: skip
    if any(wrong.values()):
        what = next(part for part, is_wrong in wrong.items() if is_wrong)
        raise UserError(f"{source}: the {what} in its manifest can't be of a run", remedy=NOT_OURS)


def check_input(name: str, *, allowed: bool = True) -> None:
    """Refuse an input that can't be put into the folder in which a run is made again.

    Args:
        name: a relative path.
        allowed: false refuses it in any case.

    Raises:
        UserError: it could be code, results or a state of that folder.
    """
    if not (allowed and _may_be_input(name)):
        raise UserError(
            f"the run names {name!r} as an input, which can't be put into a folder of its own",
            remedy=f"move the file into data/, with a name that ends with {', '.join(TEXT_SUFFIXES)}; correct the "
            "config and make the run again; if somebody sent you this run, do not use it",
        )


def _may_be_input(name: str) -> bool:
    # Some file systems take `Config/` for `config/`, and `conﬁg/`, where two letters are one.
    path = PurePosixPath(unicodedata.normalize("NFKC", name).casefold())
    return (
        is_inside(name)
        and is_inside(path.as_posix())
        and not any(part.startswith(".") for part in path.parts)
        and (path.parts[0] not in CLOSED_FOLDERS or path.as_posix().startswith(DOWNLOADS))
        and path.as_posix() not in CODE
        and path.suffix in INPUT_SUFFIXES
    )
