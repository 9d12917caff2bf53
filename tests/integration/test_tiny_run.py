"""The whole pipeline through Snakemake: what it makes, that it stops when nothing changed, what a change reruns."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml
from samizdat import records
from samizdat.quality_records import COPIES, SAMPLE_QUALITY
from samizdat.statistics_records import STATISTICS as STATISTICS_SCHEMAS

TINY = ("--configfile", "config/tiny.yaml")
ALL_RULES = {
    "fetch_package", "import_corpus", "make_tokenizer", "train_model_gpt2-tiny", "generate_samples",
    "finetune_classifier", "score_texts", "judge_samples", "compute_statistics", "write_config", "draw_rules",
    "write_manifest", "execute_report", "render_report", "write_provenance",
}  # fmt: skip
REPORT = {"execute_report": 1, "render_report": 1, "write_provenance": 1}
CONFIG_FILES = {"write_config": 1, "draw_rules": 1}
CONFIG = CONFIG_FILES | {"write_manifest": 1} | REPORT
STATISTICS = {"compute_statistics": 1} | CONFIG
SAMPLES = {"generate_samples": 1, "judge_samples": 1, "score_texts": 2} | STATISTICS


def test_the_run_ends_with_a_report_and_says_where(tiny):
    said = (tiny.root / "stderr.txt").read_text(encoding="utf-8")
    assert "Report:   results/tiny/report/report.html\nNotebook: results/tiny/report/report.ipynb\n" in said
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
    texts = records.read_table(run / "corpus/texts.parquet", records.TEXTS)
    samples = records.read_table(run / "samples/gpt2-tiny.parquet", records.SAMPLES)
    assert len(texts) == records.read_document(records.CorpusSummary, run / "corpus/summary.json").texts == 1200
    for name in ("sentiment", "source"):
        card = records.read_document(records.ClassifierCard, run / "classifiers" / name / "card.json")
        for subset, frame in (("texts", texts), ("samples", samples)):
            scores = records.read_table(run / "scores" / name / f"{subset}.parquet", records.SCORES)
            assert scores["id"].tolist() == frame["id"].tolist()
            assert set(scores["label"].dropna()) <= set(card.labels)
    judged = {"sample_quality": SAMPLE_QUALITY, "copies": COPIES}
    for name, schema in (STATISTICS_SCHEMAS | judged).items():
        records.read_table(run / "statistics" / f"{name}.parquet", schema)
    assert {path.stem for path in (run / "statistics").iterdir()} == set(STATISTICS_SCHEMAS) | set(judged)
    manifest = records.read_document(records.Manifest, run / "manifest.json")
    assert {edge[0] for edge in manifest.rules} >= {"import_corpus", "train_model_gpt2-tiny"}


def test_nothing_private_or_passing_is_in_what_is_handed_in(tiny):
    for name in ("report/report.ipynb", "report/report.html", "manifest.json", "config.json"):
        text = (tiny.root / "results/tiny" / name).read_text(encoding="utf-8")
        assert str(tiny.root) not in text, name
        assert f"{Path.home()}/" not in text, name


def test_with_nothing_changed_no_job_runs(tiny):
    before = {path: path.stat().st_mtime_ns for path in (tiny.root / "results").rglob("*")}
    done = tiny.snakemake(*TINY)
    assert done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in (tiny.root / "results").rglob("*")}


def test_a_dry_run_of_a_fresh_copy_plans_every_rule(tiny):
    assert set(tiny.planned_jobs("--configfile", tiny.overlay("other", name="other"))) == ALL_RULES - {"fetch_package"}


def config_change(**changes):
    """Lay other values over the tiny config."""

    def change(root: Path):
        path = root / "config/tiny.yaml"
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        for key, value in changes.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(config), encoding="utf-8")

    return change


def file_change(name: str, old: str = "", new: str = ""):
    """Replace a string in a file, or only touch it."""

    def change(root: Path):
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")

    return change


def without_config(jobs: dict[str, int]) -> dict[str, int]:
    """What a change of code alone reruns."""
    return {rule: number for rule, number in jobs.items() if rule not in CONFIG_FILES}


def train_anew(**more: int) -> dict[str, int]:
    return {"train_model_gpt2-tiny": 1} | SAMPLES | more


CHANGES = {
    "a touched file": (file_change("report/index.qmd"), {}),
    "a touched table": (file_change("data/packages.txt"), {}),
    "the config in another order": (config_change(), {}),
    "a comment in a module": (file_change("workflow/samizdat/sampling.py", "import numpy", "# why\nimport numpy"), {}),
    "a docstring": (file_change("workflow/samizdat/training.py", '"""Train a GPT-2', '"""Teach a GPT-2'), {}),
    "a sentence of the report": (file_change("report/index.qmd", "A small model", "A tiny model"), REPORT),
    "the notes": (file_change("report/notes.md", "These are", "Here stand"), {"write_manifest": 1} | REPORT),
    "the page's look": (file_change("report/page.css", "{", "{ "), {"render_report": 1, "write_provenance": 1}),
    "the title": (config_change(title="Another"), CONFIG),
    "a prompt": (config_change(prompts=["", "The film"]), SAMPLES),
    "another temperature": (
        config_change(sampling={"temperatures": [0.5]}),
        SAMPLES,
    ),
    "the number of resamples": (
        config_change(statistics={"bootstrap_resamples": 300}),
        {"judge_samples": 1} | STATISTICS,
    ),
    "the training's length": (config_change(training={"epochs": 2.0}), train_anew()),
    "the training's code": (
        file_change("workflow/samizdat/optimizer.py", "0.95)", "0.94)"),
        without_config(train_anew()),
    ),
    "the fine-tuning": (
        config_change(finetuning={"epochs": 2.0}),
        {"finetune_classifier": 2, "score_texts": 4} | STATISTICS,
    ),
    "the statistics' code": (
        file_change("workflow/samizdat/association.py", "default=0) < 2", "default=0) < 3"),
        without_config(STATISTICS),
    ),
    "the vocabulary": (
        config_change(tokenizers=[{"name": "own", "source": "train", "vocabulary_size": 600}]),
        train_anew(make_tokenizer=1),
    ),
    "the seed": (
        config_change(seed=7),
        train_anew(make_tokenizer=1, import_corpus=1, finetune_classifier=2, score_texts=4),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reruns_what_depends_on_it_and_nothing_else(tiny, change, tmp_path):
    make, expected = CHANGES[change]
    kept = ("config", "report", "workflow", "data")
    for name in kept:
        shutil.copytree(tiny.root / name, tmp_path / name)
    try:
        make(tiny.root)
        assert tiny.planned_jobs(*TINY) == expected
    finally:
        for name in kept:
            shutil.rmtree(tiny.root / name)
            shutil.move(tmp_path / name, tiny.root / name)


def test_costly_stages_return_at_once_when_only_their_files_are_gone(tiny):
    model = tiny.root / "results/tiny/models/gpt2-tiny"
    before = {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    shutil.rmtree(model)
    done = tiny.snakemake("results/tiny/models/gpt2-tiny/model.safetensors", *TINY)
    assert done.returncode == 0, done.stderr
    assert "as trained before" in done.stderr
    assert before == {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}
    assert tiny.planned_jobs(*TINY) == {}


def test_the_provenance_names_every_step_with_its_cost(tiny):
    provenance = json.loads((tiny.root / "results/tiny/provenance.json").read_text(encoding="utf-8"))
    assert {"corpus", "models/gpt2-tiny", "scores/source/texts", "report", "page"} <= set(provenance["steps"])
    assert all(step["elapsed_seconds"] >= 0 for step in provenance["steps"].values())
