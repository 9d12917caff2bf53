"""All functions of the report on made-up runs: each returns something, and nothing that must not be shown."""

import importlib
import inspect
import io
import re
from itertools import pairwise
from pathlib import Path

import pytest

from samizdat.reporting import Run, agreement, classifiers, label_comparison, samples, summary
from samizdat.reporting.style import Picture
from samizdat.reporting.words import Prose
from support.reading import cells, plain
from support.run_fixture import make_run, sentences

ROOT = Path(__file__).parents[3]
# Every call that the report makes, such as corpus.opening.
CALLS = re.findall(r"^(\w+)\.(\w+)\(run\)$", (ROOT / "report" / "index.qmd").read_text(encoding="utf-8"), re.MULTILINE)
MODULES = {name: importlib.import_module(f"samizdat.reporting.{name}") for name in sorted({name for name, _ in CALLS})}


def everything(run: Run, *, draw: bool = False) -> dict[str, str]:
    """What each call of the report that shows something gives: Markdown, or a picture's alternative text."""
    shown = {}
    for module, function in CALLS:
        result = getattr(MODULES[module], function)(run)
        if isinstance(result, Picture):
            if draw:
                result.savefig(io.BytesIO(), dpi=30)
            shown[f"{module}.{function}"] = result.alternative_text
        elif result is not None:
            assert isinstance(result, Prose)
            shown[f"{module}.{function}"] = result.markdown
    return shown


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
    # There are few prompts, words are drawn at random, documents are short, and
    # nobody was asked.
    nothing = {
        "samples.more_by_step", "samples.more_held_out", "terms.between_samples",
        "raters.opening", "raters.every_number", "positions.opening",
    }  # fmt: skip
    assert set(shown) == {f"{module}.{function}" for module, function in CALLS} - nothing
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
        "no_repeat_ngram": 2, "held_out_prompts": 2, "held_out_prompt_words": 2,
    }},
}  # fmt: skip


# Drawing takes most of the time, so only figures with unusual axes are drawn.
DRAWN = ("several of everything", "a group that is called as all texts are", "a text of one character")


ONE_THINGS = re.compile(
    r"(?<![\d.,/–-])1\s(?:characters|documents|labels|pairs|rows|samples|steps|texts|tokens|words)\b"
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_function_works_for_every_run(tmp_path, variant):
    run = Run(make_run(tmp_path / "run", **({"texts": sentences(60)} | VARIANTS[variant])))
    shown = everything(run, draw=variant in DRAWN)
    for where, text in shown.items():
        assert text and "nan" not in re.findall(r"\w+", text.lower()), where
        assert not (found := ONE_THINGS.findall(text)), (where, found)


def test_a_run_without_classifiers_says_so(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(40), labels={}))
    for function in (
        classifiers.cards,
        classifiers.shares_by_group,
        label_comparison.opening,
        label_comparison.divergences,
    ):
        assert function(run).markdown == classifiers.NONE_APPLIED
    assert summary.finding(run).markdown == classifiers.NONE_APPLIED and summary.finding_picture(run) is None
    assert agreement.opening(run).markdown == agreement.NONE_COMPARABLE


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
