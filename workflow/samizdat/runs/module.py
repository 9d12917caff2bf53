"""Calls the workflow's handlers where another Snakefile uses the workflow as a module."""

from collections.abc import Callable
from typing import Any


def call_too(workflow: Any, **handlers: Callable[[], object]) -> None:
    """Call handlers before those of the main Snakefile; by itself Snakemake ignores the handlers of a module.

    Args:
        workflow: Snakemake's.
        **handlers: by name: `onstart`, `onsuccess`, `onerror`.
    """
    prepare = workflow._prepare_dag

    def prepare_with_handlers(*arguments: Any, **named: Any) -> Any:
        # Only now has the main Snakefile been read to its end.
        for name, ours in handlers.items():
            setattr(workflow, f"_{name}", _both(ours, getattr(workflow, f"_{name}")))
        return prepare(*arguments, **named)

    workflow._prepare_dag = prepare_with_handlers


def _both(ours: Callable[[], object], theirs: Callable[..., None]) -> Callable[..., None]:
    def handler(log: Any) -> None:
        ours()
        theirs(log)

    return handler
