"""Log-odds of terms between sets of documents: values by hand, errors over documents, and one level for all terms."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from samizdat.measures import log_odds
from samizdat.measures.log_odds import compare_terms, draws_for


def compare(counts, words, sets, asked=(1,), confidence=0.95):
    table = sparse.csr_array(np.array(counts, np.int64))
    return compare_terms(
        table, np.array(words), np.array(sets), np.array(asked), confidence, np.random.default_rng(1)
    )  # fmt: skip


def one_word_each(own: int, others: int, size: int = 100, times: int = 1):
    """Two sets of documents of one word, `times` over, of which so many documents are the term."""
    counts = [[times]] * own + [[0]] * (size - own) + [[times]] * others + [[0]] * (size - others)
    return counts, [times] * (2 * size), [1] * size + [0] * size


def test_the_log_odds_ratio_is_that_by_hand_and_with_single_words_its_error_is_the_papers():
    found = compare(*one_word_each(30, 10))
    # A fifth of all words is the term, so the prior is 10 words, of which 2 are the term.
    assert found.log_odds[0, 0] == pytest.approx(np.log(32 / 78) - np.log(12 / 98))
    papers = np.sqrt(1 / 32 + 1 / 78 + 1 / 12 + 1 / 98)
    assert found.log_odds[0, 0] / found.scores[0, 0] == pytest.approx(papers, rel=0.02)
    same = compare(*one_word_each(20, 20))
    assert same.log_odds[0, 0] == pytest.approx(0) and same.p_values[0, 0] == 1


def test_twenty_equal_words_of_a_document_say_no_more_than_one():
    one, twenty = (compare(*one_word_each(300, 100, 1000, times)) for times in (1, 20))
    errors = [found.log_odds / found.scores for found in (one, twenty)]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)


def test_a_set_is_compared_with_all_others_together():
    counts, words, sets = one_word_each(30, 10)
    sets = [1] * 100 + [0] * 50 + [2] * 50
    three = compare(counts, words, sets, asked=(1, 2))
    assert three.log_odds[0, 0] == pytest.approx(np.log(32 / 78) - np.log(12 / 98))
    others = [0 if one == 2 else 1 for one in sets]
    assert three.log_odds[0, 1] == pytest.approx(-compare(counts, words, others).log_odds[0, 0])


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_an_interval_leaves_out_zero_where_p_is_at_most_the_level(confidence):
    random = np.random.default_rng(5)
    sets = np.arange(200) % 2
    counts = random.poisson(np.where(sets[:, None] == 1, np.linspace(1, 3, 40), 1))
    found = compare(counts, counts.sum(axis=1) + 5, sets, (0, 1), confidence)
    outside = (found.low > 0) | (found.high < 0)
    assert np.array_equal(outside, found.p_values <= 1 - confidence + 1e-9) and 5 < outside.sum() < 75
    assert found.p_values.min() == pytest.approx(1 / (draws_for(confidence) + 1))


def test_among_more_terms_the_same_difference_is_less_surprising():
    random = np.random.default_rng(3)
    sets = np.arange(200) % 2
    term = (random.random(200) < np.where(sets == 1, 0.35, 0.15)).astype(int)[:, None]
    noise = random.poisson(0.3, (200, 400))
    words = np.full(200, 200)
    alone = compare(term, words, sets)
    among = compare(np.hstack([term, noise[:, noise.any(axis=0)]]), words, sets)
    assert among.scores[0, 0] == pytest.approx(alone.scores[0, 0])
    assert alone.p_values[0, 0] <= 0.01 and among.p_values[0, 0] > 0.05


def test_thousands_of_sets_that_are_not_asked_for_take_no_memory():
    random = np.random.default_rng(2)
    counts = random.binomial(1, 0.01, (1500, 1000))
    sets = np.concatenate([np.repeat([0, 1], 50), random.integers(2, 1000, 1400)])
    tracemalloc.start()
    many = compare(counts, counts.sum(axis=1) + 5, sets, asked=(0, 1))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    three = compare(counts, counts.sum(axis=1) + 5, np.minimum(sets, 2), asked=(0, 1))
    assert most < 30_000_000
    for name in ("log_odds", "low", "high", "p_values"):
        np.testing.assert_array_equal(getattr(many, name), getattr(three, name))


def test_many_terms_in_many_sets_take_little_more_memory_than_their_answers():
    random = np.random.default_rng(2)
    counts = sparse.random_array((1500, 20_000), density=0.002, rng=random).astype(bool).astype(np.int64).tocsr()
    counts = counts[:, counts.sum(axis=0) > 0]
    words, sets = counts.sum(axis=1) + 5, np.arange(1500) % 75
    tracemalloc.start()
    found = compare_terms(counts, words, sets, np.arange(75), 0.5, random)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.log_odds.shape == (counts.shape[1], 75) and most < 10 * found.log_odds.nbytes


def test_terms_that_are_compared_in_parts_are_corrected_for_all(monkeypatch):
    counts = np.random.default_rng(5).poisson(1.0, (120, 50))
    words, sets = counts.sum(axis=1) + 5, np.arange(120) % 4
    whole = compare(counts, words, sets, asked=(0, 1, 3))
    monkeypatch.setattr(log_odds, "CELLS_AT_ONCE", 30)
    parts = compare(counts, words, sets, asked=(0, 1, 3))
    for name in ("log_odds", "low", "high", "p_values"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
