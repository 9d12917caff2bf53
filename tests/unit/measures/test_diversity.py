"""Distinct n-grams, self-BLEU and loops of texts whose values are known."""

import numpy as np
import pytest

from samizdat.measures.diversity import distinct, loops, self_bleu
from samizdat.measures.words import split_words


def test_distinct_counts_in_blocks_and_not_across_texts():
    loop = [["a", "b"] * 100]
    assert distinct(loop, 1).tolist() == [[2, 200]] and distinct(loop, 2).tolist() == [[2, 199]]
    different = [[f"w{number}" for number in range(start, start + 150)] for start in (0, 150, 300)]
    # 450 words: two blocks of 200, the second and the first text's ends in pieces; 50 words are left out.
    assert distinct(different, 1).tolist() == [[200, 200], [200, 200]]
    assert distinct(different, 3).tolist() == [[196, 196], [196, 196]]
    assert distinct([["a"] * 199], 1).shape == (0, 2)


def test_self_bleu_of_copies_is_one_and_of_strangers_near_nothing():
    random = np.random.default_rng(1)
    words = ["the", "old", "letters", "of", "the", "small", "poet"]
    assert self_bleu([words] * 60, random) == pytest.approx(np.ones(60))
    strangers = [[f"{word}{number}" for word in words] for number in range(60)]
    # All four precisions are 0.1 over the number of n-grams.
    alone = np.exp(np.mean(np.log(0.1 / np.array([7, 6, 5, 4]))))
    assert self_bleu(strangers, random) == pytest.approx(np.full(60, alone))
    assert np.isnan(self_bleu([words] * 50, random)).all()
    assert np.isnan(self_bleu([*[words] * 60, ["too", "short"]], random)).tolist() == [False] * 60 + [True]
    # The other texts have half of each text: unigrams 4/6, bigrams 3/5, trigrams 2/4, four-grams 1/3.
    halves = [["w", "x", "y", "z", f"a{number}", f"b{number}"] for number in range(60)]
    expected = np.exp(np.mean(np.log([4 / 6, 3 / 5, 2 / 4, 1 / 3])))
    assert self_bleu(halves, random) == pytest.approx(np.full(60, expected))


@pytest.mark.parametrize(
    ("text", "is_loop"),
    [
        ("and so it goes and so it goes and so it goes", True),
        ("before the film was bad film was bad film was bad after", True),
        ("no no no no no no", True),
        ("no no no", False),
        ("and so it goes and so it goes and so it went", False),
        ("a b c d e f g h i j k l", False),
        ("", False),
    ],
)
def test_loops_are_phrases_three_times_in_a_row(text, is_loop):
    assert loops(split_words(text)) is is_loop
