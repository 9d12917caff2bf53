"""Results of costly stages, kept in a folder that Snakemake does not delete when it reruns a stage."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from samizdat.base.files import replacing_folder, sha256_of, write_text


def fingerprint(**parts: Any) -> str:
    """Compute a digest of everything that a result depends on, given as JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


# Private folders of the stages whose kept result this process copied back instead of computing it.
restored: set[Path] = set()


def restore_result(work: Path, mark: str, out: Path) -> bool:
    """Copy the kept result with fingerprint `mark` from `work` to `out`.

    Returns:
        False if no such result is kept, or if it is damaged.
    """
    kept = work / "finished"
    try:
        record = json.loads((work / "finished.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    names = record["files"] if record["fingerprint"] == mark else {}
    if not names or any(not (kept / name).is_file() or sha256_of(kept / name) != sha for name, sha in names.items()):
        return False
    with replacing_folder(out) as folder:
        for name in names:
            _link(kept / name, folder / name)
            os.utime(folder / name)
    restored.add(work)
    return True


def store_result(work: Path, mark: str, out: Path) -> None:
    """Keep the files in `out` under fingerprint `mark`, as hard links where possible: these take no disk space."""
    (work / "finished.json").unlink(missing_ok=True)
    shutil.rmtree(work / "finished", ignore_errors=True)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    for path in files:
        _link(path, work / "finished" / path.relative_to(out))
    record = {"fingerprint": mark, "files": {path.relative_to(out).as_posix(): sha256_of(path) for path in files}}
    write_text(work / "finished.json", json.dumps(record, indent=2, sort_keys=True) + "\n")


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy(source, target)
