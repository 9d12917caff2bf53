"""Durations, commands and config values in the form that people read."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from samizdat.base.escaping import shortened, whole_letters


def duration(seconds: float) -> str:
    """Write a duration with its units: `0.4 s`, `52 s`, `3 min 20 s`, `12 h 34 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def how_to_make(run: str) -> str:
    """Write the command that makes a run: without a config, `make report` makes the demo."""
    return "`make report`" if run == "demo" else f"`make report CONFIG=…` with the config of the run {run}"


def dotted(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Flatten nested mappings to sorted pairs of dotted key and value: `training.epochs`, `models[tiny].layers`."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield from dotted(value[name], f"{key}.{name}".lstrip("."))
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from dotted(item, f"{key}[{item.get('name', number)}]")
    else:
        yield key, value


def json_words(value: Any, longest: int) -> str:
    """Write a value as JSON without `\\u` escapes, cut to `longest` characters."""
    return shortened(json.dumps(value, ensure_ascii=False), longest)


def different_words(values: Sequence[Any], longest: int) -> list[str]:
    """Write values as `json_words` does; different ones that would then look the same begin shortly before the place
    where they differ.
    """
    whole = [json.dumps(value, ensure_ascii=False) for value in values]
    cut = [shortened(words, longest) for words in whole]
    found = []
    for words, short in zip(whole, cut, strict=True):
        alike = sorted({one for one, other in zip(whole, cut, strict=True) if other == short})
        same = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*alike, strict=False))
        begin = whole_letters(words, len(list(same)) - longest // 2)
        found.append(short if len(alike) == 1 else f"…{shortened(words[begin:], longest - 1)}")
    return found
