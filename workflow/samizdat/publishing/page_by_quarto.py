"""Render an executed notebook as one self-contained page, by Quarto where it is installed."""

import base64
import logging
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import yaml

from samizdat.base.errors import UserError
from samizdat.publishing.content_policy import with_policy

log = logging.getLogger("samizdat")

OLDEST = (1, 7)
_DATA_SCRIPT = re.compile(
    r'<script(?P<before>[^>]*?)\ssrc="data:[^",;]*(?:;charset=[^",;]*)?(?P<base64>;base64)?,(?P<data>[^"]*)"(?P<after>[^>]*)>'
    r"\s*</script>"
)


def find_quarto() -> str | None:
    """Find the `quarto` on the PATH; None where there is none, or one older than `OLDEST`."""
    program = shutil.which("quarto")
    if program is None:
        return None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = tuple(int(part) for part in re.findall(r"\d+", done.stdout)[:2])
    if done.returncode or version < OLDEST:
        log.warning("quarto %s is older than %d.%d; the embedded renderer is used", done.stdout.strip(), *OLDEST)
        return None
    return program


def render_with_quarto(program: str, notebook: Path, project: Path, work: Path) -> str:
    """Return the page that Quarto makes, with a policy that forbids every request and every script but its own.

    Args:
        program: the `quarto` to call.
        notebook: executed; Quarto executes nothing.
        project: the folder with `_quarto.yml`, the theme and the scripts.
        work: where to copy the project to, so that Quarto writes nothing next to the sources.

    Raises:
        UserError: Quarto fails; the message has its error.
    """
    folder = work / "quarto"
    _copy_project(project, folder)
    shutil.copy(notebook, folder / "report.ipynb")
    done = subprocess.run(
        [program, "render", "report.ipynb", "--to", "html"],
        cwd=folder,
        env=os.environ | {"QUARTO_PYTHON": sys.executable, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    log.info("quarto printed:\n%s%s", done.stdout, done.stderr)
    page = folder / "report.html"
    # Quarto may write a page and fail all the same, so its exit status is checked, too.
    if done.returncode or not page.is_file():
        raise UserError(
            f"quarto could not render the notebook: {_reason(done.stderr)}",
            remedy="see the log; without quarto on the PATH the embedded renderer is used",
        )
    return with_policy(_DATA_SCRIPT.sub(_inline, page.read_text(encoding="utf-8")))


def _copy_project(project: Path, folder: Path) -> None:
    """Make a new project of the files that the page needs, without the hook that would execute the notebook."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = yaml.safe_load((project / "_quarto.yml").read_text(encoding="utf-8"))
    config["project"].pop("pre-render", None)
    config["format"]["html"].pop("output-file", None)
    (folder / "_quarto.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    for pattern in ("*.scss", "*.lua", "*.js", "tables.css", "scripts.html", "quarto.html"):
        for file in project.glob(pattern):
            shutil.copy(file, folder)
    shutil.copytree(project / "vendor", folder / "vendor")


def _reason(printed: str) -> str:
    """Find the reason of a failure in what Quarto printed: the first line with "error" in it and the line after it."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()] or ["it gave no reason"]
    first = next((number for number, line in enumerate(lines) if "error" in line.lower()), len(lines) - 1)
    return " ".join(lines[first : first + 2])


def _inline(found: re.Match[str]) -> str:
    """Turn a script with a data address into an inline script, which a policy can allow by its hash."""
    data = urllib.parse.unquote(found["data"])
    script = base64.b64decode(data).decode() if found["base64"] else data
    if "</script" in script.lower():
        return found.group()
    return f"<script{found['before']}{found['after']}>{script}</script>"
