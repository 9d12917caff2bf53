"""Check the notebook that is handed in, for `report.py`: made twice, by nbconvert, and in JupyterLab.

The last two need JupyterLab on the PATH, from an environment of its own: without the package samizdat, as on the
machine of somebody who is sent the notebook.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from record import ROOT, Figure

from samizdat.publishing.execute_report import execute_report
from support import browsing, plain_notebooks

_FOUND = shutil.which("jupyter-lab")
LAB = str(Path(_FOUND).resolve()) if _FOUND else None  # beside it are its other programs
# Every cell is in the page from the beginning, and nothing is asked.
_SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
_SAYS_SO = "This notebook is complete as it is. Close it without saving"
_START_SECONDS, _LOAD_MILLISECONDS, _RUN_MILLISECONDS = 120, 300_000, 120_000


@dataclass
class Seen:
    """What was found of the notebooks."""

    raw: dict[str, list[str]] = field(default_factory=dict)  # by program: syntax that a reader sees
    attacks: list[str] = field(default_factory=list)
    lost: int = 0
    said_so: int = 0
    opened: int = 0


def differing(corpus: str, document: Path, folder: Path) -> int:
    """Execute a finished run's report once more, from nothing; return in how many bytes both notebooks differ."""
    run, names = ROOT / "results" / corpus, ("quarto.ipynb", "report.ipynb")
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    made = [folder / name for name in names]
    execute_report(document, ROOT / config["notes"], run, *made, folder / "work", config["threads"])
    return sum(differing_bytes(one.read_bytes(), (run / "report" / one.name).read_bytes()) for one in made)


def differing_bytes(first: bytes, second: bytes) -> int:
    """Count the places in which two files differ; the additional bytes of the longer one differ, too."""
    return sum(a != b for a, b in zip(first, second, strict=False)) + abs(len(first) - len(second))


def look(notebooks: dict[str, Path], folder: Path) -> Seen:
    """Read the notebooks as they are, and where JupyterLab is installed by nbconvert and in a browser."""
    from playwright.sync_api import sync_playwright

    seen = Seen({"Markdown viewer": []})
    for path in notebooks.values():
        seen.raw["Markdown viewer"] += plain_notebooks.raw_syntax(nbformat.read(path, as_version=4))
    if LAB is None:
        return seen
    copies = {}
    for corpus, path in notebooks.items():
        copies[corpus] = folder / f"{corpus}.ipynb"
        shutil.copy(path, copies[corpus])
    # A hostile text shows raw syntax as it should: as text.
    ordinary = {corpus: path for corpus, path in copies.items() if corpus != "hostile"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browsing.LAUNCH)
        for template in ("lab", "classic"):
            texts = [_converted(browser, path, template) for path in ordinary.values()]
            seen.raw[f"nbconvert, {template}"] = _raw(texts)
        with _server(folder, list(copies.values())) as address:
            texts = [_opened(browser, address, path, seen) for path in ordinary.values()]
            seen.raw["JupyterLab"] = _raw(texts)
            if "hostile" in copies:
                _opened(browser, address, copies["hostile"], seen)
            for path in ordinary.values():
                _run_all(browser, address, path, seen)
        browser.close()
    return seen


def _raw(texts: list[str]) -> list[str]:
    return [found.group() for text in texts for found in plain_notebooks.RAW_SYNTAX.finditer(text)]


def _converted(browser: Any, notebook: Path, template: str) -> str:
    """Return the text of the page that nbconvert makes."""
    page = notebook.with_name(f"{notebook.stem}-{template}.html")
    command = [str(Path(LAB).with_name("jupyter-nbconvert")), "--to", "html", "--template", template]
    subprocess.run([*command, "--output", page.stem, str(notebook)], check=True, capture_output=True)
    opened = browser.new_page()
    opened.goto(page.as_uri(), wait_until="load")
    text: str = opened.inner_text("body")
    opened.close()
    return text


