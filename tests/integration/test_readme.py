"""The README's commands, configs and three steps to a corpus of one's own work as written."""

import re

import pytest
import yaml
from snakemake.utils import update_config

from conftest import BUILT_BY_MAKE, ROOT, new_checkout
from samizdat.base import configuration
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table
from support.hub_fixtures import write_classifier
from support.readme import README, blocks

# Where each command of the README is run: in this file, in another test, in the fixture `tiny`, or by CI.
COMMANDS = {
    "sudo apt install python3-venv git make": "tests/fresh.sh",
    "make report": "in earnest, before a release",
    "make report CONFIG=config/tiny.yaml": "the fixture tiny",
    "snakemake --cores all": "test_tiny_run",
    'make report CONFIG="config/tiny.yaml config/mine.yaml"': "here",
    "make report CONFIG=config/mine.yaml": "here",
    "make plan": "here",
    "make verify": "test_verified_run",
    "make verify RUN=their.zip": "test_verified_run",
    "make bundle": "test_verified_run",
    "make clean": "test_clean",
    "make report CONFIG=config/gpu.yaml": "here, planned",
    'samizdat sample "The movie"': "test_sample_command",
    'samizdat sample --percent 10 --temperature 0.7 "The movie"': "test_sample_command",
    "samizdat label draw --run demo --classifier sentiment --raters anna ben --rows 200": "tests/unit/labels",
    "samizdat label draw --run demo --origin --raters anna ben": "tests/unit/labels",
    "samizdat label read data/labels/demo/sentiment": "tests/unit/labels",
    "quarto render report/": "test_render_report",
    ".venv/bin/python -m ipykernel install --user --name samizdat --display-name Samizdat": "test_running_again",
    "make test": "CI",
    "make lint": "CI",
}
# What one more text reruns: every rule except those that depend only on the config or on the imported classifier.
ALL_BUT_THE_CONFIG = {
    "import_corpus": 1, "make_tokenizer": 1, "train_model_gpt2-tiny": 1, "generate_samples": 1, "judge_samples": 1,
    "compare_with_raters": 1, "detect_languages": 1,
    "score_texts": 2, "compute_statistics": 1, "measure_yardsticks": 1, "write_manifest": 1, "execute_report": 1,
    "render_report": 1, "render_pdf": 1, "write_provenance": 1,
}  # fmt: skip
LINES = ["První věta malého korpusu, která stojí tady.", "Druhá věta je o něco delší a mluví o dešti.", "Kdo ví?"]


def test_every_command_is_one_that_is_run_somewhere():
    shown = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]
    assert set(shown) == set(COMMANDS)


def test_every_config_is_accepted(tmp_path, monkeypatch):
    for text in blocks("yaml"):
        config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
        given = yaml.safe_load(text)
        update_config(config, given)
        configuration.leave_to_recipe(config, given)
        config["notes"] = str(ROOT / config["notes"])
        configuration.check(config)


def test_every_file_that_it_names_exists():
    for key in re.findall(
        r"`(config/[a-z]+\.yaml|report/(?!report|play\.html|quarto\.ipynb|index\.html)[a-z.]+|docs/[a-z.]+)`", README
    ):
        assert (ROOT / key).is_file() or key == "config/mine.yaml", key


@pytest.mark.skipif(not BUILT_BY_MAKE, reason="needs the environment that make builds")
def test_three_steps_to_ones_own_corpus_and_one_text_more(tmp_path):
    checkout = new_checkout(tmp_path / "checkout", warm=True)
    texts = [f"{line} Číslo {number}." for number in range(60) for line in LINES]
    corpus = checkout.root / "data" / "texts.txt"
    corpus.write_text("\n".join(texts), encoding="utf-8")
    (checkout.root / "config" / "mine.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    done = checkout.make("report", "CONFIG=config/tiny.yaml config/mine.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "results/mine/report/report.html" in done.stderr
    page = (checkout.root / "results/mine/report/report.html").read_text(encoding="utf-8")
    assert "What a small GPT-2 learned from my texts" in page and "Byl jednou jeden" in page

    # One more classifier, from a folder: nothing is trained again.
    write_classifier(checkout.root / "mood", ("sad", "merry"), "bert")
    described = {"predicts": "a mood", "made_for": "tests", "reference": "nowhere"}
    item = {"name": "mood", "source": "checkpoint", "checkpoint": "mood", "kind": "single_label", **described}
    overlay = yaml.safe_dump({"classifiers": [item]})
    (checkout.root / "config" / "more.yaml").write_text(overlay, encoding="utf-8")
    configs = "CONFIG=config/tiny.yaml config/mine.yaml config/more.yaml"
    done = checkout.make("report", configs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "180 texts, 180 of them new" in done.stderr
    assert "✓ model" not in done.stderr and "✓ corpus" not in done.stderr

    before = splits(checkout)
    # One more text: what depends on the corpus is made again, and the classifier scores only the new text.
    corpus.write_text("\n".join([*texts, "A jedna věta navíc."]), encoding="utf-8")
    overlays = ("--configfile", "config/tiny.yaml", "config/mine.yaml", "config/more.yaml")
    assert checkout.planned_jobs(*overlays) == ALL_BUT_THE_CONFIG
    planned = checkout.make("plan", configs)
    assert "Importing the corpus" in planned.stdout and "data/texts.txt changed" in planned.stdout
    done = checkout.make("report", configs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "181 texts, 1 of them new" in done.stderr
    assert before == {text: split for text, split in splits(checkout).items() if text in before}
    assert "Nothing to be done" in (said := checkout.make("report", configs)).stdout + said.stderr


def splits(checkout) -> dict[str, str]:
    """Return the split of each text."""
    frame = read_table(checkout.root / "results/mine/corpus/texts.parquet", TEXTS)
    return dict(zip(frame["text"], frame["split"], strict=True))


def test_the_config_for_a_gpu_is_planned_whole(checkout):
    planned = checkout.planned_jobs("--configfile", "config/gpu.yaml")
    assert planned["import_classifier"] == 4 and planned["score_texts"] == 8
