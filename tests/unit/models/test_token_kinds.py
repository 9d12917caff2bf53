"""What tokens cost by their place in a word and by the kind of word."""

import numpy as np
import pandas as pd
import pytest

from samizdat.measures.bootstrap import Bootstrap
from samizdat.models.token_kinds import kinds_of, token_kinds


@pytest.mark.parametrize(
    ("pieces", "kinds"),
    [
        (["Un", "for", "gett", "able", " film", "!"],
         ["beginning capitalised", "inside capitalised", "inside capitalised", "end capitalised", "whole other",
          "between between"]),
        (["In", " 19", "84", ","], ["whole capitalised", "beginning number", "end number", "between between"]),
        (["don", "'t", " ", " go"], ["beginning other", "end other", "between between", "whole other"]),
        (["a b"], ["whole other"]),
        (["语", "言", "模型"], ["beginning other", "end other", "whole other"]),
        (["ال", "لغة"], ["beginning other", "end other"]),
    ],
)  # fmt: skip
def test_a_token_is_where_its_letters_are_in_a_word(pieces, kinds):
    found = kinds_of("".join(pieces), [piece.encode() for piece in pieces])
    assert [" ".join(one) for one in found] == kinds


def test_bytes_of_one_letter_begin_and_end_its_word():
    assert [place for place, _ in kinds_of("я!", [b"\xd1", b"\x8f", b"!"])] == ["beginning", "end", "between"]


def table(documents: int, resamples: int = 300) -> pd.DataFrame:
    """Of texts `Big 5`, in which “Big” costs 6 bits, “ 5” 4 bits, and the end 1 bit."""
    texts = pd.DataFrame({"text": ["Big 5"] * documents, "document": [f"d{n}" for n in range(documents)]})
    nats = [np.array([6.0 + (n % 2), 4.0 - (n % 2), 1.0], np.float32) * np.log(2) for n in range(documents)]
    rows = token_kinds(texts, [[b"Big", b" 5"]] * documents, nats, Bootstrap(0.95, resamples, 1))
    return pd.DataFrame(rows).set_index(["division", "part"])


def test_bits_add_up_and_the_token_that_ends_a_text_has_no_bytes():
    found = table(30)
    assert found.loc[("place", "whole"), ["tokens", "bytes", "documents", "texts"]].tolist() == [60, 150, 30, 30]
    assert found.loc[("place", "whole"), "bits"] == pytest.approx(300)
    assert found.loc[("place", "ending"), ["tokens", "bytes"]].tolist() == [30, 0]
    assert found.loc[("place", "ending"), "bits"] == pytest.approx(30)
    assert found.loc[("kind", "number"), "bits_per_byte"] == pytest.approx(3.5 / 2, rel=1e-5)
    assert found.loc[("kind", "capitalised"), "bits_per_byte"] == pytest.approx(6.5 / 3, rel=1e-5)
    assert found["bits_per_byte"].isna().tolist() == [part == "ending" for _, part in found.index]
    assert set(found.index) == {("place", "whole"), ("place", "ending"), ("kind", "number"), ("kind", "capitalised")}


def test_intervals_are_students_over_documents_and_need_twenty_of_them():
    row = table(30, resamples=4000).loc[("kind", "number")]
    # The mean of 30 numbers of 1.5 and 2: its standard error is 0.25 / √29, and t is 2.045.
    assert row["high"] - row["bits_per_byte"] == pytest.approx(2.045 * 0.25 / np.sqrt(29), rel=0.05)
    assert row["bits_per_byte"] - row["low"] == pytest.approx(row["high"] - row["bits_per_byte"])
    assert table(19)[["low", "high"]].isna().all(axis=None)
