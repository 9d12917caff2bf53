"""Compare two files: the same bytes, the same numbers within a tolerance, or different, and where first."""

import base64
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from samizdat.base.escaping import shortened
from samizdat.base.files import sha256_of
from samizdat.records.models import DEVICES
from samizdat.runs.pdf_content import content_of_pdf
from samizdat.runs.same_pictures import pictures_agree
from samizdat.runs.same_texts import RELATIVE_TOLERANCE, SHOWN, first_difference, text_difference

# Two numbers agree when they differ by at most this share of the larger one, or by at most the absolute tolerance;
# two elements of a tensor when they differ by at most this share of the tensor's largest element; whole numbers also
# when they differ by one, since they may have been rounded the other way.
ABSOLUTE_TOLERANCE = 1e-6

SAME, CLOSE, DIFFERENT = "same bytes", "same numbers", "different"
# Keys of a model's summary whose values, besides numbers, may differ from machine to machine, and all their values: a
# summary that somebody edited may have anything else there.
MACHINE_VALUES: dict[str, tuple[str | bool, ...]] = {
    "device_kind": (*DEVICES,),
    "compute_dtype": ("int8", "bfloat16", "float16", "float32"),
    "compiled": (False, True),
}

_FACTS = re.compile(r'<script id="facts" type="application/json">(.*?)</script>')
_WEIGHTS = re.compile(r'<script id="weights-(\d+)" type="text/plain">([A-Za-z0-9+/=]*)</script>')


@dataclass(frozen=True)
class Verdict:
    """How a file compares to the one that was expected."""

    kind: str  # SAME, CLOSE or DIFFERENT
    where: str = ""  # of DIFFERENT: the first place that differs, with both values


@dataclass
class KnownDifferences:
    """Words that differ for a known reason: the hash of another file that was found close, or the name of a device."""

    words: dict[str, str] = field(default_factory=dict)  # expected → found
    comma: bool = False  # whether the reports' language has a decimal comma
    exact: bool = False  # whether reports must have the same numbers, not only numbers within the tolerance

    def allows(self, expected: str, found: str) -> bool:
        """Whether two strings are the same except for such words."""
        return expected == found or self.words.get(expected) == found or self.replace(expected) == found

    def replace(self, text: str) -> str:
        """Replace each expected word in a text by the word that was found."""
        if not self.words:
            return text
        words = "|".join(re.escape(word) for word in sorted(self.words, key=len, reverse=True))
        return re.sub(rf"(?<![\w.])(?:{words})(?![\w])", lambda hit: self.words[hit[0]], text)


def compare(expected: Path, found: Path, known: KnownDifferences) -> Verdict:
    """Compare a file with the one that was expected: first the bytes, then the content.

    Args:
        expected: the file of the recorded run.
        found: the same file of the rebuilt run.
        known: words that may differ; gains the hash of a file that is found close.
    """
    if not found.is_file():
        return Verdict(DIFFERENT, "the rebuilt run has no such file")
    hashes = sha256_of(expected), sha256_of(found)
    if hashes[0] == hashes[1]:
        return Verdict(SAME)
    where = _COMPARISONS.get(expected.suffix, _bytes)(expected, found, known)
    if where:
        return Verdict(DIFFERENT, where)
    known.words[hashes[0]] = hashes[1]
    return Verdict(CLOSE)


# Each of these compares two files of one kind; it returns the first place that differs, or None.


def _tensors(expected: Path, found: Path, _: KnownDifferences) -> str | None:
    from safetensors import safe_open

    with safe_open(expected, "pt") as old, safe_open(found, "pt") as new:
        for name in sorted(old.keys()):
            if name not in new.keys():  # noqa: SIM118 - no mapping
                return f"tensor {name}: only in the recorded file"
            a, b = old.get_tensor(name), new.get_tensor(name)
            if a.shape != b.shape or a.dtype != b.dtype:
                return f"tensor {name}: {list(a.shape)} of {a.dtype} against {list(b.shape)} of {b.dtype}"
            whole = not a.is_floating_point()
            if where := _elements(name, a.double().numpy(), b.double().numpy(), whole=whole):
                return where
        extra = sorted(set(new.keys()) - set(old.keys()))
    return f"tensor {extra[0]}: only in the rebuilt file" if extra else None


