"""The longest copied run of letters is found where it is, and known words are counted."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samizdat.measures.copies import Copies, Match, known_words
from samizdat.measures.words import letters, split_words


def test_a_copied_passage_is_found_where_it_is():
    training = ["nothing of it", "Ein schöner Tag, sagte der Bär 🐻 zu ihr.", "sagte der Bär"]
    copies = Copies(training)
    assert copies.longest("und dann sagte der Bär 🐻 zu mir") == Match(20, 8, 28, 1, 16, 36)
    assert copies.longest("xx sagte der Bär yy") == Match(15, 2, 17, 1, 16, 31)
    assert copies.longest("sagte der Bär") == Match(13, 0, 13, 1, 17, 30)
    assert copies.longest("0123") is None and copies.longest("") is None
    assert Copies([]).longest("a") is None
    # No run reaches from one training text into the next.
    assert copies.longest("of itEin").letters == len("of it")


def passages(training, text):
    """The longest run, as the text has it and as the training text has it."""
    found = Copies(training).longest(text)
    assert found is not None
    return text[found.start : found.end], training[found.training_text][found.training_start : found.training_end]


@pytest.mark.parametrize(
    ("training", "text", "here", "there"),
    [
        # White space in a row is one blank, of whatever kind.
        ("in the old\n\n  house, he said", "In the old house!", "n the old house", "n the old\n\n  house"),
        ("a\u00a0b\tc", "xa  b\nc", "a  b\nc", "a\u00a0b\tc"),
        # A letter is found with all its marks or not at all, however it is encoded.
        ("न्दी भाषा", "हिन्दी भाषा", "न्दी भाषा", "न्दी भाषा"),
        ("केवल", "किवल", "वल", "वल"),
        ("มีน้ำใจ", "มาน้ำใจ", "น้ำใจ", "น้ำใจ"),
        ("bete\u0301s", "bet\u00e9s", "bet\u00e9s", "bete\u0301s"),
        ("xbete", "ybete\u0301", "bet", "bet"),
        ("the 👩‍👩‍👧 here", "a 👩‍👩‍👦 here", " here", " here"),
    ],
)
def test_a_run_has_whole_letters_and_any_white_space(training, text, here, there):
    assert passages([training], text) == (here, there)


texts = st.lists(st.text(alphabet="ab é\u0301🐻\n", max_size=12), min_size=1, max_size=5)


def folded(text):
    return [" " if piece.isspace() else unicodedata.normalize("NFC", piece) for piece in letters(text)]


@settings(max_examples=150)
@given(training=texts, text=st.text(alphabet="ab é\u0301🐻\n", max_size=12))
def test_the_longest_copy_is_the_longest(training, text):
    def runs_of(pieces):
        return {tuple(pieces[start:end]) for start in range(len(pieces)) for end in range(start + 1, len(pieces) + 1)}

    mine, theirs = folded(text), [runs_of(folded(one)) for one in training]
    longest = max((len(run) for run in runs_of(mine) if any(run in one for one in theirs)), default=0)
    found = Copies(training).longest(text)
    assert (found.letters if found else 0) == longest
    if found:
        here, there = passages(training, text)
        assert folded(here) == folded(there) and len(folded(here)) == longest
        starts = [start for start in range(len(mine) - longest + 1)
                  if any(tuple(mine[start : start + longest]) in one for one in theirs)]  # fmt: skip
        assert found.start == sum(map(len, letters(text)[: starts[0]]))


def test_known_words_and_runs_are_counted():
    training = ["The old letters came late.", "a poem of rain"]
    words, runs = known_words([split_words("the OLD letters came early"), ["rain"], []], training)
    assert words.tolist() == [[4, 5], [1, 1], [0, 0]]
    assert runs.tolist() == [[1, 2], [0, 0], [0, 0]]
