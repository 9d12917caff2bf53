"""What a classifier says of texts: numbers, by the place of a text in its table."""

import numpy as np
import pytest

from samizdat.base.errors import UserError
from samizdat.records import io
from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table, write_table
from samizdat.statistics.judged_texts import judged_texts
from samizdat.statistics.text_table import text_table
from support.other_kinds import card_of

LABELS = ["worse", "good", "bad"]


@pytest.fixture
def scored(study):
    """Texts in four documents, with scores that are equal for many of them; some got no label, some were trained on."""
    random = np.random.default_rng(2)
    study.card["labels"] = LABELS
    for number in range(60):
        study.text(
            [None, *LABELS][random.integers(4)], human=LABELS[number % 3], document=f"d{number % 4}",
            seen=number % 7 == 0, confidence=[0.5, 0.8][random.integers(2)],
        )  # fmt: skip
    study.sample("good")
    return study


def test_statistics_are_the_same_in_small_batches(scored, monkeypatch):
    whole = scored.compute()
    monkeypatch.setattr(io, "BATCH_ROWS", 7)
    parts = scored.compute()
    assert len(whole["examples"]) == 8
    for name, table in whole.items():
        assert table.equals(parts[name]), name


def test_a_text_is_found_by_its_place(scored):
    scored.compute()
    corpus = text_table(scored.folder / "texts.parquet")
    card = card_of(kind="single_label", labels=LABELS)
    found = judged_texts(corpus, [row["id"] for row in scored.texts], scored.folder / "scores/mood/texts.parquet", card)
    expected = [row["predicted"] for row in scored.texts if row["predicted"] and not row["seen"]]
    assert found.texts["predicted"].tolist() == expected and found.every == 60
    assert found.answered == sum(row["predicted"] is not None for row in scored.texts)
    keys = [row["id"] for row in scored.texts]
    assert [keys[place] for place in found.texts.index] == [
        row["id"] for row in scored.texts if row["predicted"] and not row["seen"]
    ]
    assert len(found.clearest) <= 4 * 5


def test_scores_of_other_texts_are_refused(scored):
    scored.compute()
    corpus = text_table(scored.folder / "texts.parquet")
    path, card = scored.folder / "scores/mood/texts.parquet", card_of(kind="single_label", labels=LABELS)
    scores, ids = read_table(path, SCORES), [row["id"] for row in scored.texts]
    for wrong in (scores[::-1], scores[:-1]):
        write_table(wrong, SCORES, path)
        with pytest.raises(UserError, match="has the scores of other texts"):
            judged_texts(corpus, ids, path, card)
    write_table(scores, SCORES, path)
    for frame, some in ((corpus[:-1], ids), (corpus[:-1], ids[:-1])):
        with pytest.raises(UserError, match="has the scores of other texts"):
            judged_texts(frame, some, path, card)
