"""`samizdat verify` and `samizdat bundle`: a run made again here and by somebody else, and an altered bundle."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import Checkout, new_checkout
from support.warm_python import warm_what_verify_starts

pytestmark = pytest.mark.long

TEXTS, NOTES, UNREAD = "data/texts.txt", "data/notes.md", "data/photo.jpg"


# What one more text reruns: every rule except those that depend only on the config.
ALL_BUT_THE_CONFIG = {
    "import_corpus": 1, "make_tokenizer": 1, "train_model_gpt2-tiny": 1, "generate_samples": 1, "look_inside": 1,
    "judge_samples": 1, "compare_with_raters": 1, "detect_languages": 1, "compute_statistics": 1,
    "measure_yardsticks": 1, "write_manifest": 1, "execute_report": 1, "render_report": 1, "render_pdf": 1,
    "write_provenance": 1,
}  # fmt: skip


def samizdat(checkout: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from samizdat.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=checkout.root, env=checkout.environment(), capture_output=True, text=True)


def state(folder) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def git(checkout: Checkout, *arguments: str) -> None:
    named = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *named, *arguments], cwd=checkout.root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two checkouts of one repository: one with a run of its own texts without classifiers, one without a run."""
    checkout = new_checkout(tmp_path_factory.mktemp("verify") / "mine", warm=True)
    ignored = ("results/", "work/", "logs/", ".snakemake/", TEXTS, NOTES, UNREAD, "__pycache__/", ".venv")
    (checkout.root / ".gitignore").write_text("\n".join(ignored), encoding="utf-8")
    warm_what_verify_starts(checkout.root)
    git(checkout, "init", "--quiet")
    lines = [f"Sentence {number} of a corpus about rain and houses." for number in range(120)]
    (checkout.root / TEXTS).write_text("\n".join(lines), encoding="utf-8")
    for file in (NOTES, UNREAD):
        (checkout.root / file).write_text("Not a text of the corpus.", encoding="utf-8")
    changes = {"name": "small", "classifiers": [], "sampling": {"unprompted_samples": 4}, "notes": NOTES}
    corpus = {"source": "files", "paths": ["data"], "txt_unit": "line", "max_texts": None}
    overlay = checkout.overlay("small", corpus=corpus, **changes)
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "all")
    theirs = Checkout(shutil.copytree(checkout.root, checkout.root.parent / "theirs", symlinks=True), warm=True)
    done = checkout.snakemake("--configfile", overlay)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout, theirs


def test_a_run_made_again_in_its_own_checkout_is_the_same_and_is_not_touched(small):
    mine, _ = small
    summary = json.loads((mine.root / "results/small/corpus/summary.json").read_text(encoding="utf-8"))
    assert summary["texts"] == 120 and {NOTES, UNREAD} <= set(summary["unread"].values()), "and no input"
    # An uncommitted change breaks the code here; the run is made again with the code of its own commit.
    broken = mine.root / "workflow" / "samizdat" / "corpus" / "import_corpus.py"
    before, code = state(mine.root / "results"), broken.read_text(encoding="utf-8")
    broken.write_text("raise SystemExit('other code')\n", encoding="utf-8")
    handed_in = shutil.copy2(mine.root / "results/small/report/report.ipynb", mine.root / "work" / "their.ipynb")
    done = samizdat(mine, "verify", "results/small", str(handed_in))
    broken.write_text(code, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with the code of its commit" in done.stderr and " same bytes.\nYes: made again" in done.stdout
    assert f"same bytes    {handed_in}\n" in done.stdout and "Report:" not in done.stderr
    assert "report/report.html" in done.stdout and "models/gpt2-tiny/model.safetensors" in done.stdout
    assert state(mine.root / "results") == before and not (mine.root / "work/.verify/small").exists()


def test_a_bundle_made_again_elsewhere_is_the_same_and_an_altered_one_is_not(small, tmp_path):
    mine, theirs = small
    assert samizdat(mine, "bundle", "results/small").returncode == 0
    good, bad = mine.root / "results" / "small.zip", tmp_path / "bad.zip"
    # Somebody changes a number in a table and writes the new hash into the manifest.
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w") as new:
        log = old.read("results/models/gpt2-tiny/train_log.csv")
        altered = log.replace(b"\n0,", b"\n7,", 1)
        assert altered != log
        hashes = [hashlib.sha256(data).hexdigest().encode() for data in (log, altered)]
        for name in old.namelist():
            data = altered if name.endswith("train_log.csv") else old.read(name)
            if name.endswith("manifest.json") or name.endswith("provenance.json"):
                data = data.replace(*hashes)
            new.writestr(name, data)
    page = tmp_path / "their.html"
    page.write_bytes((mine.root / "results/small/report/report.html").read_bytes().replace(b"needs", b"takes", 1))
    done = samizdat(theirs, "verify", str(bad), str(page))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "different     models/gpt2-tiny/train_log.csv" in done.stdout
    assert "column step, row 0: 7 against 0" in done.stdout
    assert re.search(rf"^different     {page}  .*takes", done.stdout, re.MULTILINE)
    (again,) = (theirs.root / "work" / ".verify").glob("bad-*/checkout/results/small")
    with zipfile.ZipFile(good) as archive:
        files = [name for name in archive.namelist() if name.startswith("results/") and "provenance" not in name]
        assert len(files) > 20
        assert all((again / name.removeprefix("results/")).read_bytes() == archive.read(name) for name in files)


def test_a_bundle_without_texts_needs_the_readers_own(small):
    mine, theirs = small
    assert samizdat(mine, "bundle", "results/small", "--inputs", "hashes").returncode == 0
    bundle = mine.root / "results" / "small.zip"
    sha256 = json.loads((mine.root / "results/small/manifest.json").read_text(encoding="utf-8"))["inputs"][TEXTS]
    (theirs.root / TEXTS).unlink()
    done = samizdat(theirs, "verify", str(bundle))
    assert done.returncode == 3
    assert f"{TEXTS} is missing; its SHA-256 is {sha256}" in done.stderr
    (theirs.root / TEXTS).write_text("something else", encoding="utf-8")
    done = samizdat(theirs, "verify", str(bundle))
    assert done.returncode == 3 and f"{TEXTS} has another hash here" in done.stderr


def test_one_text_more_reruns_exactly_what_depends_on_the_corpus(small, tmp_path):
    mine, _ = small
    copy = Checkout(shutil.copytree(mine.root, tmp_path / "copy", symlinks=True), warm=True)
    assert copy.planned_jobs("--configfile", "config/small.yaml") == {}
    with (copy.root / TEXTS).open("a", encoding="utf-8") as file:
        file.write("\nOne sentence more about something else.")
    assert copy.planned_jobs("--configfile", "config/small.yaml") == ALL_BUT_THE_CONFIG
