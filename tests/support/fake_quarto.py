"""A program called `quarto` that notes how it was called, and gives the page that a test left for it."""

import base64
import os
from pathlib import Path

import pytest

FAKE = """#!/bin/sh
if [ "$1" = --version ]; then echo "$FAKE_VERSION"; exit 0; fi
{ echo "$@"; pwd; echo "$QUARTO_PYTHON"; ls; } > "$FAKE_LOG"
cp _quarto.yml "$FAKE_LOG.yml"
cp "$FAKE_PAGE" report.html
printf "Rendering\\n%s\\nTrace\\n" "$FAKE_WORDS" >&2
exit "$FAKE_STATUS"
"""
FAKE_PAGE = """<!DOCTYPE html>
<html><head>
<meta charset="utf-8">
<script src="data:application/javascript;base64,{script}"></script>
</head><body><p>Rendered.</p></body></html>"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the program into a folder, and put that folder first on a PATH without any other `quarto`.

    A test changes what the program does by the environment: FAKE_VERSION, FAKE_STATUS, FAKE_WORDS (its errors).
    """
    (folder / "bin").mkdir()
    program = folder / "bin" / "quarto"
    program.write_text(FAKE, encoding="utf-8")
    program.chmod(0o755)
    script = base64.b64encode(b"window.go = 1").decode()
    (folder / "page.html").write_text(FAKE_PAGE.format(script=script), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name, value in (
        ("VERSION", "1.7.34"),
        ("LOG", folder / "log"),
        ("STATUS", "0"),
        ("PAGE", folder / "page.html"),
    ):
        monkeypatch.setenv(f"FAKE_{name}", str(value))
