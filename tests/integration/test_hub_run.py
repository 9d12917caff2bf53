"""A GPT-2 from the Hub that is continued, and a whole run with the Hub as its only source."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from conftest import ROOT, new_checkout
from samizdat.base.errors import UserError
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.models.settings import TrainingSettings
from samizdat.models.train_model import train_model
from samizdat.records.classifiers import ACCURACY_BY_EXAMPLES, ClassifierCard
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import read_document, read_table
from samizdat.records.models import ModelSummary
from samizdat.records.statistics import STATISTICS
from support import hub_fixtures
from support.readme import blocks
from support.small_corpus import write_texts

GPU = yaml.safe_load((ROOT / "config" / "gpu.yaml").read_text(encoding="utf-8"))
GPT2, GPT2_COMMIT = GPU["training"]["checkpoint"], GPU["training"]["revision"]
DATASET = "tests/sentences"

TRAINING = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))["training"] | {
    **GPU["training"], "context_tokens": 64, "batch_tokens": 512, "precision": "float32", "compile": False,
    "evaluations": 1, "patience": None, "epochs": 1.0, "keep_percents": (100,),
}  # fmt: skip
del TRAINING["seeds"]  # no setting of a training: how many there are


def continue_gpt2(folder: Path, **changes: object) -> Path:
    """Make the tokenizer of the Hub's GPT-2 and continue its training; return the model's folder."""
    texts = write_texts(
        [f"{text} {turn}" for turn in range(8) for text in hub_fixtures.SENTENCES],
        folder / "t.parquet",
        validation=1,
    )
    make_tokenizer(TokenizerSettings("its-own", "checkpoint", None, GPT2, GPT2_COMMIT), texts, None, folder / "tokens")
    settings = TrainingSettings(**TRAINING | changes)
    train_model(settings, "m", (), folder / "tokens", folder / "model", folder / "work", "cpu", threads=1, seed=1)
    return folder / "model"


def test_a_gpt2_is_continued_with_its_own_tokenizer(at_hub, tmp_path):
    model = continue_gpt2(tmp_path, learning_rate=1e-9)
    summary = read_document(ModelSummary, model / "summary.json")
    assert summary.start == f"{GPT2}@{GPT2_COMMIT}" and summary.steps_done > 0
    files = {"config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"}
    assert at_hub.fetched(GPT2) == files | {"generation_config.json", "model.safetensors"}
    # With so small a learning rate the weights hardly change.
    source = hub_fixtures.write_gpt2(tmp_path / "again")
    before, after = (GPT2LMHeadModel.from_pretrained(folder).state_dict() for folder in (source, model))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)
    with (model / "train_log.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2
    theirs, ours = (Tokenizer.from_file(str(folder / "tokenizer.json")) for folder in (source, model))
    for text in hub_fixtures.SENTENCES:
        assert ours.encode(text).ids == theirs.encode(text).ids


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"context_tokens": 32}, r"reads 64 tokens at once; context_tokens is 32.*set context_tokens .* to 64"),
        ({"checkpoint": GPU["classifiers"][0]["checkpoint"], "revision": None}, "it is a xlm-roberta, not a GPT-2"),
        ({"checkpoint": "tests/pickled", "revision": None}, r"tests/pickled@\w+ can't be loaded: .*safetensors"),
    ],
)
def test_a_checkpoint_that_cant_be_continued_is_refused(changes, said, at_hub, tmp_path):
    pickled = hub_fixtures.write_gpt2(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    at_hub.add("tests/pickled", pickled)
    with pytest.raises(UserError, match=f"(?s){said}"):
        continue_gpt2(tmp_path, **changes)
    assert not (tmp_path / "model").exists() and "pytorch_model.bin" not in at_hub.fetched("tests/pickled")


def test_a_branch_that_moved_is_continued_anew(at_hub, tmp_path):
    source = hub_fixtures.write_gpt2(tmp_path / "source")
    for dropout in (0.1, 0.2):
        hub_fixtures.change_config(source, resid_pdrop=dropout)
        commit = at_hub.add("tests/moving", source)
        model = continue_gpt2(tmp_path, checkpoint="tests/moving", revision=None)
        assert read_document(ModelSummary, model / "summary.json").start == f"tests/moving@{commit}"


# The README's classifiers of other kinds → the labels of a small checkpoint under each id.
OF_KINDS = {"emotions": ("joy", "anger", "fear", "surprise"), "readability": ("ease",),
            "tone": ("LABEL_0", "LABEL_1", "LABEL_2"), "topic": ("entailment", "neutral", "contradiction"),
           "feeling": ()}  # fmt: skip


def classifiers_of_kinds(hub, folder: Path) -> list[dict]:
    """Publish a small checkpoint for each classifier of the README's example of kinds; return its items."""
    examples = [
        yaml.safe_load(one)["classifiers"]
        for one in blocks("yaml")
        if "label" in one and ("kind" in one or "examples" in one)
    ]
    items = [{**item, "max_length_tokens": 64} for example in examples[1:] for item in example]
    assert [item["name"] for item in items] == list(OF_KINDS)
    for item in items[:-1]:
        hub.add(item["checkpoint"], hub_fixtures.write_classifier(folder / item["name"], OF_KINDS[item["name"]]))
    hub.add(items[-1]["checkpoint"], hub_fixtures.write_gpt2(folder / items[-1]["name"], 1024))
    # People's moods are among the emotions, under other names.
    items[0] |= {"label_column": "mood", "label_separator": ";", "label_map": {"joy": "good", "anger": "bad"}}
    items[-1] |= {"label_column": "mood"}  # this corpus has no other
    return items


