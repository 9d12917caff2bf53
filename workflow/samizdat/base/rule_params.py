"""Values of the config and of a rule, spelled for the command line of a stage, quoted for the shell."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from samizdat.base.files import sha256_of

# A function of a job's wildcards, as Snakemake calls it for a value under `params:`.
Param = Callable[[Any], str]


def verbatim(text: str) -> Param:
    """Give a text as a param unchanged: in a plain string Snakemake would replace what looks like a wildcard."""
    return lambda wildcards: text


def options(values: Mapping[str, Any]) -> Param:
    """Spell a mapping as command-line options, sorted and quoted: strings unchanged, other values as JSON."""
    spelled = {
        key.replace("_", "-"): (value if isinstance(value, str) else json.dumps(value, sort_keys=True))
        for key, value in values.items()
    }
    return verbatim(" ".join(f"--{key}={shlex.quote(value)}" for key, value in sorted(spelled.items())))


def paths(files: Iterable[str | Path]) -> str:
    """Spell several files as one JSON option, quoted."""
    return shlex.quote(json.dumps([str(file) for file in files]))


def folder_of(file: str | Path) -> str:
    """The folder that a file is in."""
    return str(Path(file).parent)


def nameable(files: Iterable[str]) -> list[str]:
    """Choose the files that can be inputs of a rule: Snakemake replaces `{wildcards}` in the name of any input."""
    return [file for file in files if not re.search(r"[{}<>\x00-\x1f\x7f]|^\s|\s$", file)]


def hashes_of_unnameable(files: Iterable[str]) -> Param:
    """Give the hashes of the other files as a param, so that what reads them runs again when they change."""
    files = list(files)
    others = sorted(set(files) - set(nameable(files)))
    return lambda wildcards: options({"unnameable": {file: sha256_of(Path(file)) for file in others}})(wildcards)


def digest_of_files(files: Iterable[Path]) -> str:
    """A digest of the contents of text files, in their order."""
    return hashlib.sha256("".join(file.read_text(encoding="utf-8") for file in files).encode()).hexdigest()[:16]
