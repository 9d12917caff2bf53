"""What the report says of made-up runs: right numbers, careful findings, no word too much."""

import importlib
import inspect
import io
import re
from itertools import pairwise
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.records.corpus import CorpusSummary
from samizdat.reporting import (
    Run,
    agreement,
    classifiers,
    comparison,
    corpus,
    open_run,
    provenance,
    sample_quality,
    samples,
    summary,
    training,
)
from samizdat.reporting.style import Picture
from samizdat.reporting.words import Prose
from support.reading import cells, plain
from support.run_fixture import make_run, sentences

ROOT = Path(__file__).parents[3]


# Every call that the report makes, such as corpus.opening.
CALLS = re.findall(r"^(\w+)\.(\w+)\(run\)$", (ROOT / "report" / "index.qmd").read_text(encoding="utf-8"), re.MULTILINE)


MODULES = {name: importlib.import_module(f"samizdat.reporting.{name}") for name in sorted({name for name, _ in CALLS})}


def everything(run: Run, *, draw: bool = False) -> dict[str, str]:
    """What each call of the report gives: Markdown, or a picture's alternative text."""
    shown = {}
    for module, function in CALLS:
        result = getattr(MODULES[module], function)(run)
        if isinstance(result, Picture):
            if draw:
                result.savefig(io.BytesIO(), dpi=30)
            shown[f"{module}.{function}"] = result.alternative_text
        else:
            assert isinstance(result, Prose)
            shown[f"{module}.{function}"] = result.markdown
    return shown


@pytest.fixture(scope="module")
def run(made_up):
    return Run(made_up)


def test_the_report_calls_every_function_that_shows_something():
    showing = {
        (module, name)
        for module in MODULES
        for name, function in inspect.getmembers(MODULES[module], inspect.isfunction)
        if function.__module__ == MODULES[module].__name__ and not name.startswith("_")
        if re.search("Prose|Table|Picture", str(function.__annotations__["return"]))
    }
    assert sorted(CALLS) == sorted(showing)


def test_a_run_of_two_classifiers_is_shown_in_whole(run):
    shown = everything(run, draw=True)
    assert set(shown) == {f"{module}.{function}" for module, function in CALLS}
    for where, text in shown.items():
        assert text and "nan" not in text.lower().replace("finance", "") and "None" not in text, where
        for row, following in pairwise(cells(text) if text.startswith("|") else []):
            assert len(row) == len(following), where


VARIANTS = {
    "several of everything": {
        "models": ("b-model", "a-model"), "percents": (10, 30, 100),
        "groups": tuple(f"group {n:02d}" for n in range(13)),
        "labels": {"genre": tuple(f"genre {n}" for n in range(9)), "mood": ("good", "bad"), "kind": ("x", "y", "z")},
    },
    "no classifiers and no labels": {"labels": {}},
    "no groups": {"groups": (None,)},
    "some texts without a group": {"groups": ("letter", "poem", None)},
    "a group that is called as all texts are": {"groups": ("all texts", "_", None)},
    "one checkpoint and no prompts": {"percents": (100,), "prompts": (), "unprompted": 0},
    "one prompt from nothing": {"percents": (100,), "prompts": ("",), "unprompted": 0},
    "texts that are not published": {"publish_texts": False},
    "empty samples": {"sample_texts": [""]},
    "a text of one character": {"texts": ["a", *sentences(40)]},
    "no greedy limits": {"sampling": {
        "temperatures": [1.0], "top_k": 5, "top_p": 1.0, "repetition_penalty": 1, "max_new_tokens": 1,
        "no_repeat_ngram": 2,
    }},
}  # fmt: skip


# Drawing takes most of the time, so it is done where the axes are odd.
DRAWN = ("several of everything", "a group that is called as all texts are", "a text of one character")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_function_stands_every_run(tmp_path, variant):
    run = Run(make_run(tmp_path / "run", **({"texts": sentences(60)} | VARIANTS[variant])))
    shown = everything(run, draw=variant in DRAWN)
    for where, text in shown.items():
        assert text and "nan" not in re.findall(r"\w+", text.lower()), where


