"""A classifier that gives many texts no label: its shares are of the others, and the report says so."""

import pytest

from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table, write_table
from samizdat.reporting import Run, classifiers, fitness, label_comparison, share_course, summary
from samizdat.statistics.compute_statistics import StatisticsSettings, compute_statistics
from support.reading import plain
from support.run_fixture import make_run, sentences


@pytest.fixture
def abstaining(tmp_path):
    """Return a run whose classifier, which was trained on nothing, labels every so many texts, and samples."""

    def make(every: int) -> Run:
        folder = make_run(tmp_path / "run", texts=sentences(120), labels={"mood": ("good", "bad")}, groups=(None,))
        for subset in ("texts", "samples"):
            path = folder / "scores" / "mood" / f"{subset}.parquet"
            scores = read_table(path, SCORES).assign(seen_in_training=False)
            unsure = scores.index % every > 0 if every else scores.index >= 0
            scores.loc[unsure, ["label", "reason"]] = [None, "unsure"]
            write_table(scores, SCORES, path)
        compute_statistics(
            StatisticsSettings(0.95, 200), folder / "corpus" / "texts.parquet", folder / "corpus" / "languages.parquet",
            (folder / "samples" / "gpt2-tiny.parquet",),
            (folder / "models" / "gpt2-tiny" / "test_losses.parquet",), (folder / "classifiers" / "mood",),
            folder / "scores", folder / "statistics", seed=3,
        )  # fmt: skip
        return Run(folder)

    return make


def test_shares_are_of_the_texts_with_a_label_and_not_of_all(abstaining):
    run = abstaining(every=4)
    said = plain(summary.finding(run).markdown)
    assert "“mood” gave no label to 75 % of 120 texts**: its shares are those of the others." in said
    assert " % of 30 texts. " in said and "of all texts" not in said
    assert plain(classifiers.shares_by_group(run).title).endswith(" % of 30 texts")
    assert "75 % of 120 texts" in plain(fitness.warnings(run).markdown)
    run = abstaining(every=1)
    said = plain(summary.finding(run).markdown)
    assert "gave no label" not in said and " % of all texts. " in said


def test_where_no_text_and_no_sample_has_a_label_no_classifier_is_called_missing(abstaining):
    run = abstaining(every=0)
    assert plain(summary.finding(run).markdown).startswith("- “mood” gave no text a label.")
    assert classifiers.shares_by_group(run).markdown == "No text was given a label."
    assert "gave no label" not in fitness.warnings(run).markdown
    assert label_comparison.divergences(run).markdown == label_comparison.NONE_LABELLED
    assert share_course.shares_by_step(run).markdown == "No sample of a prompt was given a label."
