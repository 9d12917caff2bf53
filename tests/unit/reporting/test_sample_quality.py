"""The report on how good the samples are: its words follow the numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from samizdat.records.io import read_table, write_table
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.reporting import copy_lengths, sample_quality, share_course
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture
from samizdat.reporting.words import NO_BREAK, Table
from support.run_fixture import make_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("writing") / "run")


def quality(*rows):
    """A table of measures: subset, metric, value, low, high, and what else is named."""
    names = {"model": "gpt2-tiny", "percent": 100, "temperature": 1.0, "begun_with": "nothing"}
    lines = [
        {
            "subset": subset, "metric": metric, "units": 50, "value": value, "low": low, "high": high,
            **(names if subset == "samples" else {}), **more,
        }
        for subset, metric, value, low, high, more in rows
    ]  # fmt: skip
    frame = pd.DataFrame(lines, columns=SAMPLE_QUALITY.names).astype({"percent": "Int16"})
    numbers = ["value", "low", "high", "real_value", "p_value", "seeds_low", "seeds_high", "temperature"]
    return frame.astype(dict.fromkeys(numbers, float))


def shown(folder, frame, **attributes):
    run = Run(folder)
    run.sample_quality = frame
    for name, value in attributes.items():
        setattr(run, name, value)
    return run


REAL = ("held_out", "copied_ngram_share", 0.10, 0.08, 0.12, {})


@pytest.mark.parametrize(
    ("share", "p_value", "words"),
    [
        ((0.30, 0.25, 0.35), 0.04, "more than"),
        ((0.02, 0.01, 0.03), 0.04, "less than"),
        # Intervals that part are no test.
        ((0.30, 0.25, 0.35), 0.06, "not clearly different from"),
        ((0.30, 0.25, 0.35), None, "with too few samples or documents to compare this with"),
    ],
)
def test_copying_is_called_more_or_less_only_where_the_test_says_so(folder, share, p_value, words):
    rows = quality(REAL, ("samples", "copied_ngram_share", *share, {"p_value": p_value}))
    text = sample_quality.opening(shown(folder, rows)).markdown
    assert f"occur in the training texts, {words} the 10{NO_BREAK}% (8 to 12{NO_BREAK}%) of held-out texts" in text


@pytest.mark.parametrize(("p_value", "words"), [(0.001, "distinguishes them from"), (0.2, "finds no difference")])
def test_samples_are_told_apart_only_below_the_level(folder, p_value, words):
    row = ("samples", "told_apart_area", 0.71, 0.66, 0.75, {"p_value": p_value})
    run = shown(folder, quality(REAL, row))
    text = sample_quality.opening(run).markdown
    assert words in text and "0.71 (0.66 to 0.75)" in text
    assert f"p{NO_BREAK}={NO_BREAK}{p_value:.3f}" in sample_quality.nearness(run).markdown


def test_tables_hold_values_intervals_and_dashes(folder):
    close = ("samples", "closeness", 0.812, 0.7, 0.9, {"real_value": 0.97})
    run = shown(folder, quality(("held_out", "self_bleu", 0.2, 0.1, 0.3, {}), close))
    nearness, variety = (
        table(run).markdown.splitlines() for table in (sample_quality.nearness, sample_quality.variety)
    )
    assert nearness[-1].startswith("| <bdi>samples, at 1</bdi> |") and "0.81<br><small>0.70" in nearness[-1]
    assert "real texts 0.97" in nearness[-1] and nearness[-1].count("–") == 2
    assert variety[2].startswith("| <bdi>held-out texts</bdi> |") and "0.20<br><small>0.10" in variety[2]
    assert nearness[2].count("–") == 3
    assert "Too few" in sample_quality.opening(run).markdown and "Too few" in sample_quality.by_checkpoint(run).markdown


def test_closeness_by_characters_has_its_own_column_and_reason(folder):
    close = ("samples", "character_closeness", 0.812, 0.7, 0.9, {"real_value": 0.97})
    run = shown(folder, quality(("held_out", "unread_token_share", 0.831, None, None, {}), close))
    head = sample_quality.nearness(run).markdown.splitlines()[0]
    assert "Closeness (characters)" in head and head.count("Closeness") == 1
    assert f"doesn’t know 83{NO_BREAK}% of the tokens" in sample_quality.nearness_note(run).markdown


def test_of_too_few_texts_closeness_has_no_column_and_the_reason(folder):
    run = shown(folder, quality(("samples", "copy_characters", 12.0, 9.0, 14.0, {})))
    table, note = sample_quality.nearness(run).markdown, sample_quality.nearness_note(run).markdown
    assert "Closeness" not in table and "Told apart" not in table
    assert f"that needs 200{NO_BREAK}texts of each" in note and "that needs 20 samples and as many held-out" in note
    # Texts may be enough where documents are not, such as of a few books.
    close = ("samples", "closeness", 0.812, 0.7, 0.9, {"real_value": 0.97})
    note = sample_quality.nearness_note(shown(folder, quality(close))).markdown
    assert note.startswith("Whether a simple model can tell samples from held-out texts is not given")
    apart = ("samples", "told_apart_area", 0.71, 0.66, 0.75, {})
    assert sample_quality.nearness_note(shown(folder, quality(close, apart))) is None


def test_checkpoints_have_their_training_in_a_column(folder):
    rows = [("samples", "loop_share", share, 0.0, 1.0, {"percent": done, "begun_with": "prompts"})
            for done, share in ((10, 0.5), (100, 0.25))]  # fmt: skip
    table = sample_quality.by_checkpoint(shown(folder, quality(*rows))).markdown
    assert f"at 1</bdi> | 10{NO_BREAK}% | 50{NO_BREAK}%" in table
    assert f"at 1</bdi> | 100{NO_BREAK}% | 25{NO_BREAK}%" in table


@pytest.mark.parametrize(
    ("value", "p_value", "title"),
    [
        (40.0, 0.04, "The samples share longer passages"),
        (40.0, 0.06, "No samples clearly share longer"),
        (10.0, 0.01, "No samples clearly share longer"),
        (40.0, None, "Too few samples or documents to say whether samples share longer"),
    ],
)
def test_the_figure_of_copies_says_what_it_shows(folder, value, p_value, title):
    rows = quality(
        ("held_out", "copy_characters", 16.0, 14.0, 18.0, {}),
        ("samples", "copy_characters", value, value - 5, value + 5, {"p_value": p_value}),
    )
    picture = copy_lengths.lengths(shown(folder, rows))
    assert isinstance(picture, Picture) and picture.title.startswith(title)
    assert picture.alternative_text.startswith(picture.title)
    lengths = read_table(folder / "statistics" / "copies.parquet", COPIES)
    real = lengths.loc[lengths["subset"] == "held_out", "copy_characters"]
    assert f"held-out texts: half of them {np.median(real):.0f}\u00a0characters or more" in picture.alternative_text
    (drawn,) = [line for line in picture.axes[0].lines if "held-out" in line.get_label()]
    assert drawn.get_xdata().tolist() == sorted(real[real > 0])


def test_texts_that_share_no_character_have_no_run_of_one(folder):
    run = Run(folder)
    of_samples = run.copies["subset"] == "samples"
    copied = run.copies["copy_characters"].mask(of_samples, 0).mask(of_samples & (run.copies.index % 4 == 0), 5)
    run.copies = run.copies.assign(copy_characters=copied)
    picture = copy_lengths.lengths(run)
    assert picture.alternative_text.count("half of them 0\u00a0characters or more, the longest 5") == 2
    lines = [line for line in picture.axes[0].lines if "samples" in line.get_label()]
    assert len(lines) == 2
    for line in lines:
        assert set(line.get_xdata()) == {5} and max(line.get_ydata()) < 0.5


def test_the_figure_of_copies_names_the_temperatures_at_which_passages_are_longer(folder):
    low, high = ({"temperature": at, "p_value": p_value} for at, p_value in ((0.7, 0.001), (1.0, 0.9)))
    rows = [
        ("held_out", "copy_characters", 16.0, 14.0, 18.0, {}), ("samples", "copy_characters", 40.0, 35.0, 45.0, low),
        ("samples", "copy_characters", 15.0, 10.0, 20.0, high),
    ]  # fmt: skip
    picture = copy_lengths.lengths(shown(folder, quality(*rows)))
    assert picture.title.startswith("Only the samples at temperature 0.7 share longer passages")


def test_shares_by_step_are_those_of_the_statistics(folder):
    run = Run(folder)
    picture = share_course.shares_by_step(run)
    rows = run.shares[(run.shares["group_kind"] == "percent") & (run.shares["group"] == "10")]
    row = rows.iloc[0]
    assert f"{row['classifier']}, samples after 10 %: {row['label']}" in picture.alternative_text
    run.shares = run.shares.copy()
    bounds = ["share", "low", "high"]
    chosen = (run.shares["classifier"] == row["classifier"]) & (run.shares["label"] == row["label"])
    course = run.shares["group_kind"] == "percent"
    run.shares.loc[course, [*bounds, "count"]] = [0.3, 0.2, 0.4, 100]
    assert share_course.shares_by_step(run).alternative_text.startswith("No label’s share changes")
    run.shares.loc[chosen & (run.shares["group"] == "100"), [*bounds, "count"]] = [0.6, 0.5, 0.7, 250]
    title = share_course.shares_by_step(run).alternative_text.replace(NO_BREAK, " ").split(". ")[0]
    first, last = "30 % of the samples after 10 % of training", "60 % of those after 100 %"
    assert title == f"{row['classifier']} calls {first} “{row['label']}”, {last}"
    # The published weights may be of an earlier step than the last one.
    (trained,) = run.models.values()
    last = replace(trained, best_step=trained.steps_planned)
    for model in (last, replace(trained, best_step=trained.steps_planned - 1)):
        run.models = {model.name: model}
        said = share_course.shares_by_step(run).alternative_text.replace(NO_BREAK, " ")
        assert ("with the published weights. " in said) == (", samples with the published weights: " in said)
        assert ("samples after 100 %" in said) == (model is last) == ("those after 100 %" in said)
    run.models = {trained.name: last}
    # A classifier may give no early sample a label, and a run may have one checkpoint alone.
    both, early = run.shares, course & (run.shares["group"] == "10")
    run.shares = both[~(early & (both["classifier"] == row["classifier"]))]
    said = share_course.shares_by_step(run).alternative_text
    assert said.startswith("No label’s share changes") and "nan" not in said
    who = row["classifier"]
    assert f"{who}, samples after 10 %" not in said and f"{who}, samples after 100 %" in said
    run.shares = both[~early]
    assert share_course.shares_by_step(run).title == (
        "Label shares of the texts and of what was written after the same prompts"
    )
    run.shares = run.shares[run.shares["group_kind"] != "percent"]
    assert share_course.shares_by_step(run).markdown == "No sample of a prompt was given a label."
    run.samples = run.samples[run.samples["prompt_kind"] == "unprompted"]
    assert share_course.shares_by_step(run).markdown == "No checkpoint continued a prompt."


def test_a_run_without_a_measure_still_has_a_report(folder, tmp_path):
    write_table(quality(), SAMPLE_QUALITY, tmp_path / "q.parquet")
    run = shown(folder, read_table(tmp_path / "q.parquet", SAMPLE_QUALITY))
    assert isinstance(sample_quality.variety(run), Table) and "Too few" in sample_quality.opening(run).markdown
