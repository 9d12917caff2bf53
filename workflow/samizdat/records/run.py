"""The manifest of a run."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: everything that the report depends on and that a second run would repeat."""

    run: str
    config: dict[str, Any]
    inputs: dict[str, str]  # file of the user → SHA-256
    artefacts: dict[str, str]  # path below results/<run>/ → SHA-256
    versions: dict[str, str]  # package → version
    python: str
    commit: str  # git commit of the workflow, or "unknown"
    clean: bool  # whether the working tree had no changes since the commit
    rules: list[list[str]]  # edges of the rule graph: [rule, rule that follows it]