@contextmanager
def _server(folder: Path, notebooks: list[Path]) -> Iterator[str]:
    """Start JupyterLab in a folder whose notebooks are trusted; yield its address."""
    for name, values in _SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }  # fmt: skip
    environment.pop("PYTHONPATH", None)
    trust = [str(Path(LAB).with_name("jupyter-trust")), *map(str, notebooks)]
    subprocess.run(trust, env=environment, check=True, capture_output=True)
    command = [LAB, "--no-browser", "--allow-root", f"--ServerApp.root_dir={folder}", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", "--IdentityProvider.token="]
    with (folder / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api")
            yield address
        finally:
            server.terminate()
            server.wait()


def _wait_for(address: str) -> None:
    for _ in range(_START_SECONDS * 2):
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"JupyterLab did not answer at {address}")


def _show(browser: Any, address: str, notebook: Path) -> tuple[Any, list[str]]:
    """Open a notebook in JupyterLab; return the page with all its cells, and requests that leave the machine."""
    page = browser.new_context(viewport=browsing.SIZES["wide"]).new_page()
    strange: list[str] = []
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else strange.append(request.url[:200]))
    page.on("dialog", lambda dialog: (strange.append(dialog.message), dialog.dismiss()))
    page.goto(f"{address}/doc/tree/{notebook.name}")
    cells = len(nbformat.read(notebook, as_version=4).cells)
    page.wait_for_function(
        "n => document.querySelectorAll('.jp-Notebook .jp-Cell').length >= n", arg=cells, timeout=_LOAD_MILLISECONDS
    )
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-MarkdownCell')].every(e => e.querySelector('.jp-MarkdownOutput'))",
        timeout=_LOAD_MILLISECONDS,
    )
    page.wait_for_timeout(2000)
    return page, strange


def _opened(browser: Any, address: str, notebook: Path, seen: Seen) -> str:
    """Open a notebook; record what leaves the machine, runs or vanishes; return the text that is shown."""
    page, strange = _show(browser, address, notebook)
    seen.attacks += strange + [what for what in [page.evaluate("window.ran")] if what]
    if notebook.stem == "hostile":
        cells = f"() => {{ {browsing.TEXT}; return [...document.querySelectorAll('td')].map(text) }}"
        starts = {text.strip()[:200] for text in page.evaluate(cells)}
        seen.attacks += [
            prompt for prompt in browsing.PROMPTS
            if not any(one.startswith(browsing.cut(prompt, 360).strip()[:200]) for one in starts)
        ]  # fmt: skip
    text: str = page.inner_text(".jp-Notebook")
    page.context.close()
    return text


def _run_all(browser: Any, address: str, notebook: Path, seen: Seen) -> None:
    """Run all cells where the package isn't there and close without saving; count outputs that the file lost."""
    before = _outputs(notebook)
    page, _ = _show(browser, address, notebook)
    page.keyboard.press("Escape")
    page.set_default_timeout(_RUN_MILLISECONDS)
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
    page.wait_for_selector(".jp-OutputArea-output:has-text('To run it again')", timeout=_RUN_MILLISECONDS)
    seen.said_so += _SAYS_SO in page.inner_text(".jp-Notebook")
    page.context.close()
    seen.opened += 1
    seen.lost += before - _outputs(notebook)


def _outputs(notebook: Path) -> int:
    return sum(len(cell.get("outputs", ())) for cell in nbformat.read(notebook, as_version=4).cells)


def figures_of(seen: Seen, corpora: list[str], differing: int) -> dict[str, Figure]:
    """Make the figures; those of nbconvert and JupyterLab only where they were used."""
    figures = {
        f"raw_syntax_{key}": Figure(
            f"raw syntax of Quarto visible in the notebook that is handed in, {program} ({', '.join(corpora)})",
            len(seen.raw[program]), 0, True,
        )
        for key, program in (
            ("source", "Markdown viewer"), ("nbconvert_lab", "nbconvert, lab"),
            ("nbconvert_classic", "nbconvert, classic"), ("jupyterlab", "JupyterLab"),
        )
        if program in seen.raw
    }  # fmt: skip
    figures["notebook_differing_bytes"] = Figure(
        "bytes that differ between two executions of the notebook", differing, 0, True
    )
    if seen.opened:
        figures["jupyterlab_hostile"] = Figure(
            f"requests from the notebooks in JupyterLab, trusted, and hostile strings that run or vanish there, of "
            f"{len(set(browsing.PROMPTS))}", len(seen.attacks), 0, True,
        )  # fmt: skip
        figures["jupyterlab_lost"] = Figure(
            "outputs that the file lost by Run all without the package, in JupyterLab, not saved", seen.lost, 0, True
        )
        figures["jupyterlab_unsaid"] = Figure(
            "notebooks that don't say then to close them without saving", seen.opened - seen.said_so, 0, True
        )
    return figures
