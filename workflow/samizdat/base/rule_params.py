"""Values of the config and of a rule, written as options of a stage's command line and quoted for the shell."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from samizdat.base.digest import version_of
from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, sha256_of, write_text
from samizdat.base.stage_arguments import option_text

# A function of a job's wildcards, as Snakemake calls it for a value under `params:`.
Param = Callable[[Any], str]


def verbatim(text: str) -> Param:
    """Make a param of a text, unchanged; in a plain string Snakemake would replace `{…}` by a wildcard."""
    return lambda wildcards: text


def untracked(param: Param) -> Callable[[Any, Any], str]:
    """Make a param that reruns nothing, of one on which no result depends.

    Snakemake does not compare a param that it makes of a job's input.
    """
    return lambda wildcards, input: param(wildcards)


def options(values: Mapping[str, Any]) -> Param:
    """Write a mapping as command-line options, sorted and quoted: strings as text, other values as JSON."""
    texts = {key.replace("_", "-"): option_text(value) for key, value in values.items()}
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


class Contents:
    """Digests of what is in a person's files, as params: another content reruns a rule, whatever the file's date is.

    Snakemake alone compares the content of newer files only, and a file may be replaced by an older one. All files are
    hashed when the first param is asked for. A file whose size and times are as before is not read again.
    """

    def __init__(self, cache: Path):
        """Keep the hashes in the file `cache`, which may be deleted at any time."""
        self._cache = cache
        self._files: set[str] = set()

    def of(self, files: Iterable[str]) -> Param:
        """Make a param of the contents of these files; a file that is not there has none."""
        names = sorted(set(files))
        self._files.update(names)
        return lambda wildcards: f"--contents={_digest([(name, self._hashes.get(name)) for name in names])}"

    @cached_property
    def _hashes(self) -> dict[str, str]:
        try:
            known = dict(json.loads(checked_bytes(self._cache)))
        except (OSError, ValueError, TypeError, UserError):  # none, or a damaged one
            known = {}
        found: dict[str, list[Any]] = {}
        for name in sorted(self._files):
            with suppress(OSError):
                state = Path(name).stat()
                # The time of the last change of the entry can't be set, as `cp -p` sets the time of the content.
                key = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
                before = known.get(name, [])
                found[name] = before if before[:-1] == key else [*key, sha256_of(Path(name))]
        if found != known:
            with suppress(OSError):
                write_text(self._cache, json.dumps(found))
        return {name: entry[-1] for name, entry in found.items()}


def state_of_folder(checkpoint: str | None) -> str:
    """Write down names, sizes and dates in a checkpoint's folder: as a param they let other files rerun the rule.

    Of a package it is the version, and of the Hub nothing, where a commit names the files. The files are no inputs,
    since what a step asks of a cluster grows with its inputs.
    """
    if checkpoint and checkpoint.startswith("package:"):
        return version_of(checkpoint.removeprefix("package:").split("/")[0])
    states = []
    with suppress(OSError, ValueError):  # a folder that can't be read or named: the step says what is wrong with it
        for path in sorted(Path(checkpoint).iterdir() if checkpoint else []):
            with suppress(OSError):  # as a link to nothing
                if path.is_file():
                    states.append((path.name, path.stat().st_size, path.stat().st_mtime_ns))
    return json.dumps(states)


def digest_of_files(files: Iterable[Path]) -> str:
    """Compute a digest of the contents of text files, in their order."""
    return _digest([file.read_text(encoding="utf-8") for file in files])


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
