"""A made-up run and the same run made again: how tests change one of them, and compare both."""

import typst

from samizdat.base.files import sha256_of, write_text
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from samizdat.runs.verify import compare_runs
from support.run_fixture import finish, make_run


def write_pdf(run, words):
    """Write a report of one page with these words."""
    (run / "report" / "report.pdf").write_bytes(typst.compile(words.encode(), format="pdf", timestamp=0))


def verdicts_of(run, rebuilt):
    """Compare a run with the one that was made again, file by file."""
    return dict(compare_runs(manifest_of(run), run, rebuilt))


def manifest_of(run):
    """Read what a run records."""
    return read_document(Manifest, run / "manifest.json")


def rewrite(run, name, text):
    """Write a file of a run anew, and the manifest with it, as another machine would write both."""
    before = sha256_of(run / name)
    (run / name).write_text(text, encoding="utf-8")
    manifest = run / "manifest.json"
    write_text(manifest, manifest.read_text(encoding="utf-8").replace(before, sha256_of(run / name)))


def change_a_number(run):
    """Change a number of a run by less than the tolerance, as another machine does."""
    name = "models/gpt2-tiny/train_log.csv"
    log = (run / name).read_text(encoding="utf-8")
    number = next(cell for cell in log.replace("\n", ",").split(",") if "." in cell and float(cell) > 0.01)
    rewrite(run, name, log.replace(number, repr(float(number) * 1.0005), 1))
    return name


def finished_run(folder):
    """Write a run that can be bundled, and its inputs, into a folder that commands are called in."""
    for path, text in (("data/letters.txt", "a letter\n"), ("report/notes.md", "my words\n")):
        write_text(folder / path, text)
    inputs = {path: sha256_of(folder / path) for path in ("data/letters.txt", "report/notes.md")}
    run = make_run(folder / "results" / "mine", inputs=inputs)
    finish(run)
    return run
