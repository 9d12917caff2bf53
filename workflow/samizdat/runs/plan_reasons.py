"""Translate Snakemake's reason for a job into plain words, with the values that changed."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from samizdat.base.wording import different_words, dotted

LONGEST_VALUE_CHARACTERS = 60
MOST_NAMED = 3

# A parameter that is a plain number is a random seed (63 random bits) or a number of threads.
_LEAST_SEED = 100_000

_DIGEST = re.compile(r"[0-9a-f]{16}")
_FILES = {
    "Missing output files: ": "{names} {is_are} missing",
    "Incomplete output files: ": "it was interrupted while it wrote {names}",
    "Updated input files: ": "{names} changed",
}
_OTHER_FILES = "it reads other files than before"
_RULE_CHANGED = "Code has changed since last execution"
_OTHER = {
    "Forced execution": "a file of it is damaged, or it was forced",
    "Set of input files has changed since last execution": _OTHER_FILES,
    _RULE_CHANGED: "its rule changed",
}
_PARAMS = re.compile(
    r"Params have changed since last execution: Union of exclusive params before and now across all output: "
    r"before: (?P<values>.*)$",
    flags=re.DOTALL,
)
_NONE = "<nothing exclusive>"
_CODE_CHANGED, _SEED_CHANGED = "its code or a package of it changed", "the seed changed"
_CONTENT_CHANGED = "the content of its files changed"


def direct_reasons(reason: str) -> list[str]:
    """Say what changed, as parts of a sentence; empty for a job that runs only because another one does.

    Args:
        reason: Snakemake's reason of one job.
    """
    found: list[str] = []
    params = _PARAMS.search(reason)
    for part in (reason[: params.start()] if params else reason).split("; "):
        part = part.strip()
        found += [words for start, words in _OTHER.items() if part.startswith(start)]
        for start, words in _FILES.items():
            if part.startswith(start):
                names = part.removeprefix(start).split(", ")
                found.append(words.format(names=listed(sorted(names)), is_are="is" if len(names) == 1 else "are"))
    if params:
        found += _changed_params(params["values"])
    # Said with their names, if Snakemake saw it too: it does where they are newer than what was made of them.
    named = "Updated input files: " in reason or _OTHER_FILES in found
    return [part for part in found if part != _CONTENT_CHANGED or not named]


def takes_as_long(reason: str) -> bool:
    """Whether a job with this reason, one of `direct_reasons`, takes as long as before: its texts and settings do not
    change, only its code, its seed or its results.
    """
    return (
        reason in (_CODE_CHANGED, _SEED_CHANGED, _OTHER["Forced execution"], _OTHER[_RULE_CHANGED])
        or reason.startswith("it was interrupted")
        or reason.endswith((" is missing", " are missing"))
    )


def listed(names: list[str]) -> str:
    """Join names with commas and "and"; of many names, only the first are shown."""
    shown, more = names[:MOST_NAMED], len(names) - MOST_NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _changed_params(values: str) -> list[str]:
    """Say which settings of a job changed, with both values, and whether its code did."""
    for middle in re.finditer(r" now: ", values):
        try:
            before, now = _values(values[: middle.start()]), _values(values[middle.end() :])
        except (ValueError, SyntaxError):
            continue  # this " now: " is a part of a value
        break
    else:
        return ["its settings changed"]
    found = [_CODE_CHANGED] if any(map(_is_code_digest, before + now)) else []
    found += [_SEED_CHANGED] if any(type(value) is int and value >= _LEAST_SEED for value in before + now) else []
    old, new = dict(_settings(before)), dict(_settings(now))
    if old.pop("contents", None) != new.pop("contents", None):
        found.append(_CONTENT_CHANGED)
    changes = [
        _change(key, old, new) for key in sorted(old.keys() | new.keys()) if old.get(key, _NONE) != new.get(key, _NONE)
    ]
    found += [listed(changes)] if changes else []
    return found or ["its settings changed"]


def _change(key: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    if key in old and key in new:
        before, now = different_words([old[key], new[key]], LONGEST_VALUE_CHARACTERS)
        return f"{key} changed from {before} to {now}"
    return f"{key} is {'new' if key in new else 'gone'}"


def _values(text: str) -> list[Any]:
    text = text.strip()
    return [] if text == _NONE else list(ast.literal_eval(f"[{text}]"))


def _is_code_digest(value: Any) -> bool:
    digests = value if isinstance(value, list) else [value]
    return bool(digests) and all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in digests)


def _settings(values: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values from a job's parameters: threads, command-line options, or the whole config."""
    for value in values:
        if type(value) is int and value < _LEAST_SEED:
            yield "threads", value
        options = isinstance(value, str) and value.startswith("--")  # else it may be any path, with any quotes
        for word in shlex.split(value) if options else ():
            name, equals, text = word.partition("=")
            if name == "--values" and equals:
                yield from dotted(_json(text))
            elif name.startswith("--") and equals:
                yield name.removeprefix("--").replace("-", "_"), _json(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
