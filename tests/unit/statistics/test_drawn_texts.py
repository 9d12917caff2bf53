"""Of a large corpus as many texts are drawn as are needed, each as probably as the others."""

import numpy as np

from samizdat.statistics.drawn_texts import drawn_texts
from support.small_corpus import write_texts

TEXTS = [f"{number:04d} " + "word " * 4 for number in range(300)]


def drawn(path, seed=1, split=None, **most):
    return drawn_texts(path, np.random.default_rng(seed), split, **most)


def test_a_usual_corpus_is_read_whole(tmp_path):
    path = write_texts(TEXTS, tmp_path / "texts.parquet", held_out=30)
    assert drawn(path)["text"].tolist() == TEXTS
    assert drawn(path, split="test")["text"].tolist() == TEXTS[-30:]
    assert drawn(path, split="validation").empty
    assert [*drawn(path).columns] == ["id", "document", "group", "text"]


def test_of_a_large_one_so_many_texts_are_drawn_in_their_order(tmp_path):
    path = write_texts(TEXTS, tmp_path / "texts.parquet", held_out=30)
    most = 25 * 100
    times = dict.fromkeys(TEXTS, 0)
    for seed in range(60):
        texts = drawn(path, seed, characters=most)["text"].tolist()
        assert len(texts) == 100 and texts == sorted(texts)
        for text in texts:
            times[text] += 1
    assert min(times.values()) >= 5 and max(times.values()) <= 36  # 20 on average
    assert len(drawn(path, split="test", characters=most)) == 30
    assert set(drawn(path, split="train", characters=most)["text"]) < set(TEXTS[:-30])
    assert drawn(path, 3, characters=most).equals(drawn(path, 3, characters=most))
    assert len(drawn(path, characters=3)) == 1