def _elements(name: str, old: np.ndarray, new: np.ndarray, *, whole: bool) -> str | None:
    """Find the first element of a tensor that differs by more than it may."""
    # What is infinite allows nothing.
    largest = min(float(np.abs(side[np.isfinite(side)]).max(initial=0.0)) for side in (old, new))
    tolerance = max(RELATIVE_TOLERANCE * largest, 1.0 if whole else 0.0)
    differs = ~np.isclose(old, new, rtol=0, atol=tolerance, equal_nan=True)
    if not differs.any():
        return None
    place = tuple(int(index) for index in np.argwhere(differs)[0])
    return f"tensor {name}{list(place)}: {old[place]:g} against {new[place]:g}"


def _table(expected: Path, found: Path, known: KnownDifferences) -> str | None:
    import pyarrow.parquet as pq

    old, new = pq.read_table(expected), pq.read_table(found)
    if not old.schema.equals(new.schema):
        return f"columns {', '.join(old.column_names)} against {', '.join(new.column_names)}, or other types"
    return _columns({name: (old[name].to_pylist(), new[name].to_pylist()) for name in old.column_names}, known)


def _csv(expected: Path, found: Path, known: KnownDifferences) -> str | None:
    import pandas as pd

    old, new = pd.read_csv(expected), pd.read_csv(found)
    if list(old.columns) != list(new.columns):
        return f"columns {', '.join(old.columns)} against {', '.join(new.columns)}"
    return _columns({name: (old[name].tolist(), new[name].tolist()) for name in old.columns}, known)


def _columns(columns: dict[str, tuple[list[Any], list[Any]]], known: KnownDifferences) -> str | None:
    for name, (old, new) in columns.items():
        if len(old) != len(new):
            return f"{len(old)} rows against {len(new)}"
        for row, (a, b) in enumerate(zip(old, new, strict=True)):
            if _values(a, b, "", known.allows) is not None:
                return f"column {name}, row {row}: {_both(a, b)}"
    return None


def _json(expected: Path, found: Path, known: KnownDifferences) -> str | None:
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (expected, found))
    where = _values(old, new, "", known.allows)
    return where and f"key {where}"


def _notebook(expected: Path, found: Path, known: KnownDifferences) -> str | None:
    old, new = (json.loads(path.read_text(encoding="utf-8")) for path in (expected, found))

    def same_text(a: str, b: str) -> bool:
        return text_difference(known.replace(a), b, comma=known.comma, exact=known.exact) is None

    for cells in (old, new):
        for key in ("kernelspec", "language_info"):  # of the kernel that was there when the notebook was last saved
            cells.get("metadata", {}).pop(key, None)
        for cell in cells["cells"]:
            cell["source"] = "".join(cell["source"])
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                joined = {key: "".join(value) for key, value in data.items() if isinstance(value, list | str)}
                output["data"] = data | joined
                if "image/png" in data:  # as in a page, so that pictures are found in both
                    output["data"]["image/png"] = "data:image/png;base64," + joined["image/png"].replace("\n", "")
    where = _values(old, new, "", same_text)
    return where and f"key {where}"


def _text(expected: Path, found: Path, known: KnownDifferences) -> str | None:
    old, new = (path.read_text(encoding="utf-8") for path in (expected, found))
    weights = [list(_weights_in_page(text)) for text in (old, new)]
    if len(weights[0]) != len(weights[1]):
        return f"{len(weights[0])} tensors against {len(weights[1])}"
    for (name, a), (other, b) in zip(*weights, strict=True):
        if name != other or a.dtype != b.dtype or a.shape != b.shape:
            return f"tensor {name} against {other}"
        if where := _elements(name, a.astype(float), b.astype(float), whole=a.dtype == np.int8):
            return where
    if weights[0]:
        old, new = _WEIGHTS.sub("", old), _WEIGHTS.sub("", new)
    return text_difference(known.replace(old), new, comma=known.comma, exact=known.exact)


