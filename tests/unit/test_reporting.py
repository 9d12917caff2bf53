"""What the report says of made-up runs: right numbers, careful findings, no word too much."""

import html
import importlib
import inspect
import io
import re
from itertools import pairwise
from pathlib import Path

import hostile
import pandas as pd
import pytest
from run_fixture import make_run, sentences
from samizdat import records
from samizdat.errors import UserError
from samizdat.escaping import visible
from samizdat.reporting import (
    Run,
    classifiers,
    comparison,
    corpus,
    making,
    open_run,
    quality,
    samples,
    summary,
    training,
    writing,
)  # fmt: skip
from samizdat.reporting.making import layered
from samizdat.reporting.originals import Originals
from samizdat.reporting.style import Picture, legend_columns, legend_label, wrapped
from samizdat.reporting.words import Prose, counted, joined, label, name, percent, percent_interval, table

ROOT = Path(__file__).parents[2]
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


def plain(markdown: str) -> str:
    """Markdown of the report as a reader sees it."""
    return html.unescape(re.sub(r"</?(bdi|span|code|small)[^>]*>", "", markdown)).replace("\u00a0", " ")


def cells(markdown: str) -> list[list[str]]:
    """The rows of a table, the rule between head and body left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[plain(cell).strip() for cell in line[1:-1].split("|")] for line in (lines[0], *lines[2:])]


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
    assert quality.opening(run).markdown == quality.NONE_COMPARABLE


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
    vars(run)["corpus"] = records.CorpusSummary(**(vars(run.corpus) | one))
    said = plain(corpus.opening(run).markdown + corpus.dropped(run).markdown)
    assert "1 text from 1 document, 1 character in all" in said
    assert "1 text was held out" in said and "Of 2 texts, 1 was kept." in said


def divergence(**changes):
    row = {
        "classifier": "mood", "model": "gpt2-tiny", "percent": 100, "temperature": None, "begun_with": "nothing",
        "samples": 50, "texts": 100, "jensen_shannon_bits": 0.02, "low": 0.01, "high": 0.03, "chance_bits": 0.05,
    }  # fmt: skip
    return row | changes


@pytest.fixture
def two_labels(tmp_path):
    """A run of one classifier whose statistics a test can set: every tenth text is called good, every sample bad."""
    run = Run(make_run(tmp_path / "run", texts=sentences(60), labels={"mood": ("good", "bad")}))
    both = [("texts", "all", None, 0.1), ("samples", "model", "gpt2-tiny", 0.0), ("texts", "group", "letter", 0.4)]
    both += [("texts", "group", "poem", 0.1)]
    shares = [
        [subset, kind, group, one, share, share - 0.05, share + 0.05]
        for subset, kind, group, good in both
        for one, share in (("good", good), ("bad", 1 - good))
    ]
    columns = ["subset", "group_kind", "group", "label", "share", "low", "high"]
    vars(run)["shares"] = pd.DataFrame(shares, columns=columns).assign(classifier="mood", count=1)
    return run


def test_no_difference_found_is_no_claim_that_there_is_none(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence()])
    assert plain(comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, no difference was found: the label shares of the 50 samples begun with nothing are "
        "0.020 bits (0.010 to 0.030) away from those of the texts, and as many texts drawn at random stay below "
        "0.050 bits in 95 % of draws. A difference smaller than that may be there all the same."
    )
    assert "By “mood”, no difference was found between samples and texts" in plain(
        summary.findings(two_labels).markdown
    )


def test_a_difference_is_said_with_its_size_and_where_it_is_largest(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(chance_bits=0.00001)])
    assert plain(comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, samples and texts differ: the label shares of the 50 samples begun with nothing are "
        "0.020 bits (0.010 to 0.030) away from those of the texts, more than the less than 0.0001 bits that chance "
        "explains. They are furthest apart in “good”, given to 0 % (-5 to 5 %) of the samples and 10 % (5 to 15 %) of "
        "the texts."
    )
    assert "Furthest apart is “good”, given to 0 % of the samples and 10 % of the texts." in plain(
        summary.findings(two_labels).markdown
    )


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        ((0.5, 0.6), (0.1, 0.2), "Training moves the samples nearer to the texts by mood"),
        ((0.1, 0.2), (0.5, 0.6), "Training moves the samples away from the texts by mood"),
        ((0.1, 0.3), (0.2, 0.4), "No classifier tells whether training brings the samples nearer to the texts"),
    ],
)
def test_a_course_is_claimed_only_where_the_intervals_part(two_labels, first, last, title):
    rows = [
        divergence(percent=percent, begun_with="prompts", low=low, high=high, jensen_shannon_bits=(low + high) / 2)
        for percent, (low, high) in ((10, first), (100, last))
    ]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    assert comparison.by_training(two_labels).alternative_text.startswith(f"{title}. ")


def test_groups_differ_only_where_their_intervals_part(two_labels):
    said = plain(classifiers.shares_by_group(two_labels).alternative_text)
    assert said.startswith("Of “letter”, mood calls 40 % “good”; of “poem”, 10 %. ")
    shares = two_labels.shares
    shares.loc[shares["group_kind"] == "group", "low"] -= 0.5
    said = classifiers.shares_by_group(two_labels).alternative_text
    assert said.startswith("No label’s share differs between groups by more than the intervals allow. ")


@pytest.mark.parametrize(
    ("own", "verdict"),
    [((0.6, 0.7), "more than"), ((0.45, 0.6), "not clearly different from"), ((0.1, 0.2), "less than")],
)
def test_a_classifier_is_held_against_the_most_frequent_label(two_labels, own, verdict):
    rows = [
        ["classifier", "accuracy", own[0] + 0.01, *own], ["classifier", "macro_f1", 0.5, 0.4, 0.6],
        ["majority", "accuracy", 0.45, 0.4, 0.5], ["majority", "macro_f1", 0.3, 0.2, 0.4],
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["method", "metric", "value", "low", "high"])
    vars(two_labels)["quality"] = frame.assign(classifier="mood", label=None, texts=70)
    said = plain(quality.opening(two_labels).markdown)
    assert f"of 70 held-out texts, {verdict} the 45 % (40 to 50 %) that the most frequent label" in said
    title = quality.scores(two_labels).alternative_text.split(".")[0]
    assert title.startswith("Better than" if verdict == "more than" else "No classifier is clearly better")


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


def test_a_text_is_recognised_by_six_words_in_a_row_or_as_a_whole():
    originals = Originals(["One two three four five six seven.", "Short one here", "我爱北京天安门"])
    assert originals.stand_in("and TWO, three; four five six SEVEN!")
    assert not originals.stand_in("one two three four five, and six seven")
    assert originals.stand_in("a short one here too") and not originals.stand_in("a short one there")
    assert originals.stand_in("看我爱北京天安") and not originals.stand_in("我爱天安门")


def test_samples_stand_beside_their_labels(run):
    header, first, *_ = cells(samples.by_step(run).markdown)
    assert header == ["Begun with", "After step", "Temperature 0.7", "Temperature 1"]
    assert first[:2] == ["*nothing*", "10 (10 %)"]
    row = run.samples[(run.samples["percent"] == 10) & (run.samples["prompt_kind"] == "none")].iloc[0]
    labels = " · ".join(f"{scores[row['id']][0]} 0.80" for scores in run.sample_labels.values())
    assert first[2] == f"{row['text']}<br>{labels} · {plain(writing.copy_note(run, row['id']))}"
    gallery = cells(samples.gallery(run).markdown)
    assert gallery[1][1].endswith("begun with nothing, after step 100")
    continued = cells(samples.held_out(run).markdown)[1]
    begun = run.samples[run.samples["prompt_kind"] == "held_out"].iloc[0]
    assert continued[0].endswith(f"begun with {begun['prompt']}") and "after step 100 · " in continued[1]
    assert len(cells(samples.gallery(run).markdown)) == 1 + 2 * 8
    assert cells(samples.held_out(run).markdown)[0] == ["The held-out text", "Continued at 0.7", "Continued at 1"]


def test_how_it_was_made_names_config_versions_and_files(run):
    settings = dict(cells(making.settings(run).markdown)[1:])
    assert settings["seed"] == "2014" and settings["models[gpt2-tiny].tokenizer"] == '"own"'
    assert ["torch", "2.13.0"] in cells(making.versions(run).markdown)
    files = dict(cells(making.hashes(run).markdown)[1:])
    assert files["corpus/texts.parquet"] == run.manifest.artefacts["corpus/texts.parquet"]
    assert "data/letters.txt" in files and run.config["notes"] not in files
    assert making.rule_graph(run).alternative_text == (
        "3 steps lead from the texts to the page. In order: import corpus; then train model; then generate samples."
    )


def test_layers_follow_the_longest_way():
    layers = layered({("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")})
    assert layers == [["a", "d"], ["b", ("a", "c", 1), ("d", "c", 1)], ["c"]] or layers[0] == ["a", "d"]
    assert [[node for node in layer if isinstance(node, str)] for layer in layers] == [["a", "d"], ["b"], ["c"]]


def test_numbers_as_words():
    assert [counted(0, "text"), counted(1, "text"), counted(2_000, "box", "boxes")] == [
        "0\u00a0texts", "1\u00a0text", "2,000\u00a0boxes",
    ]  # fmt: skip
    assert [percent(share) for share in (0, 0.004, 0.5, 0.996, 1)] == [
        "0\u00a0%", "0.4\u00a0%", "50\u00a0%", "99.6\u00a0%", "100\u00a0%",
    ]  # fmt: skip
    assert percent_interval(0.5, 0.25, 0.75) == "50\u00a0% (25 to 75\u00a0%)"
    assert [joined([]), joined("a"), joined("ab"), joined("abc")] == ["", "a", "a and b", "a, b and c"]
    assert table([["a", ""]], ["x", "y"], numbers=["y"]).markdown == "| x | y |\n| :--- | ---: |\n| a | \u00a0 |"


def test_names_are_text_of_bounded_length():
    assert label("<b>") == "“<bdi>&#60;b&#62;</bdi>”"
    assert name(None) == name(float("nan")) == "" and name(3) == "<bdi>3</bdi>"
    assert len(name("x" * 1_000_000)) < 200
    for text in hostile.EVERY:
        lines = wrapped(text, 20, 3).split("\n")
        assert len(lines) <= 3 and max(map(len, lines)) <= 21
        assert (
            "".join(lines).rstrip("…").replace(" ", "")[:20] == "".join(visible(text).split())[:20] or len(lines) == 3
        )


def test_legends_keep_names_that_begin_with_an_underscore_and_fit():
    assert not legend_label("_hidden", 20).startswith("_")
    assert (
        legend_columns(["a", "b", "c"], 4) == 3
        and legend_columns(["x" * 40] * 4, 4) == 2
        and legend_columns([], 4) == 1
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
