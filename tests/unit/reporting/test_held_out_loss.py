"""What the report says of bits per byte: with intervals, over seeds, and of two models."""

import dataclasses

import pandas as pd
import pytest

from samizdat.records.statistics import MODEL_DIFFERENCES
from samizdat.reporting import Run, held_out_loss, label_comparison, sample_quality, samples, summary, training
from support.reading import cells, plain
from support.run_fixture import make_run


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A run of two models, each trained twice."""
    folder = make_run(tmp_path_factory.mktemp("seeds") / "run", models=("one", "other"), training={"seeds": 2})
    return Run(folder)


def test_one_training_has_an_interval_and_no_range_and_is_told_as_a_limit(run):
    row = run.model_losses["gpt2-tiny"]
    assert row["seeds"] == 1 and row["low"] < row["value"] < row["high"]
    said = plain(training.opening(run).markdown)
    assert f"it needs 2.380 bits per byte ({row['low']:.3f} to {row['high']:.3f}). That is 2.380" in said
    assert "seed" not in said and "seeds" not in training.models(run).markdown
    assert plain(held_out_loss.limits(run).markdown).startswith("- **One training run.**")
    assert "They do not cover another seed, another split" in held_out_loss.limits(run).markdown


def test_the_range_over_seeds_is_shown_beside_each_interval(seeded):
    row = seeded.model_losses["one"]
    found = f"{row['seeds_low']:.3f} to {row['seeds_high']:.3f}"
    assert f"; trained 2 times, each time with another seed, {found}." in plain(training.opening(seeded).markdown)
    assert [line[-1].endswith(f"seeds {found}</small>") for line in cells(plain(training.models(seeded).markdown))[1:2]]
    variety = cells(plain(sample_quality.variety(seeded).markdown))
    assert "seeds" not in " ".join(variety[1])
    assert all("seeds" in cell or cell == "–" for line in variety[2:] for cell in line[1:])
    assert len(variety) == 2 + 2 * 2  # a row for each model and temperature, none for another seed
    measures = seeded.sample_quality
    (loops,) = measures[(measures["model"] == "one") & (measures["metric"] == "length_words") & (
        measures["begun_with"] == "nothing") & (measures["temperature"] > 0.9)].to_dict("records")  # fmt: skip
    assert f"seeds {loops['seeds_low']:.1f} to {loops['seeds_high']:.1f}" in " ".join(map(" ".join, variety))
    divergences = cells(plain(label_comparison.divergences(seeded).markdown))[1:]
    assert divergences and all("seeds 0." in line[6] for line in divergences)
    assert plain(held_out_loss.limits(seeded).markdown).startswith("- **2 training runs.** The intervals")


def test_another_seed_is_a_thin_line_and_no_model_of_its_own(seeded):
    picture = training.curves(seeded)
    assert "trained with other seeds" in picture.alternative_text
    assert set(seeded.other_trainings["model"]) == {"one.seed2", "other.seed2"}
    assert list(seeded.models) == ["one", "other"] and set(seeded.samples["model"]) == {"one", "other"}
    shown = [training.opening, training.models, training.log, samples.gallery, samples.by_step, sample_quality.opening,
             label_comparison.opening, label_comparison.divergences]  # fmt: skip
    assert not any("seed2" in function(seeded).markdown for function in shown)
    assert set(seeded.shares["group"].dropna()) & {"one", "one.seed2"} == {"one"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "“one” is better than “other”: it needs 0.050 bits per byte less (0.020 to 0.080; the interval covers "
             "other documents and other seeds; means over the trainings)."),
        ({"covers_seeds": False}, "covers other documents, not other seeds, since each model was trained once)."),
        ({"value": 0.05, "low": 0.02, "high": 0.08}, "“other” is better than “one”: it needs 0.050 bits per byte less "
                                                     "(0.020 to 0.080;"),
        ({"high": 0.01, "p_holm": 0.2}, "No difference was found between “one” and “other”: they are 0.050 bits per "
                                        "byte apart (−0.010 to 0.080;"),
        ({"high": 0.01}, "No difference was found"),
        ({"low": None, "high": None, "p_value": None, "p_holm": None}, "0.050 bits per byte apart. These texts are of "
                                                                       "fewer than 20 documents"),
    ],
)  # fmt: skip
def test_a_model_is_called_better_only_where_the_test_shows_it(seeded, changes, said):
    row = {"model": "one", "other": "other", "seeds": 4, "value": -0.05, "covers_seeds": True, "low": -0.08,
           "high": -0.02, "p_value": 0.01, "p_holm": 0.01}  # fmt: skip
    run = Run(seeded.folder)
    vars(run)["model_differences"] = pd.DataFrame([row | changes], columns=MODEL_DIFFERENCES.names)
    assert said in plain(" ".join(held_out_loss.compared(run)))


def test_a_model_whose_tokenizer_loses_characters_is_neither_best_nor_better(tmp_path):
    run = Run(make_run(tmp_path / "run", models=("one", "other")))
    better = held_out_loss.best_model(run).name
    assert held_out_loss.compared(run)
    run.models[better] = dataclasses.replace(run.models[better], tokenizer="lossy")
    run.tokenizers["lossy"] = dataclasses.replace(run.tokenizers["own"], changed={"test": 3})
    run.manifest.artefacts["tokenizers/lossy/tokenizer.json"] = "0" * 64
    assert held_out_loss.best_model(run).name != better and not held_out_loss.compared(run)


def test_one_model_is_compared_with_none(run):
    assert held_out_loss.compared(run) == []


def test_bits_per_character_are_bits_per_byte_times_the_bytes_of_a_character(tmp_path):
    # Eight characters of which two have three bytes: 12 bytes.
    run = Run(make_run(tmp_path / "run", texts=[f"漢字ab{number:04d}" for number in range(80)]))
    said = plain(training.opening(run).markdown)
    assert "needs 2.380 bits per byte" in said
    assert "That is 3.570 bits per character, which has 1.50 bytes on average." in said
    header, row = cells(training.models(run).markdown)
    assert header[-2:] == ["Bits per byte", "Bits per character"] and row[-1] == "3.570" and row[-2].startswith("2.380")
    for _, _, of_byte, of_character in cells(training.yardsticks(run).markdown)[1:]:
        assert float(of_character) == pytest.approx(1.5 * float(of_byte), abs=2e-3)
    assert "2.38 bits** to predict each byte of the held-out texts (3.57 for each character)" in plain(
        summary.learning(run).markdown
    )