def test_a_run_without_classifiers_says_so(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(40), labels={}))
    for function in (classifiers.cards, classifiers.shares_by_group, comparison.opening, comparison.divergences):
        assert function(run).markdown == classifiers.NONE_APPLIED
    assert "How far to trust" not in summary.findings(run).markdown
    assert agreement.opening(run).markdown == agreement.NONE_COMPARABLE


def test_models_stand_in_the_order_of_the_config(tmp_path):
    run = Run(
        make_run(tmp_path / "run", texts=sentences(40), models=("b-model", "a-model"), labels={"kind": ("x", "y")})
    )
    assert [row[0] for row in cells(training.models(run).markdown)[1:]] == ["b-model", "a-model"]
    said = plain(comparison.opening(run).markdown)
    assert said.index("samples of “b-model”") < said.index("samples of “a-model”")
    assert [row[0] for row in cells(samples.gallery(run).markdown)[1:]] == ["b-model"] * 16 + ["a-model"] * 16
    assert list(run.divergences["model"].drop_duplicates()) == ["b-model", "a-model"]


def test_the_corpus_is_counted(run):
    texts = run.texts
    said = plain(corpus.opening(run).markdown)
    assert f"240 texts from 120 documents, {texts['text'].str.len().sum():,} characters in all" in said
    assert "60 texts were held out" in said
    assert (
        "1,000 to 50,000 texts (here: 240, too few) and 200,000 to 2,000,000 GPT-2 tokens (here: 3,646, too few)"
        in said
    )
    header, letter, poem, everything_ = cells(corpus.groups(run).markdown)
    assert header == [
        "Group", "Texts", "Documents", "Held out", "Median length", "negative", "neutral", "positive", "letter", "poem",
    ]  # fmt: skip
    assert [row[0] for row in (letter, poem, everything_)] == ["letter", "poem", "**All**"]
    part = texts[texts["group"] == "poem"]
    assert poem[1:5] == ["120", "120", "25.0 %", f"{part['text'].str.len().median():.0f}"]
    assert poem[5] == f"{(part['label_sentiment'] == 'negative').mean() * 100:.0f} %"
    assert plain(corpus.dropped(run).markdown) == (
        "Of 242 texts, 240 were kept. Left out: 2 × a text that stands in the corpus already."
    )


def test_many_groups_are_counted_together_and_none_is_lost(tmp_path):
    groups = (*(f"group {n:02d}" for n in range(12)), None)
    run = Run(make_run(tmp_path / "run", texts=sentences(130), groups=groups, labels={}))
    rows = cells(corpus.groups(run).markdown)[1:]
    assert [row[0] for row in rows[-3:]] == ["*2 smaller groups*", "*without a group*", "**All**"]
    assert len(rows) == 13 and sum(int(row[1]) for row in rows[:-1]) == int(rows[-1][1]) == 130


def test_one_of_a_thing_is_no_plural(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    one = {"texts": 1, "documents": 1, "characters": 1, "splits": {"validation": 1}, "read": 2}
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | one))
    said = plain(corpus.opening(run).markdown + corpus.dropped(run).markdown)
    assert "1 text from 1 document, 1 character in all" in said
    assert "1 text was held out" in said and "Of 2 texts, 1 was kept." in said


