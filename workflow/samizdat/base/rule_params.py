"""Values of the config and of a rule, written as options of a stage's command line and quoted for the shell."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from samizdat.base.digest import version_of
from samizdat.base.files import sha256_of

# A function of a job's wildcards, as Snakemake calls it for a value under `params:`.
Param = Callable[[Any], str]


def verbatim(text: str) -> Param:
    """Make a param of a text, unchanged; in a plain string Snakemake would replace `{…}` by a wildcard."""
    return lambda wildcards: text


def options(values: Mapping[str, Any]) -> Param:
    """Write a mapping as command-line options, sorted and quoted: strings unchanged, other values as JSON."""
    texts = {
        key.replace("_", "-"): (value if isinstance(value, str) else json.dumps(value, sort_keys=True))
        for key, value in values.items()
    }
    return verbatim(" ".join(f"--{key}={shlex.quote(value)}" for key, value in sorted(texts.items())))


def paths(files: Iterable[str | Path]) -> str:
    """Write several files as the JSON value of one option, quoted."""
    return shlex.quote(json.dumps([str(file) for file in files]))


def folder_of(file: str | Path) -> str:
    """Return the folder of a file."""
    return str(Path(file).parent)


def nameable(files: Iterable[str]) -> list[str]:
    """Select the files that can be inputs of a rule; Snakemake would replace `{…}` in the name of an input."""
    return [file for file in files if not re.search(r"[{}<>\x00-\x1f\x7f]|^\s|\s$", file)]


def hashes_of_unnameable(files: Iterable[str]) -> Param:
    """Make a param of the hashes of the files that can't be inputs, so that their change reruns the rule too."""
    files = list(files)
    others = sorted(set(files) - set(nameable(files)))
    return lambda wildcards: options({"unnameable": {file: sha256_of(Path(file)) for file in others}})(wildcards)


def state_of_folder(checkpoint: str | None) -> str:
    """Write down names, sizes and dates in a checkpoint's folder: as a param they let other files rerun the rule.

    Of a package it is the version, and of the Hub nothing, where a commit names the files. The files are no inputs,
    since what a step asks of a cluster grows with its inputs.
    """
    if checkpoint and checkpoint.startswith("package:"):
        return version_of(checkpoint.removeprefix("package:").split("/")[0])
    folder = Path(checkpoint or "")
    files = sorted(path for path in folder.iterdir() if path.is_file()) if checkpoint and folder.is_dir() else []
    return json.dumps([(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files])


def digest_of_files(files: Iterable[Path]) -> str:
    """Compute a digest of the contents of text files, in their order."""
    return hashlib.sha256("".join(file.read_text(encoding="utf-8") for file in files).encode()).hexdigest()[:16]
