"""The whole workflow: what it makes, that nothing runs when nothing changed, and what each change reruns."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from conftest import Checkout
from samizdat.base.hardware import processor_mark
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table
from samizdat.records.labels import RATER_QUALITY
from samizdat.records.run import Manifest
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.records.samples import SAMPLES
from samizdat.records.statistics import STATISTICS as STATISTICS_SCHEMAS
from samizdat.records.yardsticks import YARDSTICKS
from support.changes import config_change, described, file_change
from support.machine import needs_compiler
from support.reruns import CHANGES

TINY = ("--configfile", "config/tiny.yaml")
CLASSIFIERS = ("sentiment", "source")
ALL_RULES = {
    "fetch_package", "import_corpus", "make_tokenizer", "train_model_gpt2-tiny", "generate_samples", "look_inside",
    "finetune_classifier", "score_texts", "judge_samples", "compute_statistics", "measure_yardsticks",
    "detect_languages",
    "compare_with_raters", "write_config", "draw_rules", "write_manifest", "execute_report", "render_report",
    "render_pdf", "write_provenance",
}  # fmt: skip


def copied(tiny: Checkout, folder: Path) -> Checkout:
    """Copy the run with its checkout, so that a test may change it while tests in other processes read `tiny`."""
    return Checkout(shutil.copytree(tiny.root, folder / "copy", symlinks=True), warm=True)


@pytest.fixture(scope="module")
def changed(tiny, tmp_path_factory) -> Checkout:
    """A copy of `tiny` whose files tests change and put back."""
    return copied(tiny, tmp_path_factory.mktemp("changed"))


def test_the_run_ends_with_a_report_and_says_where(tiny):
    said = (tiny.root / "stderr.txt").read_text(encoding="utf-8")
    assert "Report:   results/tiny/report/report.html\nNotebook: results/tiny/report/report.ipynb\n" in said
    assert "Empty:    `author` in the config and your own words in report/notes.md\n" in said
    assert "PDF:      results/tiny/report/report.pdf\n" in said
    finished = [line for line in said.splitlines() if line.startswith("✓")]
    assert len(finished) >= 14
    chatter = ("Building DAG", "Select jobs", "Execute", "Traceback", "LOAD REPORT", "Warning", "rule ")
    assert not [line for line in said.splitlines() if any(word in line for word in chatter)]
    notebook = nbformat.read(tiny.root / "results/tiny/report/report.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not [
        output for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "error"
    ]
    page = (tiny.root / "results/tiny/report/report.html").read_text(encoding="utf-8")
    assert "<title>Samizdat: the tiny run" in page


def test_every_file_between_the_steps_has_its_schema(tiny):
    run = tiny.root / "results/tiny"
    texts = read_table(run / "corpus/texts.parquet", TEXTS)
    samples = read_table(run / "samples/gpt2-tiny.parquet", SAMPLES)
    assert len(texts) == read_document(CorpusSummary, run / "corpus/summary.json").texts == 600
    for name in CLASSIFIERS:
        card = read_document(ClassifierCard, run / "classifiers" / name / "card.json")
        for subset, frame in (("texts", texts), ("samples", samples)):
            scores = read_table(run / "scores" / name / f"{subset}.parquet", SCORES)
            assert scores["id"].tolist() == frame["id"].tolist()
            assert set(scores["label"].dropna()) <= set(card.labels)
    judged = {
        "sample_quality": SAMPLE_QUALITY,
        "copies": COPIES,
        "yardsticks": YARDSTICKS,
        "rater_quality": RATER_QUALITY,
    }
    for name, schema in (STATISTICS_SCHEMAS | judged).items():
        read_table(run / "statistics" / f"{name}.parquet", schema)
    assert {path.stem for path in (run / "statistics").glob("[a-z]*")} == set(STATISTICS_SCHEMAS) | set(judged)
    manifest = read_document(Manifest, run / "manifest.json")
    assert set(manifest.inputs) == {"report/notes.md", "work/downloads/vaderSentiment.tar.gz"}
    pinned = (tiny.root / "envs/archives.txt").read_text(encoding="utf-8")
    assert f"--hash=sha256:{manifest.inputs['work/downloads/vaderSentiment.tar.gz']}" in pinned
    assert {edge[0] for edge in manifest.rules} >= {"import_corpus", "train_model_gpt2-tiny"}


def test_nothing_private_or_passing_is_in_what_is_handed_in(tiny):
    for name in ("report/quarto.ipynb", "report/report.ipynb", "report/report.html", "manifest.json", "config.json"):
        text = (tiny.root / "results/tiny" / name).read_text(encoding="utf-8")
        assert str(tiny.root) not in text, name
        assert f"{Path.home()}/" not in text, name


def test_with_nothing_changed_no_job_runs(tiny):
    before = {path: path.stat().st_mtime_ns for path in (tiny.root / "results").rglob("*")}
    done = tiny.snakemake(*TINY)
    assert done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in (tiny.root / "results").rglob("*")}


def test_the_plan_says_what_would_run_why_and_for_how_long(tiny):
    def plan(overlay):
        command = [sys.executable, "-c", "from samizdat.cli import main; main()", "plan", "--configfile", overlay]
        done = subprocess.run(command, cwd=tiny.root, env=tiny.environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert plan("config/tiny.yaml") == "Nothing would run: all results are up to date.\n"
    said = plan(tiny.overlay("warmer", sampling={"temperatures": [0.5]}))
    head, *jobs = said.splitlines()
    assert re.match(r"1[0-9] jobs would run, for about .* by their last times:", head)
    (samples,) = (job for job in jobs if "Generating samples" in job)
    assert re.search(r" [\d.]+ s  because temperatures changed from \[0.7, 1.0\] to \[0.5\]$", samples)
    (judged,) = (job for job in jobs if "Judging the samples" in job)
    assert judged.endswith("because generating samples with gpt2-tiny may write another result")
    assert "Training" not in said
    assert len([line for line in jobs if line.startswith("Computes on: ")]) == 1


def test_a_dry_run_of_a_fresh_copy_plans_every_rule(tiny):
    shape = dict.fromkeys(("width", "heads", "layers"), "auto")
    other = tiny.overlay("other", name="other", training={"recipe": "auto"} | shape)
    assert set(tiny.planned_jobs("--configfile", other)) == ALL_RULES - {"fetch_package"}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reruns_what_depends_on_it_and_nothing_else(changed, change, tmp_path):
    make, expected = CHANGES[change]
    kept = ("config", "report", "workflow", "data")
    for name in kept:
        shutil.copytree(changed.root / name, tmp_path / name)
    try:
        make(changed.root)
        assert changed.planned_jobs(*TINY) == expected
    finally:
        for name in kept:
            shutil.rmtree(changed.root / name)
            shutil.move(tmp_path / name, changed.root / name)


def test_costly_stages_return_at_once_when_only_words_are_others(changed):
    names = ("workflow/samizdat/models/train_model.py", "workflow/samizdat/base/stage.py")
    before = {name: (changed.root / name).read_text(encoding="utf-8") for name in names}
    try:
        file_change(names[0], "the train split has", "the train split holds")(changed.root)
        file_change(names[1], "this is a bug", "this is our bug")(changed.root)
        done = changed.snakemake("results/tiny/models/gpt2-tiny/model.safetensors", *TINY)
        assert done.returncode == 0 and "as trained before" in done.stderr, done.stderr
    finally:
        for name, text in before.items():
            (changed.root / name).write_text(text, encoding="utf-8")
    done = changed.snakemake("results/tiny/models/gpt2-tiny/model.safetensors", *TINY)
    assert done.returncode == 0, done.stderr
    assert changed.planned_jobs(*TINY) == {}


def test_costly_stages_return_at_once_when_only_their_files_are_gone(changed):
    model = changed.root / "results/tiny/models/gpt2-tiny"
    before = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    # What another step found inside of the model is beside its files, and stays.
    for path in set(model.iterdir()) - {model / "inside", model / "eight_bits"}:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = changed.snakemake("results/tiny/models/gpt2-tiny/model.safetensors", *TINY)
    assert done.returncode == 0, done.stderr
    assert "as trained before" in done.stderr
    assert before == {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    assert changed.planned_jobs(*TINY) == {}


@pytest.mark.long
@needs_compiler
def test_what_training_compiles_stays_below_work(tiny, tmp_path):
    checkout = copied(tiny, tmp_path)
    config_change(training={"compile": True, "epochs": 0.1, "layers": 1})(checkout.root)
    done = checkout.snakemake("results/tiny/models/gpt2-tiny/model.safetensors", *TINY)
    assert done.returncode == 0, done.stderr
    assert list((checkout.root / "work" / "tiny" / "compiled" / processor_mark()).rglob("*.so"))


def test_behind_an_unchanged_fingerprint_costly_stages_return_at_once(tiny, tmp_path):
    checkout = copied(tiny, tmp_path)
    # The demo's corpus has no columns: all later steps run, and find their old results. Only the card changes.
    described("predicts", "how a sentence sounds")(checkout.root)
    config_change(corpus={"max_texts": 600, "text_column": "words"})(checkout.root)
    scores = [f"results/tiny/scores/{name}/{what}.parquet" for name in CLASSIFIERS for what in ("texts", "samples")]
    done = checkout.snakemake(*scores, *TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("model gpt2-tiny", "classifier sentiment", "classifier source"):
        assert re.search(rf"✓ {said} .*as trained before", done.stderr), done.stderr
    assert len(re.findall(r"✓ scores .* texts, 0 of them new", done.stderr)) == 4
    card = json.loads((checkout.root / "results/tiny/classifiers/sentiment/card.json").read_text(encoding="utf-8"))
    assert card["predicts"] == "how a sentence sounds"
    weights = "results/tiny/classifiers/sentiment/model.safetensors"
    assert (checkout.root / weights).read_bytes() == (tiny.root / weights).read_bytes()
    assert checkout.planned_jobs(*TINY, "--", *scores) == {}


def test_the_provenance_names_every_step_with_its_cost(tiny):
    provenance = json.loads((tiny.root / "results/tiny/provenance.json").read_text(encoding="utf-8"))
    assert {"corpus", "models/gpt2-tiny", "scores/source/texts", "report", "page", "pdf"} <= set(provenance["steps"])
    assert set(provenance["sha256"]) == {"manifest.json", "quarto.ipynb", "report.ipynb", "report.html", "report.pdf"}
    assert provenance["machine"]["cores"] > 0 and provenance["peak_memory_bytes"] > 1e7
    assert all(step["elapsed_seconds"] >= 0 for step in provenance["steps"].values())
