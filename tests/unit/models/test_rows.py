"""Rows of tokens: each token once an epoch, next to its neighbours, and every held-out token once."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.models.head_loss import NO_TARGET
from samizdat.models.rows import TrainingRows, evaluation_batches, read_tokens, text_begins

BOUNDARY = 0
# Texts of tokens from 1 to 50, never the boundary.
texts = st.lists(st.lists(st.integers(1, 50), max_size=12), min_size=1, max_size=30)


def flat(texts: list[list[int]]) -> np.ndarray:
    return np.array([token for text in texts for token in (BOUNDARY, *text)], np.uint16)


@given(st.integers(1, 300), st.integers(1, 20), st.integers(0, 3))
def test_an_epochs_rows_are_runs_of_the_ring_of_texts_and_no_token_is_a_target_twice(length, context, epoch):
    tokens = np.arange(length, dtype=np.uint16)  # each token tells its place
    rows = TrainingRows(tokens, context_tokens=context, seed=7)
    assert rows.rows_per_epoch == length // context
    if not rows.rows_per_epoch:
        return
    batch = rows.batch(epoch * rows.rows_per_epoch, rows.rows_per_epoch)
    assert batch.shape == (rows.rows_per_epoch, context + 1) and batch.dtype == np.int64
    assert (batch[:, 1:] == (batch[:, :-1] + 1) % length).all()
    targets = batch[:, 1:].flatten()
    assert len(set(targets.tolist())) == len(targets)


def test_every_epoch_has_an_order_of_its_own_and_any_row_can_be_asked_for_first():
    tokens = flat([[number] * 3 for number in range(1, 41)])
    rows = TrainingRows(tokens, context_tokens=8, seed=7)
    first, second = rows.batch(0, 20), rows.batch(20, 20)
    assert not (first == second).all()
    again = TrainingRows(tokens, context_tokens=8, seed=7)
    assert (again.batch(25, 10) == rows.batch(25, 10)).all()
    assert (again.batch(0, 20) == first).all()
    other = TrainingRows(tokens, context_tokens=8, seed=8)
    assert not (other.batch(0, 20) == first).all()


def test_rows_are_cut_at_these_places():
    rows = TrainingRows(np.arange(14, dtype=np.uint16), context_tokens=4, seed=7)
    assert rows.batch(0, 3).tolist() == [[2, 3, 4, 5, 6], [10, 11, 12, 13, 0], [6, 7, 8, 9, 10]]
    assert rows.batch(3, 3).tolist() == [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8], [8, 9, 10, 11, 12]]


@given(texts)
def test_texts_begin_at_their_boundary_tokens(texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("samizdat.models.rows.BLOCK_TOKENS", 3)
        assert text_begins(flat(texts), BOUNDARY).tolist() == np.flatnonzero(flat(texts) == BOUNDARY).tolist()


def test_tokens_that_are_mapped_into_memory_are_not_copied(tmp_path):
    path = tmp_path / "train.bin"
    np.zeros(1_000_000, "<u2").tofile(path)
    tracemalloc.start()
    tokens = read_tokens(path, "uint16")
    TrainingRows(tokens, context_tokens=1000, seed=7).batch(0, 4)
    assert sum(rows.size for rows in evaluation_batches(tokens, boundary=1, context_tokens=999, rows=8)) >= 1_000_000
    assert len(text_begins(tokens, 1)) == 0
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 500_000


@given(texts, st.integers(1, 20), st.integers(1, 4))
def test_every_held_out_token_is_a_target_once_and_knows_what_came_before(texts, context, rows):
    tokens = flat(texts)
    cut = np.concatenate([*evaluation_batches(tokens, boundary=BOUNDARY, context_tokens=context, rows=rows)])
    assert len(cut) % rows == 0
    targets, inputs = cut[:, 1:].flatten(), cut[:, :-1].flatten()
    wanted = targets != NO_TARGET
    stream = np.append(tokens, BOUNDARY)
    assert (targets[wanted] == stream[1:]).all() and (inputs[wanted] == stream[:-1]).all()