def assert_kinds(results: Path, page: str) -> None:
    """Check what the three classifiers said, and that the report says it."""
    tables = {name: pq.read_table(results / "scores" / name / "texts.parquet").to_pylist() for name in OF_KINDS}
    for row in tables["emotions"]:
        given = zip(("good", "bad", "fear", "surprise"), row["probabilities"], strict=True)
        assert row["labels"] == [label for label, probability in given if probability >= 0.3]
    assert len({row["number"] for row in tables["readability"]}) == len(hub_fixtures.SENTENCES)
    assert {row["label"] for row in tables["tone"]} <= {"negative", "neutral", "positive"}
    assert {row["label"] for row in tables["topic"]} <= {"politics", "sport", "the weather"}
    several = read_table(results / "statistics" / "quality.parquet", STATISTICS["quality"])
    several = several[several["classifier"] == "emotions"]
    assert {"micro_f1", "macro_f1"} <= set(several["metric"]) and "bad" in set(several["label"])
    assert "Several labels at once" in page and "Numbers of texts and of samples" in page
    assert "asked whether a text says" in page
    assert {row["label"] for row in tables["feeling"]} <= {"good", "bad"}
    assert sum(row["seen_in_training"] for row in tables["feeling"]) == 8
    accuracy = read_table(results / "scores" / "feeling" / "accuracy_by_examples.parquet", ACCURACY_BY_EXAMPLES)
    assert accuracy["examples"].tolist() == [0, 1, 2, 4, 8] and accuracy["value"].between(0, 1).all()
    assert "reads 8\u00a0texts with their labels before each text" in page and "Right labels after the first" in page


