"""Settings for the corpus at hand: they follow from it alone, fit each other, and leave alone what is set."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.base.configuration import RECIPE_KEYS
from samizdat.models.recipe import decided_by_recipe, recipe
from samizdat.models.recipe_table import BYTES_PER_TOKEN, ROWS, row_for, vocabulary_size
from samizdat.models.settings import FEWEST_STEPS, StepPlan
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_training import SETTINGS, run

LEFT = replace(SETTINGS, recipe=RECIPE_KEYS, context_tokens=57, micro_batch_sequences="auto")


def decided(tokens, lengths, processes=1, **changes):
    return decided_by_recipe(replace(LEFT, **changes), tokens=tokens, lengths=lengths, processes=processes)


def test_a_recipe_has_the_keys_that_a_config_can_leave_to_it():
    assert recipe(1000, [10], least_context=57, processes=1, given={}).keys() == set(RECIPE_KEYS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.tokens}")
def test_a_corpus_of_a_measured_size_gets_what_was_measured(row):
    assert row_for(row.tokens * 1.2) == row_for(row.tokens / 1.2) == row
    assert vocabulary_size(round(BYTES_PER_TOKEN * row.tokens)) == row.vocabulary_size
    found = decided(row.tokens, [60] * (row.tokens // 60))
    keys = ("layers", "width", "epochs", "batch_tokens", "matrix_learning_rate", "learning_rate", "weight_decay")
    assert [getattr(found, key) for key in keys] == [getattr(row, key) for key in keys]


@given(
    tokens=st.integers(300, 20_000_000),
    length=st.integers(1, 5000),
    least=st.integers(9, 700),
    processes=st.integers(1, 4),
)
def test_settings_fit_each_other_and_give_enough_steps(tokens, length, least, processes):
    found = decided(tokens, [length] * 50, processes, context_tokens=least)
    assert found.width % found.heads == 0
    assert found.batch_tokens % (found.context_tokens * processes) == 0
    assert found.context_tokens >= max(64, least)
    rows = tokens // found.context_tokens
    if rows:  # else training is refused
        steps = StepPlan.of(found, context_tokens=found.context_tokens, rows_per_epoch=rows).steps
        assert steps >= FEWEST_STEPS


@pytest.mark.parametrize(("lengths", "context"), [([60] * 100, 64), ([60] * 90 + [100] * 10, 128), ([9000], 256)])
def test_the_context_holds_nearly_all_texts(lengths, context):
    assert decided(500_000, lengths).context_tokens == context


def test_what_is_set_counts():
    left = tuple(key for key in RECIPE_KEYS if key not in ("width", "context_tokens", "epochs"))
    found = decided(20_000, [20] * 1000, recipe=left, width=96, context_tokens=96, epochs=3.5)
    assert (found.width, found.context_tokens, found.epochs) == (96, 96, 3.5)
    assert found.batch_tokens % 96 == 0 and 96 % found.heads == 0
    assert decided_by_recipe(SETTINGS, tokens=10, lengths=[10], processes=1) == SETTINGS


def test_a_few_hundred_short_texts_are_learned_from_for_enough_steps():
    """Two hundred proverbs of fifteen tokens: with the demo's settings they were trained on for one step."""
    found = decided(3000, [15] * 200)
    plan = StepPlan.of(found, context_tokens=found.context_tokens, rows_per_epoch=3000 // found.context_tokens)
    assert plan.steps >= FEWEST_STEPS and found.batch_tokens <= 512


def test_what_a_recipe_decided_is_trained_with_recorded_and_said(tokenizer, tmp_path, capsys):
    left = ("epochs", "batch_tokens", "learning_rate")
    _, out = run(tokenizer, tmp_path, recipe=left, micro_batch_sequences="auto")
    summary = read_document(ModelSummary, out / "summary.json")
    assert summary.recipe.keys() == set(left)
    assert summary.steps_planned >= FEWEST_STEPS
    assert summary.tokens_seen == summary.steps_done * summary.recipe["batch_tokens"]
    said = capsys.readouterr().err
    batch = summary.recipe["batch_tokens"]
    assert f"· model m: {summary.steps_planned:,} steps of {batch:,} tokens; by the recipe epochs " in said
    assert math.isclose(summary.recipe["learning_rate"], ROWS[0].learning_rate)