def _weights_in_page(page: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the tensors of the checkpoints in a page in which a model runs, with their names."""
    if facts := _FACTS.search(page):
        for percent, content in _WEIGHTS.findall(page):
            packed = base64.b64decode(content)
            for tensor in json.loads(facts[1])["tensors"]:
                name, rows, columns = f"{percent}: {tensor['name']}", tensor["rows"], tensor["columns"]
                kind = "<f4" if columns is None else np.int8
                yield name, np.frombuffer(packed, kind, rows * (columns or 1), tensor["at"])
                if columns is not None:
                    yield f"{name}.scales", np.frombuffer(packed, "<f4", rows, tensor["scales"])


def _pdf(expected: Path, found: Path, known: KnownDifferences) -> str | None:
    old, new = content_of_pdf(expected), content_of_pdf(found)
    if where := text_difference(known.replace(old.words), new.words, comma=known.comma, exact=known.exact):
        return where
    if len(old.pictures) != len(new.pictures):
        return f"{len(old.pictures)} pictures against {len(new.pictures)}"
    for number, (a, b) in enumerate(zip(old.pictures, new.pictures, strict=True), 1):
        if not pictures_agree(a, b):
            return f"picture {number} is another one"
    # With other numbers lines may break in other places, and what is drawn under links with them.
    if known.exact and old.drawn != new.drawn:
        return f"{old.drawn} lines, areas and notes against {new.drawn}"
    return None


def _bytes(expected: Path, found: Path, _: KnownDifferences) -> str | None:
    return f"byte {first_difference(expected.read_bytes(), found.read_bytes())}"


def is_of_a_machine(key: str, value: Any) -> bool:
    """Whether a value of a model's summary is one that another machine may have in its place."""
    return any(value is one or (isinstance(one, str) and value == one) for one in MACHINE_VALUES.get(key, ()))


def _values(a: Any, b: Any, path: str, same_text: Callable[[str, str], bool]) -> str | None:
    """Find the first difference of two JSON values: its path, with both values; None where they agree."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            below = f"{path}.{key}".lstrip(".")
            if key not in a or key not in b:
                return f"{below}: only in the {'recorded' if key in a else 'rebuilt'} file"
            if is_of_a_machine(key, a[key]) and is_of_a_machine(key, b[key]):
                continue
            if where := _values(a[key], b[key], below, same_text):
                return where
        return None
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{path}: {len(a)} items against {len(b)}"
        pairs = enumerate(zip(a, b, strict=True))
        return next((where for n, (x, y) in pairs if (where := _values(x, y, f"{path}[{n}]", same_text))), None)
    if isinstance(a, str) and isinstance(b, str):
        agree = same_text(a, b)
    elif float in (type(a), type(b)) and all(type(value) in (int, float) for value in (a, b)):
        agree = math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE) or (a != a and b != b)
    else:
        agree = type(a) is type(b) and a == b
    return None if agree else f"{path}: {_both(a, b)}"


def _both(a: Any, b: Any) -> str:
    """Write two values, long ones from shortly before the place where they differ."""
    old, new = (value if isinstance(value, str) else json.dumps(value, default=str) for value in (a, b))
    begin = 0
    if shortened(old, SHOWN) == shortened(new, SHOWN):
        begin = max(0, first_difference(old, new) - SHOWN // 2)
    dots = "…" if begin else ""
    return f"{dots}{shortened(old[begin:], SHOWN)} against {dots}{shortened(new[begin:], SHOWN)}"


_COMPARISONS: dict[str, Callable[[Path, Path, KnownDifferences], str | None]] = {
    ".safetensors": _tensors,
    ".parquet": _table,
    ".csv": _csv,
    ".json": _json,
    ".ipynb": _notebook,
    ".html": _text,
    ".pdf": _pdf,
}
