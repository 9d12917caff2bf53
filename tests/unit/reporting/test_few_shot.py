"""Few-shot classifiers in the report: what they are, and how often they are right after fewer examples."""

from dataclasses import replace

import pandas as pd

from samizdat.records.classifiers import ACCURACY_BY_EXAMPLES
from samizdat.records.io import write_table
from samizdat.reporting import classifiers, few_shot
from samizdat.reporting.words import NO_BREAK


def shown(run, values):
    """Make the run's classifier one that was shown two texts, and right in these shares after 0, 1 and 2 of them."""
    card = run.cards["mood"]
    words = {"template": "Text: {}\nMood | {}", "words": ["fine", "awful"]}
    vars(run)["cards"] = {"mood": replace(card, training_texts=2, **words)}
    rows = [[number, 40, value, value - 0.1, value + 0.1] for number, value in enumerate(values)]
    table = pd.DataFrame(rows, columns=ACCURACY_BY_EXAMPLES.names)
    write_table(table, ACCURACY_BY_EXAMPLES, run.folder / "scores" / "mood" / "accuracy_by_examples.parquet")
    return run


def test_the_figure_says_how_often_it_is_right_after_how_many_examples(two_labels):
    picture = few_shot.accuracy(shown(two_labels, [0.5, 0.6, 0.75]))
    title = picture.title.replace(NO_BREAK, " ").replace("\u2068", "").replace("\u2069", "")
    assert title == "mood is right in 75 % of 40 held-out texts after 2 examples, in 50 % without any"
    said = picture.alternative_text.replace(NO_BREAK, " ")
    assert "50 % (40 to 60 %) after 0, 60 % (50 to 70 %) after 1, 75 % (65 to 85 %) after 2" in said


def test_other_classifiers_are_lines_of_the_texts_that_they_gave_a_label(two_labels):
    run = shown(two_labels, [0.5, 0.6, 0.75])
    vars(run)["cards"] = run.cards | {"shy": replace(run.cards["mood"], name="shy", words=[])}
    row = {"classifier": "shy", "label_column": run.cards["mood"].label_column, "method": "classifier",
           "metric": "accuracy", "value": 0.95, "texts": 20}  # fmt: skip
    vars(run)["quality"] = pd.DataFrame([row])
    said = few_shot.accuracy(run).alternative_text.replace(NO_BREAK, " ")
    assert "95 % of the 20 held-out texts that it gave a label" in said


def test_a_run_without_labels_or_examples_says_so(two_labels):
    assert few_shot.accuracy(two_labels).markdown == few_shot.NONE
    assert "No held-out text has a human label" in few_shot.accuracy(shown(two_labels, [float("nan")] * 3)).markdown


def test_a_card_says_what_the_model_reads_and_chooses_from(two_labels):
    run = shown(two_labels, [0.5])
    row = classifiers.cards(run).markdown.splitlines()[-1]
    assert row.startswith("|") and "reads 2\u00a0texts with their labels before each text" in row
    assert "not trained for it: the likeliest of “<bdi>fine</bdi>” and “<bdi>awful</bdi>” in" in row
    assert classifiers.learned(run).markdown == "No classifier was fine-tuned in this run."
