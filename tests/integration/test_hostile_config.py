"""A config whose strings are all hostile: each is refused or treated as data; no shell, formatter or glob reads it."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Checkout, new_checkout
from samizdat.base.files import sha256_of
from support.hostile_config import HOSTILE, NOTES, TEXTS, hostile_config
from support.run_fixture import make_run

# Snakemake gives its loggers each job's shell command, formatted as it will run.
PLAN = """
import json, logging, sys
from pathlib import Path
from snakemake.cli import main
lines = []
def collect(record):
    if getattr(record, "shellcmd", None):
        lines.append(record.shellcmd)
    return record.levelno > logging.INFO
logging.getLogger("snakemake.logging").addFilter(collect)
try:
    main(["--dry-run", "--quiet", "all", "--cores", "1", "--configfile", sys.argv[1], "--", "all", "push"])
finally:
    Path("lines.json").write_text(json.dumps(lines), encoding="utf-8")
"""
RECORDER = (
    f"#!{sys.executable} -IS\nimport json, sys\nprint(json.dumps(sys.argv[1:]), file=open('called.jsonl', 'a'))\n"
)


@pytest.fixture(scope="module")
def at(tmp_path_factory) -> Checkout:
    """A checkout with files that have hostile names."""
    checkout = new_checkout(tmp_path_factory.mktemp("hostile") / "checkout", warm=True)
    (checkout.root / NOTES).write_text("My *words*.\n", encoding="utf-8")
    lines = [f"Sentence {number} of a corpus about rain and houses." for number in range(120)]
    (checkout.root / TEXTS).write_text("\n".join(lines), encoding="utf-8")
    return checkout


def assert_nothing_ran(root: Path) -> None:
    assert not [path for path in root.rglob("*") if path.name.startswith("PWNED")]


def strings_in(value: Any) -> Iterator[str]:
    """Yield every string of an option's value, which is a string or JSON."""
    if isinstance(value, str):
        yield value
        try:
            decoded = json.loads(value)
        except ValueError:
            return
        yield from strings_in(decoded) if not isinstance(decoded, str) else ()
    elif isinstance(value, (list, dict)):
        for inner in [*value, *(value.values() if isinstance(value, dict) else ())]:
            yield from (
                strings_in(inner) if isinstance(inner, (list, dict)) else [inner] if isinstance(inner, str) else []
            )


@pytest.mark.parametrize("source", ["files", "hub", "demo"])
def test_every_string_of_the_config_is_refused_or_data(at, tmp_path, monkeypatch, source):
    monkeypatch.chdir(at.root)
    config, placed = hostile_config(source)
    assert (source == "files") == (("corpus", "rater_columns", "*", "*") in placed)
    assert {("notes",), ("title",), ("prompts", "*"), ("tokenizers", "*", "checkpoint")} <= placed.keys()
    assert {("corpus", "encoding", "*"), ("corpus", "separator")} <= placed.keys() or source != "files"
    assert ("name",) not in placed and ("models", "*", "name") not in placed
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", PLAN, str(file)], env=at.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = json.loads(Path("lines.json").read_text(encoding="utf-8"))
    assert len(lines) > 20

    # Each command runs in a shell of its own, with a program in place of Python that records its arguments.
    sandbox = tmp_path / "sandbox"
    for folder in ("bin", "results/tiny", "logs/tiny"):
        (sandbox / folder).mkdir(parents=True)
    (sandbox / "bin/python").write_text(RECORDER, encoding="utf-8")
    (sandbox / "bin/python").chmod(0o755)
    search = f"{sandbox / 'bin'}:/usr/bin:/bin"
    for line in lines:
        ran = subprocess.run(["bash", "-c", line], cwd=sandbox, env={"PATH": search}, capture_output=True, text=True)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), line
    assert_nothing_ran(sandbox)
    assert {path.name for path in sandbox.iterdir()} == {"bin", "results", "logs", "called.jsonl"}
    calls = [json.loads(line) for line in (sandbox / "called.jsonl").read_text(encoding="utf-8").splitlines()]
    given, recorded = set(), []
    for flag, module, *words in calls:
        assert flag == "-m"
        assert not [word for word in words if not re.match(r"--[a-z0-9-]+=", word)]
        if module == "samizdat.runs.write_config":
            recorded += [json.loads(word.partition("=")[2]) for word in words if word.startswith("--values=")]
        else:
            given |= {text for word in words for text in strings_in(word.partition("=")[2])}
    assert recorded and all(values == config for values in recorded)
    only_recorded = {("author",), ("course",), ("push", "model")}
    assert {way for way, text in placed.items() if text not in given} <= only_recorded


