"""The longest copied run is found where it is, and known words are counted."""

from hypothesis import given, settings
from hypothesis import strategies as st

from samizdat.measures.copies import Copies, Match, known_words
from samizdat.measures.words import split_words


def test_a_copied_passage_is_found_where_it_is():
    training = ["nothing of it", "Ein schöner Tag, sagte der Bär 🐻 zu ihr.", "sagte der Bär"]
    copies = Copies(training)
    assert copies.longest("und dann sagte der Bär 🐻 zu mir") == Match(8, len(" sagte der Bär 🐻 zu "), 1, 16)
    assert copies.longest("xx sagte der Bär yy") == Match(2, len(" sagte der Bär "), 1, 16)
    assert copies.longest("sagte der Bär") == Match(0, 13, 1, 17)
    assert copies.longest("0123") is None and copies.longest("") is None
    assert Copies([]).longest("a") is None
    # No run reaches from one training text into the next.
    assert copies.longest("of itEin").characters == len("of it")
    found = copies.longest("schöner")
    assert training[found.training_text][found.offset : found.offset + found.characters] == "schöner"


texts = st.lists(st.text(alphabet="ab é🐻", max_size=12), min_size=1, max_size=5)


@settings(max_examples=150)
@given(training=texts, text=st.text(alphabet="ab é🐻", max_size=12))
def test_the_longest_copy_is_the_longest(training, text):
    runs = {text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    longest = max((len(run) for run in runs if any(run in one for one in training)), default=0)
    found = Copies(training).longest(text)
    assert (found.characters if found else 0) == longest
    if found:
        run = text[found.start : found.start + found.characters]
        assert training[found.training_text].startswith(run, found.offset)
        assert found.start == min(
            start for start in range(len(text)) if any(text[start : start + longest] in one for one in training)
            and len(text) - start >= longest
        )  # fmt: skip


def test_known_words_and_runs_are_counted():
    training = ["The old letters came late.", "a poem of rain"]
    words, runs = known_words([split_words("the OLD letters came early"), ["rain"], []], training)
    assert words.tolist() == [[4, 5], [1, 1], [0, 0]]
    assert runs.tolist() == [[1, 2], [0, 0], [0, 0]]