def test_training_is_told_with_its_end(run):
    model = run.models["gpt2-tiny"]
    vars(model).update(best_step=60, steps_planned=200)
    try:
        said = plain(training.opening(run).markdown)
    finally:
        vars(model).update(best_step=100, steps_planned=100)
    assert "137 thousand parameters" in said and "2.330 bits per byte; before training it was 4.000." in said
    assert "The lowest loss was reached at step 60;" in said
    assert "Training stopped before the planned 200 steps," in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "It learned on a CPU, in float32, 2 sequences at once."),
        (
            {"device_kind": "cuda", "compute_dtype": "bfloat16", "micro_batch_sequences": 1, "processes": 4},
            "It learned on a GPU (cuda), in bfloat16, 1 sequence at once by each of 4 processes.",
        ),
    ],
)
def test_the_device_that_trained_is_named(tmp_path, changes, said):
    found = Run(make_run(tmp_path / "run"))
    vars(found.models["gpt2-tiny"]).update(changes)
    assert said in plain(training.opening(found).markdown)


def test_unpublished_texts_are_in_nothing_that_is_shown(tmp_path):
    texts = [
        f"{word} winters pass over the old houses of {place}"
        for word in ("Long", "Short", "Mild")
        for place in "ABCDEF"
    ]
    copied = [*texts, f"they say {texts[0].lower()}!", "wholly new words were written here today"]
    run = Run(make_run(tmp_path / "run", texts=texts, sample_texts=copied, publish_texts=False, prompts=("",)))
    for where, text in everything(run).items():
        shown = plain(text).casefold()
        assert not any(original.casefold() in shown for original in texts), where
    assert "wholly new words were written here today" in plain(samples.gallery(run).markdown)
    hidden = len(run.samples) - len(run.shown_samples)
    assert hidden > 0 and f"{hidden} samples that began with a held-out text" in plain(samples.opening(run).markdown)


def test_samples_stand_beside_their_labels(run):
    header, first, *_ = cells(samples.by_step(run).markdown)
    assert header == ["Begun with", "After step", "Temperature 0.7", "Temperature 1"]
    assert first[:2] == ["*nothing*", "10 (10 %)"]
    row = run.samples[(run.samples["percent"] == 10) & (run.samples["prompt_kind"] == "none")].iloc[0]
    labels = " · ".join(f"{scores[row['id']][0]} 0.80" for scores in run.sample_labels.values())
    assert first[2] == f"{row['text']}<br>{labels} · {plain(sample_quality.copy_note(run, row['id']))}"
    gallery = cells(samples.gallery(run).markdown)
    assert gallery[1][1].endswith("begun with nothing, after step 100")
    continued = cells(samples.held_out(run).markdown)[1]
    begun = run.samples[run.samples["prompt_kind"] == "held_out"].iloc[0]
    assert continued[0].endswith(f"begun with {begun['prompt']}") and "after step 100 · " in continued[1]
    assert len(cells(samples.gallery(run).markdown)) == 1 + 2 * 8
    assert cells(samples.held_out(run).markdown)[0] == ["The held-out text", "Continued at 0.7", "Continued at 1"]


def test_how_it_was_made_names_config_versions_and_files(run):
    settings = dict(cells(provenance.settings(run).markdown)[1:])
    assert settings["seed"] == "2014" and settings["models[gpt2-tiny].tokenizer"] == '"own"'
    assert ["torch", "2.13.0"] in cells(provenance.versions(run).markdown)
    files = dict(cells(provenance.hashes(run).markdown)[1:])
    assert files["corpus/texts.parquet"] == run.manifest.artefacts["corpus/texts.parquet"]
    assert "data/letters.txt" in files and run.config["notes"] not in files
    assert provenance.rule_graph(run).alternative_text == (
        "3 steps lead from the texts to the page. In order: import corpus; then train model; then generate samples."
    )


def test_a_run_is_found_where_its_notebook_lies_or_where_the_variable_says(made_up, tmp_path, monkeypatch):
    monkeypatch.delenv("SAMIZDAT_RUN", raising=False)
    monkeypatch.chdir(made_up / "report")
    assert open_run().manifest.run == "made-up"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="is no finished run"):
        open_run()
    monkeypatch.setenv("SAMIZDAT_RUN", str(made_up))
    assert open_run().folder == made_up
