"""Which texts are learned from and which select: no rare label and no document switches the selection off unsaid."""

import pandas as pd
import pytest

from samizdat.base.seeds import derive_seed
from samizdat.classifiers.drawn_examples import FEWEST_TEXTS, DrawnExamples, draw_examples

SEED = 1
SHARE = 0.2


def corpus_of(labels: list[str | None], documents: list[str] | None = None) -> pd.DataFrame:
    ids = [f"{number:016d}" for number in range(len(labels))]
    return pd.DataFrame({"id": ids, "text": ids, "document": documents or ids, "split": "train", "label_mood": labels})


def draw(corpus: pd.DataFrame, most_texts: int = 1000, share: float = SHARE) -> DrawnExamples:
    return draw_examples(corpus, "mood", most_texts, share, SEED)


def counts(drawn: DrawnExamples, *, selects: bool) -> dict[str, int]:
    texts = drawn.texts[drawn.texts["selects"] == selects]
    return texts["label"].map(drawn.labels.__getitem__).value_counts().to_dict()


def a_document(*, selects: bool) -> str:
    """Find the name of a document that the seed selects on, or doesn't."""
    names = (f"document {number}" for number in range(1000))
    return next(name for name in names if (derive_seed(SEED, "select", name) < SHARE * 2**63) == selects)


def test_one_mistyped_label_is_not_learned_and_selects_as_before():
    labels = ["bad", "good"] * 100
    clean = draw(corpus_of(labels), most_texts=150)
    assert (clean.unlearned, clean.unselected, list(clean.shortages(True))) == ({}, {}, [])
    drawn_places = set(clean.texts["id"].astype(int))
    selected = clean.texts.set_index("id")["selects"]
    for place in range(len(labels)):  # it is drawn or not, and selected on or not
        drawn = draw(corpus_of([*labels[:place], "Good", *labels[place + 1 :]]), most_texts=150)
        assert drawn.labels == ["bad", "good"] and drawn.unlearned == {"Good": int(place in drawn_places)}
        assert drawn.unselected == {}
        left = selected.drop(f"{place:016d}", errors="ignore")
        assert drawn.texts.set_index("id")["selects"].equals(left)
        (said,) = drawn.shortages(True)
        assert said == f"not learned, with fewer than 5 of the drawn texts: 'Good' ({int(place in drawn_places)})"


def test_a_label_is_learned_from_five_texts_on():
    for texts in (FEWEST_TEXTS - 1, FEWEST_TEXTS):
        drawn = draw(corpus_of(["bad", "good"] * 100 + ["rare"] * texts))
        assert ("rare" in drawn.labels, "rare" in drawn.unlearned) == (texts == FEWEST_TEXTS, texts < FEWEST_TEXTS)


@pytest.mark.parametrize("selects", [True, False])
def test_a_label_whose_texts_are_one_document_is_trained_on_and_named(selects):
    common = ["bad", "good"] * 100
    documents = [f"{number}" for number in range(len(common))] + [a_document(selects=selects)] * 8
    drawn = draw(corpus_of([*common, *["rare"] * 8], documents))
    assert drawn.unlearned == {} and drawn.unselected == {"rare": 8}
    assert counts(drawn, selects=False)["rare"] == 8
    assert set(counts(drawn, selects=True)) == {"bad", "good"} and drawn.selection_texts > 20
    assert list(drawn.shortages(True)) == ["learned, but with no text to select the best weights on: 'rare' (8)"]


def test_a_label_with_too_few_texts_to_train_on_gets_its_documents_back():
    common = ["bad", "good"] * 100
    # Two texts are trained on and seven selected on.
    documents = (
        [str(number) for number in range(200)] + [a_document(selects=False)] * 2 + [a_document(selects=True)] * 7
    )
    drawn = draw(corpus_of([*common, *["rare"] * 9], documents))
    assert counts(drawn, selects=False)["rare"] == 9 and drawn.unselected == {"rare": 9}


@pytest.mark.parametrize("selects", [True, False])
def test_without_texts_of_two_labels_to_select_on_all_are_trained_on_and_it_is_said(selects):
    one_document = draw(corpus_of(["bad", "good"] * 20, [a_document(selects=selects)] * 40))
    # All texts of “bad” are in a document that is trained on: on “good” alone nothing can be selected.
    apart = [a_document(selects=False) if number % 2 == 0 else f"{number}" for number in range(200)]
    one_label = draw(corpus_of(["bad", "good"] * 100, apart))
    for drawn, texts in ((one_document, 40), (one_label, 200)):
        assert drawn.selection_texts == 0 and len(drawn.texts) == texts and drawn.unselected == {}
        assert list(drawn.shortages(True)) == [
            "fewer than 20 texts of two labels would be left to select on: all are learned from, and the last weights "
            "are published"
        ]
    few = draw(corpus_of(["bad", "good"] * 8), share=0.5)
    assert few.selection_texts == 0 and len(few.texts) == 16 and len(list(few.shortages(True))) == 1
    # Who wants no selection is told nothing.
    assert list(draw(corpus_of(["bad", "good"] * 20), share=0.0).shortages(False)) == []


def test_many_rare_labels_are_counted_and_some_named():
    labels = ["bad", "good"] * 100 + [f"typo {number}" for number in range(9)]
    (said,) = draw(corpus_of(labels)).shortages(True)
    assert said.endswith("'typo 0' (1), 'typo 1' (1), 'typo 2' (1), 'typo 3' (1), 'typo 4' (1) and 4 more")
    hostile = draw(corpus_of(["bad", "good"] * 20 + ["\x1b[31m"]))
    assert "\x1b" not in next(hostile.shortages(True))
