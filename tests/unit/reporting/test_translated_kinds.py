"""Classifiers of all kinds, raters, long documents and comparisons in another language: no English word is left."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.text import Text

from samizdat.base.language import LANGUAGES, speaking
from samizdat.comparison import contents
from samizdat.publishing.document_words import translated
from samizdat.records.classifiers import ACCURACY_BY_EXAMPLES
from samizdat.records.io import write_table
from samizdat.records.labels import RATER_QUALITY
from samizdat.records.statistics import STATISTICS
from samizdat.reporting import Run, believed, few_shot, labels_together, numbers, positions, raters, several_labels
from support.catalogues import DOCUMENTS
from support.run_fixture import make_run, sentences

ENGLISH = re.compile(r"\b([Tt]he|of|and|is|are|with|texts|samples|mean|classifier|share)\b")
NUMBER = re.compile(r"\b0\.\d")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """A run with classifiers of several labels and of a number, people who were asked, and long documents."""
    folder = tmp_path_factory.mktemp("kinds") / "kinds"
    run = Run(make_run(folder, texts=sentences(160), labels={}, kinds={"moods": "multi_label", "size": "number"}))
    given = [
        {"question": question, "metric": metric, "subset": subset, "label": label, "rows": 40, "population": 1600,
         "value": value, "low": value - 0.05, "high": value + 0.05, "p_value": 0.01 if metric == "difference" else None}
        for question, metric, subset, label, value in (
            *((one, metric, None, None, 3.0) for one in ("person.or.model", "moods", "size")
              for metric in ("drawn", "undecided", "gone", "seen")),
            ("person.or.model", "accuracy", None, None, 0.7), ("person.or.model", "difference", None, None, 0.3),
            *((one, "krippendorff_alpha", None, label, value)
              for one in ("moods", "size") for label, value in (("anger", 0.4), ("joy", 0.6))),
            ("moods", "accuracy", "texts", None, 0.8), ("moods", "accuracy", "samples", None, 0.6),
            ("size", "spearman", "texts", None, 0.8), ("size", "spearman", "samples", None, 0.6),
            ("other", "rows_needed", None, None, 100.0),
        )
    ]  # fmt: skip
    frame = pd.DataFrame(given, columns=RATER_QUALITY.names).astype({"p_value": float})
    card = replace(run.cards["moods"], name="other")
    changes = [
        {"classifier": one, "label": label, "documents": 1446, "texts": 9000, "value": value, "low": value - 0.06,
         "high": value + 0.05, "p_value": 0.01, "p_holm": 0.01}
        for one, label, value in (("moods", "joy", 0.09), ("moods", "anger", -0.09), ("size", None, 0.5))
    ]  # fmt: skip
    parts = [
        {"classifier": one, "label": label, "part": part, "texts": 100, "value": 0.5, "low": 0.4, "high": 0.6}
        for one, label in (("moods", "joy"), ("size", None)) for part in range(1, 6)
    ]  # fmt: skip
    vars(run).update(
        rater_quality=frame, cards=run.cards | {"other": card},
        position_changes=pd.DataFrame(changes, columns=STATISTICS["position_changes"].names),
        positions=pd.DataFrame(parts, columns=STATISTICS["positions"].names),
    )  # fmt: skip
    return run


def shown(result) -> list[str]:
    """List what a reader sees of a result: Markdown, or all that a picture says."""
    if hasattr(result, "markdown"):
        return [result.markdown]
    if hasattr(result, "alternative_text"):
        result.canvas.draw()
        return [result.title, result.alternative_text, *(one.get_text() for one in result.findobj(Text))]
    return [result] if isinstance(result, str) else list(result or ())


def assert_translated(said: list[str]) -> None:
    assert said
    for words in said:
        text = re.sub(r"`[^`]*`|<code>.*?</code>|<[^>]*>", "", words)
        assert not ENGLISH.search(text) and not NUMBER.search(text), text


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"en"}))
def test_everything_that_a_function_says_is_in_the_language(kinds, language):
    shows = [
        numbers.opening, numbers.spread, numbers.every_number, raters.opening, raters.every_number, raters.told,
        several_labels.opening, several_labels.shares_by_group, several_labels.shares_of_samples,
        several_labels.every_score, several_labels.differences, labels_together.cooccurrence, few_shot.accuracy,
        positions.opening, positions.chart,
    ]  # fmt: skip
    with speaking(language):
        for show in shows:
            assert_translated(shown(show(kinds)))
        for classifier in ("moods", "size"):
            assert_translated(believed.trust(kinds, classifier, None))
        assert_translated(several_labels.in_brief(kinds, "moods") + numbers.in_brief(kinds, "size"))


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"en"}))
def test_examples_are_told_in_the_language(two_labels, language):
    card = two_labels.cards["mood"]
    vars(two_labels)["cards"] = {"mood": replace(card, training_texts=2, template="{}", words=["fine", "awful"])}
    rows = [[number, 40, 0.5, 0.4, 0.6] for number in (0, 1, 2)]
    table = pd.DataFrame(rows, columns=ACCURACY_BY_EXAMPLES.names)
    path = two_labels.folder / "scores" / "mood" / "accuracy_by_examples.parquet"
    write_table(table, ACCURACY_BY_EXAMPLES, path)
    with speaking(language):
        assert_translated(shown(few_shot.accuracy(two_labels)))


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"en"}))
def test_a_comparison_is_in_the_language_of_the_first_run(made_up, language):
    runs = {"one": Run(made_up), "other": Run(made_up)}
    functions = [contents.opening, contents.differences, contents.losses, contents.corpora, contents.code_used,
                 contents.settings]  # fmt: skip
    with speaking(language):
        for function in functions:
            assert_translated(shown(function(runs)))
        header = contents.statistics(runs).markdown.splitlines()[0]
        document = translated(DOCUMENTS[1].read_text(encoding="utf-8"))
    assert_translated([header])
    prose = [line for line in document.split("---\n", 2)[2].splitlines() if re.match(r"[A-Z„#]", line)]
    assert_translated([line for line in prose if not line.startswith("#|") or "-cap:" in line])