@pytest.mark.long
def test_a_whole_run_comes_from_the_hub_alone(hub, tmp_path):
    commit = hub.repositories["datasets", DATASET].branches["main"]
    checkout = new_checkout(tmp_path, warm=True)
    classifiers = [{**item, "max_length_tokens": 64} for item in GPU["classifiers"]]
    more = classifiers_of_kinds(hub, tmp_path / "kinds")
    judged = next(item for item in classifiers if item["name"] == "sentiment")
    judged |= {"label_column": "mood", "label_map": {"negative": "bad", "positive": "good"}}
    overlay = checkout.overlay(
        "hub",
        corpus={
            "source": "hub", "dataset": DATASET, "revision": commit, "group_column": "place",
            "label_columns": ["mood"], "max_texts": 120,
        },
        tokenizers=[{"name": "theirs", "source": "checkpoint", "checkpoint": GPT2, "revision": GPT2_COMMIT}],
        training={"checkpoint": GPT2, "revision": GPT2_COMMIT, "context_tokens": 64, "batch_tokens": 1024,
                      "micro_batch_sequences": 16},
        models=[{"name": "continued", "tokenizer": "theirs"}],
        classifiers=[*classifiers, *more],
        prompts=["The old house"],
        sampling={"samples_per_prompt": 1, "unprompted_samples": 4, "max_new_tokens": 16},
        statistics={"bootstrap_resamples": 100},
    )  # fmt: skip
    hub.requests.clear()
    done = checkout.snakemake("--configfile", overlay, **hub.variables(tmp_path / "home"))
    assert done.returncode == 0, done.stdout + done.stderr

    results = checkout.root / "results" / "tiny"
    asked = {request.path.split("/resolve/")[0].strip("/") for request in hub.requests if "/resolve/" in request.path}
    assert asked == {f"datasets/{DATASET}", GPT2, *(item["checkpoint"] for item in [*classifiers, *more])}
    assert not (checkout.root / "work" / "downloads").exists()
    assert read_document(CorpusSummary, results / "corpus" / "summary.json").source == f"{DATASET}@{commit}"
    assert read_document(ModelSummary, results / "models/continued/summary.json").start == f"{GPT2}@{GPT2_COMMIT}"
    page = (results / "report" / "report.html").read_text(encoding="utf-8")
    for item in classifiers:
        card = read_document(ClassifierCard, results / "classifiers" / item["name"] / "card.json")
        assert card.origin == f"{item['checkpoint']}@{item['revision']}"
        scores = pq.read_table(results / "scores" / item["name"] / "texts.parquet").to_pylist()
        assert len(scores) == 120
        assert card.checkpoint_labels == item["labels"]
        for row in scores:
            probability, label = max(zip(row["probabilities"], card.labels, strict=True))
            assert row["label"] == (label if probability >= item.get("abstain_below", 0) else None)
        assert item["revision"] in page
    assert_kinds(results, page)
    quality = pq.read_table(results / "statistics" / "quality.parquet").to_pylist()
    assert {row["classifier"] for row in quality} == {"sentiment", "emotions", "feeling"}
    manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["classifiers"] == [*classifiers, *more]

    # Another map of the labels: everything behind this classifier runs again, and no score is computed anew.
    changed = yaml.safe_load((checkout.root / overlay).read_text(encoding="utf-8"))
    sentiment = next(item for item in changed["classifiers"] if item["name"] == "sentiment")
    sentiment["label_map"]["neutral"] = "bad"
    (checkout.root / overlay).write_text(yaml.safe_dump(changed), encoding="utf-8")
    report = ("write_manifest", "execute_report", "render_report", "render_pdf", "write_provenance")
    computed = ("compute_statistics", "compare_with_raters")
    jobs = dict.fromkeys(("import_classifier", *computed, "write_config", "draw_rules", *report), 1)
    assert checkout.planned_jobs("--configfile", overlay) == jobs | {"score_texts": 2}
    path = results / "scores/sentiment/texts.parquet"
    before = pq.read_table(path).to_pylist()
    target = str(path.relative_to(checkout.root))
    done = checkout.snakemake(target, "--configfile", overlay, **hub.variables(tmp_path / "home"))
    assert done.returncode == 0 and ": 120 texts, 0 of them new" in done.stderr, done.stderr
    for row, old in zip(pq.read_table(path).to_pylist(), before, strict=True):
        negative, neutral, positive = old["probabilities"]
        assert row["probabilities"] == pytest.approx([negative + neutral, positive])