def test_each_field_of_a_shell_line_is_quoted():
    """`:q` quotes a field; the functions `options` and `paths` return params that are quoted already."""
    fields = 0
    for file in sorted((ROOT / "workflow/rules").glob("*.smk")):
        shared, *rules = re.split(r"^ *rule\b", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for rule in rules:
            head, _, line = rule.partition(" shell:\n")
            for field in re.findall(r"(?<!\{)\{([^{}]+)\}", re.split(r"\n(?! {8})", line)[0]):
                fields += 1
                name = re.escape(field.removeprefix("params."))
                words = rf"^ +{name}=(lambda [^:]*: |untracked\()?(options\(|paths\(|describe,)"
                assert field.endswith(":q") or re.search(words, shared + head, flags=re.MULTILINE), (
                    f"{file.name}: {field}"
                )
    assert fields > 100


@pytest.mark.long
def test_a_run_of_files_with_such_names_ends_well_and_follows_their_changes(at):
    changes = {"name": "odd", "classifiers": [], "sampling": {"unprompted_samples": 4}, "notes": NOTES}
    changes |= {
        "title": HOSTILE[0],
        "author": HOSTILE[0],
        "course": HOSTILE[0],
        "prompts": ["$(touch PWNED)", "{draft}"],
    }
    # The whole folder, which adds a second file whose name nobody wrote into the config.
    shutil.copy(at.root / TEXTS, at.root / "data" / "Tom's “letters” (1905), č. 1.txt")
    corpus = {"source": "files", "paths": ["data"], "txt_unit": "line", "max_texts": None}
    overlay = at.overlay("odd", corpus=corpus, **changes)
    done = at.snakemake("--configfile", overlay)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_nothing_ran(at.root)
    manifest = json.loads((at.root / "results/odd/manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"][NOTES] == sha256_of(at.root / NOTES)
    assert manifest["inputs"][TEXTS] == sha256_of(at.root / TEXTS)
    assert "My <em>words</em>" in (at.root / "results/odd/report/report.html").read_text(encoding="utf-8")
    assert at.planned_jobs("--configfile", overlay) == {}
    (at.root / NOTES).write_text("Other words.\n", encoding="utf-8")
    report = {"write_manifest": 1, "execute_report": 1, "render_report": 1, "render_pdf": 1, "write_provenance": 1}
    assert at.planned_jobs("--configfile", overlay) == report
    (at.root / TEXTS).write_text("Other texts.\n", encoding="utf-8")
    assert at.planned_jobs("--configfile", overlay).keys() > report.keys() | {"import_corpus"}


NAMES = (
    "{draft}.csv", "12:30.csv", "s3:__x.csv", "a\nb.csv", " c.csv", "*[d]?.csv", "$(touch PWNED).csv", "`e`'\"\\.csv",
    "<f>.csv", "-g.csv", "h{{i}}.csv.gz", "texts.csv/{j}.csv", "č, ž.CSV", "~k.csv", "%s.csv", "#l.csv", "m&n;.csv",
)  # fmt: skip


def test_files_of_any_name_and_columns_with_braces_are_read(at):
    for number, name in enumerate(NAMES):
        file = at.root / "odd" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{{text}},{{<mood>}}\ntext number {number},{{good}}\n", encoding="utf-8")
    (at.root / "odd" / "{unread} 'x'.pdf").write_text("x", encoding="utf-8")
    corpus = {"source": "files", "paths": ["odd"], "text_column": "{text}", "label_columns": ["{<mood>}"]}
    overlay = at.overlay("braces", name="braces", classifiers=[], corpus=corpus, title="{config}", author="{x}\n{y}")
    # The run's own config is not told as left out.
    overlay = str((at.root / overlay).rename(at.root / "odd" / "mine.yaml").relative_to(at.root))
    summary = "results/braces/corpus/summary.json"
    done = at.snakemake("--configfile", overlay, "--", summary, "results/braces/config.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_nothing_ran(at.root)
    found = json.loads((at.root / summary).read_text(encoding="utf-8"))
    assert found["texts"] == len(NAMES) and found["labels"] == {"{<mood>}": {"{good}": len(NAMES)}}
    assert set(found["inputs"]) == {f"odd/{name}" for name in NAMES}
    assert found["unread"] == {"no kind of file that is read (.pdf)": "odd/{unread} 'x'.pdf"}
    assert "! not read: odd/{unread} 'x'.pdf" in done.stderr
    recorded = json.loads((at.root / "results/braces/config.json").read_text(encoding="utf-8"))
    assert (recorded["title"], recorded["author"]) == ("{config}", "{x}\n{y}")
    # A file that isn't read is in the summary, so another one makes it anew.
    assert at.planned_jobs("--configfile", overlay, "--", summary) == {}
    (at.root / "odd" / "another.docx").write_text("x", encoding="utf-8")
    assert at.planned_jobs("--configfile", overlay, "--", summary) == {"import_corpus": 1}


@pytest.mark.parametrize("where", ["notes", "paths", "download"])
def test_a_hostile_bundle_is_refused_before_anything_is_made(at, tmp_path, where):
    name = {
        "notes": "report/$(touch PWNED).md",
        "paths": "data/`touch PWNED`.txt",
        "download": "work/downloads/x --package=evil --requirements=data.tar.gz",
    }[where]
    words = tmp_path / "words"
    words.write_text("words\n", encoding="utf-8")
    run = make_run(tmp_path / "run", inputs=dict.fromkeys([name, "data/words.txt"], sha256_of(words)))
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    notes, texts = (name, "data/words.txt") if where == "notes" else ("report/notes.md", name)
    # One word is too small a corpus, so that a run that wrongly accepts the names ends soon.
    manifest["config"] |= {"notes": notes}
    manifest["config"]["corpus"] |= {"source": "files", "paths": [texts]}
    with zipfile.ZipFile(tmp_path / "their.zip", "w") as archive:
        archive.writestr("results/manifest.json", json.dumps(manifest))
        archive.write(words, f"inputs/{sha256_of(words)}")
    command = [sys.executable, "-c", "from samizdat.cli import main; main()", "verify", str(tmp_path / "their.zip")]
    done = subprocess.run(command, cwd=at.root, env=at.environment(), capture_output=True, text=True)
    assert done.returncode == 3, done.stdout + done.stderr
    assert repr(name) in done.stderr and "do not use it" in done.stderr and "their.zip" in done.stderr
    assert "Making the run" not in done.stderr and not list((at.root / "work/.verify").glob("*/checkout"))
    assert_nothing_ran(at.root)
