"""The n-gram model of bytes gives the probabilities of the formula, which sum to one, whatever the texts."""

import math
from collections import Counter

import numpy as np
import pytest

from samizdat.measures import byte_ngrams
from samizdat.measures.byte_ngrams import BEGINNING, DEFAULT_DISCOUNT, END, ORDER, SYMBOLS, ByteNgrams


def slow_bits(training: list[bytes], texts: list[bytes]) -> float:
    """The bits by the formula, n-gram by n-gram, with dictionaries."""

    def ngrams(texts):
        for text in texts:
            padded = (BEGINNING,) * (ORDER - 1) + tuple(text) + (END,)
            yield from (padded[place - ORDER + 1 : place + 1] for place in range(ORDER - 1, len(padded)))

    counts = [Counter(ngrams(training))]
    for _ in range(ORDER - 1):
        counts.insert(0, Counter(ngram[1:] for ngram in counts[0]))

    def probability(ngram):
        below = probability(ngram[1:]) if len(ngram) > 1 else 1 / SYMBOLS
        order = counts[len(ngram) - 1]
        once, twice = (list(order.values()).count(number) for number in (1, 2))
        discount = once / (once + 2 * twice) if once and twice else DEFAULT_DISCOUNT
        after = [number for other, number in order.items() if other[:-1] == ngram[:-1]]
        if not after:
            return below
        own = max(order[ngram] - discount, 0) if ngram in order else 0
        return (own + discount * len(after) * below) / sum(after)

    assert math.isclose(sum(probability((BEGINNING,) * (ORDER - 1) + (symbol,)) for symbol in range(SYMBOLS)), 1)
    return -sum(math.log2(probability(ngram)) for ngram in ngrams(texts))


def test_the_value_by_hand_of_an_empty_text():
    # Each of the six orders has seen one end, and gives it 0.25 and what the order below gives it.
    assert ByteNgrams([b""]).bits([b""]) == pytest.approx(-math.log2(1 - 0.75**ORDER * 256 / 257))


@pytest.mark.parametrize("texts", [["a rose is a rose", "", "a rose", "arise"], ["žluť", "žába", "你好", "你们好"]])
def test_bits_are_those_of_the_formula(texts, monkeypatch):
    training = [text.encode() for text in texts]
    new = [b"a rose arises", b"", "žlutá 你".encode(), bytes(range(256))]
    expected = slow_bits(training, new)
    assert ByteNgrams(training).bits(new) == pytest.approx(expected)
    monkeypatch.setattr(byte_ngrams, "CHUNK", 5)
    assert ByteNgrams(training).bits(new) == pytest.approx(expected)


def test_more_texts_of_a_kind_help_and_random_bytes_can_not_be_predicted():
    random = np.random.default_rng(1)
    noise = [random.bytes(1000) for _ in range(20)]
    assert ByteNgrams(noise[:-1]).bits(noise[-1:]) / 1000 == pytest.approx(8, abs=0.3)
    words = ["the", "cat", "saw", "a", "dog", "near", "our", "house"]
    texts = [" ".join(random.choice(words, 9)).encode() for _ in range(400)]
    few, many = (ByteNgrams(texts[:number]).bits(texts[350:]) for number in (10, 350))
    assert many < few
