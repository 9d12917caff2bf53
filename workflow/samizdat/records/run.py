"""The manifest of a run."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: all that the report depends on and that a second run would repeat."""

    run: str
    config: dict[str, Any]
    inputs: dict[str, str]  # file the user gave → SHA-256
    artefacts: dict[str, str]  # path below results/<run>/ → SHA-256
    versions: dict[str, str]  # package → version
    python: str
    commit: str  # of the workflow, or "unknown"
    clean: bool  # whether the working tree was the commit's
    rules: list[list[str]]  # edges of the rule graph: [from, to]
