"""Quarto as renderer, where it is installed: the executed notebook in, one self-contained page out."""

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
    """The `quarto` on the PATH, if there is one that is new enough."""
    program = shutil.which("quarto")
    if program is None:
        return None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = tuple(int(part) for part in re.findall(r"\d+", done.stdout)[:2])
    if done.returncode or version < OLDEST:
        log.warning("quarto %s is older than %d.%d; the embedded renderer is used", done.stdout.strip(), *OLDEST)
        return None
    return program


def render_with_quarto(program: str, notebook: Path, project: Path, work: Path) -> str:
    """The page as Quarto makes it, with a policy that forbids every request and every script but its own.

    Args:
        program: the `quarto` to call.
        notebook: executed; Quarto executes nothing.
        project: the folder with `_quarto.yml`, the theme and the scripts.
        work: private state: a project of its own, so that nothing is written beside the sources.

    Raises:
        UserError: Quarto fails; its last words are in the message.
    """
    folder = work / "quarto"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = yaml.safe_load((project / "_quarto.yml").read_text(encoding="utf-8"))
    config["project"].pop("pre-render", None)
    (folder / "_quarto.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    for pattern in ("*.scss", "tables.*", "scripts.html", "quarto.html"):
        for file in project.glob(pattern):
            shutil.copy(file, folder)
    shutil.copytree(project / "vendor", folder / "vendor")
    shutil.copy(notebook, folder / "report.ipynb")
    done = subprocess.run(  # noqa: S603
        [program, "render", "report.ipynb", "--to", "html"],
        cwd=folder,
        env=os.environ | {"QUARTO_PYTHON": sys.executable, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    log.info("quarto said:\n%s%s", done.stdout, done.stderr)
    page = folder / "report.html"
    # After a failure an old page may still lie there; the exit status tells.
    if done.returncode or not page.is_file():
        # The first line that speaks of an error is the reason; after it come traces and a summary.
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["it gave no reason"]
        reason = next((number for number, line in enumerate(lines) if "error" in line.lower()), len(lines) - 1)
        last = " ".join(lines[reason : reason + 2])
        raise UserError(
            f"quarto could not render the notebook: {last}",
            remedy="see the log; without quarto on the PATH the embedded renderer is used",
        )
    return with_policy(_DATA_SCRIPT.sub(_inline, page.read_text(encoding="utf-8")))


def _inline(found: re.Match[str]) -> str:
    """A script from a data address as an inline one, which a policy can allow by its hash."""
    data = urllib.parse.unquote(found["data"])
    script = base64.b64decode(data).decode() if found["base64"] else data
    if "</script" in script.lower():
        return found.group()
    return f"<script{found['before']}{found['after']}>{script}</script>"
