"""Terms that tell groups, or samples and texts, apart: what is counted, what is left out, what is corrected."""

import pandas as pd
import pytest

from samizdat.measures.bootstrap import Bootstrap
from samizdat.statistics import terms
from samizdat.statistics.terms import telling_terms

BOOTSTRAP = Bootstrap(0.95, 200, 3)


def corpus_of(*sets: tuple[str | None, list[str]], documents=None) -> pd.DataFrame:
    rows = [(group, text) for group, texts in sets for text in texts]
    frame = pd.DataFrame(rows, columns=["group", "text"])
    return frame.assign(document=range(len(rows)) if documents is None else documents)


def samples_of(texts: list[str], model="m", **columns) -> pd.DataFrame:
    return pd.DataFrame({"model": model, "percent": 100, "prompt_kind": "unprompted", "text": texts} | columns)


NONE = samples_of([])
LETTERS = ["The moon, the Moon!"] * 30 + ["the sun is up"] * 20
POEMS = ["the moon"] * 2 + ["the sun is up"] * 38


def rows_of(corpus, samples=NONE):
    return {(row["set"], row["term"]): row for row in telling_terms(corpus, samples, BOOTSTRAP)}


def test_groups_are_told_apart_by_the_words_that_their_documents_have():
    found = rows_of(corpus_of(("letter", LETTERS), ("poem", POEMS), (None, ["moon"] * 50)))
    row = found["letter", "moon"]
    assert (row["documents"], row["occurrences"], row["words"]) == (30, 60, 200)
    assert (row["others_occurrences"], row["others_words"], row["terms"]) == (2, 156, 5)
    assert row["between"] == "groups" and row["p_value"] == pytest.approx(0.005)
    assert 0 < row["low"] < row["log_odds"] < row["high"]
    other = found["poem", "moon"]
    assert other["log_odds"] == pytest.approx(-row["log_odds"]) and other["documents"] == 2


def test_a_term_of_four_documents_is_not_looked_at_however_often_they_have_it():
    texts = ["the sun"] * 26 + ["Ann Ann Ann"] * 4
    corpus = corpus_of(("letter", texts), ("poem", ["the sun"] * 30))
    assert ("letter", "ann") not in rows_of(corpus)
    # Five texts of one document are one document.
    corpus = corpus_of(("letter", [*texts, *["Ann"] * 5]), ("poem", ["the sun"] * 30))
    assert rows_of(corpus)["letter", "ann"]["documents"] == 9
    together = corpus.assign(document=["one" if "Ann" in text else place for place, text in enumerate(corpus["text"])])
    assert ("letter", "ann") not in rows_of(together)


def test_a_document_of_two_groups_is_one_document_that_has_a_term():
    texts = [*["the sun"] * 30, *["Ann"] * 4]
    corpus = corpus_of(("letter", texts), ("poem", texts), documents=[*range(34), *range(30, 60), *range(30, 34)])
    assert ("letter", "sun") in rows_of(corpus) and ("letter", "ann") not in rows_of(corpus)


def test_a_group_of_few_documents_is_compared_with_nothing_and_is_among_the_others():
    found = rows_of(corpus_of(("letter", LETTERS), ("poem", POEMS), ("note", ["moon"] * 19)))
    assert {name for name, _ in found} == {"letter", "poem"}
    assert found["letter", "moon"]["others_occurrences"] == 21
    assert rows_of(corpus_of(("letter", ["moon"] * 19), ("poem", ["sun"] * 60))) == {}
    assert rows_of(corpus_of(("letter", LETTERS))) == {} and rows_of(corpus_of((None, LETTERS))) == {}


def test_what_was_compared_has_rows_though_no_word_tells_it_apart():
    found = rows_of(corpus_of(("letter", ["the sun", "the moon"] * 20), ("poem", ["the sun", "the moon"] * 20)))
    assert {name for name, _ in found} == {"letter", "poem"} and all(row["p_value"] == 1 for row in found.values())


def test_samples_are_compared_with_the_first_words_of_texts():
    corpus = corpus_of((None, ["the sun is up and the moon moon moon"] * 60))
    row = rows_of(corpus, samples_of(["the moon is up"] * 40))["m", "moon"]
    assert row["between"] == "samples" and (row["occurrences"], row["words"]) == (40, 160)
    assert (row["others_occurrences"], row["others_words"]) == (0, 240)
    assert row["log_odds"] > 0 and row["p_value"] < 0.05
    longer = rows_of(corpus, samples_of(["the moon is up"] * 39 + ["the sun is up and the moon moon"]))
    assert longer["m", "moon"]["others_occurrences"] == 120


def test_only_samples_of_the_published_model_that_began_with_nothing_count():
    begun = samples_of(["the moon"] * 40, prompt_kind="config")
    early = samples_of(["the moon"] * 40, percent=10)
    corpus = corpus_of((None, ["the sun is up"] * 60))
    assert rows_of(corpus, pd.concat([begun, early])) == {}
    assert rows_of(corpus, samples_of(["the moon"] * 19)) == {}


def test_with_two_models_p_is_corrected_for_both():
    corpus = corpus_of((None, ["the sun is up"] * 60))
    one, other = samples_of(["the moon is up"] * 40), samples_of(["the sun is up"] * 40, model="n")
    alone, both = rows_of(corpus, one), rows_of(corpus, pd.concat([one, other]))
    # The smallest p that the permutations can give stays the same: there are twice as many.
    assert alone["m", "moon"]["p_value"] == pytest.approx(0.005) == both["m", "moon"]["p_value"]
    assert both["n", "sun"]["p_value"] == 1


def test_the_clearest_terms_of_each_direction_come_first(monkeypatch):
    monkeypatch.setattr(terms, "REPORTED", 1)
    corpus = corpus_of(("letter", ["moon star is"] * 40 + ["moon"] * 10), ("poem", ["sun is sea"] * 40 + ["sea"] * 10))
    rows = list(telling_terms(corpus, NONE, BOOTSTRAP))
    assert [(row["set"], row["term"]) for row in rows] == [
        ("letter", "moon"), ("letter", "sea"), ("poem", "sea"), ("poem", "moon"),
    ]  # fmt: skip


def test_one_word_alone_tells_nothing():
    assert rows_of(corpus_of(("letter", ["x"] * 30), ("poem", ["x x"] * 30))) == {}


def test_words_of_a_script_without_blanks_are_found():
    corpus = corpus_of(("letter", ["月亮在天上"] * 30), ("poem", ["太阳在天上"] * 30))
    assert rows_of(corpus)["letter", "月亮"]["log_odds"] > 0
