"""Closeness of histograms: 1 for equal ones, and less the more they differ."""

import numpy as np
import pytest

from samizdat.measures.closeness import FEWEST_TEXTS, closeness, cluster, embed_characters


def test_closeness_is_one_of_equals_and_falls_to_nothing():
    same = np.array([[300, 200, 500], [300, 200, 500]])
    assert closeness(same) == pytest.approx(1.0, abs=1e-3)
    apart = np.array([[10**6, 0], [0, 10**6]])
    assert closeness(apart) < 0.01
    near, far = np.array([[600, 400], [500, 500]]), np.array([[900, 100], [500, 500]])
    assert closeness(apart) < closeness(far) < closeness(near) < closeness(same)
    assert closeness(np.stack([near, near[::-1]])) == pytest.approx(np.full(2, closeness(near)))


WORDS = {
    "Thai food": "กิน ข้าว ปลา น้ำ อร่อย ร้าน ไก่ ผัก ส้มตำ หวาน เผ็ด ตลาด",
    "Thai weather": "ฝน ตก ฟ้า ร้อน หนาว ลม เมฆ พายุ แดด หมอก อากาศ ฤดู",
}


def made_texts(words, number, seed):
    random = np.random.default_rng(seed)
    return ["".join(random.choice(words, 9)) for _ in range(number)]


def test_runs_of_characters_tell_topics_and_nonsense_from_texts_of_one_kind():
    """As no encoder that can't read the script does: for it, all of these are rows of unknown tokens."""
    food, weather = (words.split() for words in WORDS.values())
    real = made_texts(food, FEWEST_TEXTS, 1)
    others = {
        "same": made_texts(food, FEWEST_TEXTS, 2),
        "other topic": made_texts(weather, FEWEST_TEXTS, 3),
        "random letters": made_texts([*"".join(food)], FEWEST_TEXTS, 4),
    }
    found = {}
    for name, texts in others.items():
        places = cluster(embed_characters([*real, *texts], 1), FEWEST_TEXTS, 1)
        counts = [np.bincount(half, minlength=places.max() + 1) for half in np.split(places, 2)]
        found[name] = closeness(np.stack(counts))
    assert found["same"] > 0.95 and found["other topic"] < 0.1 and found["random letters"] < 0.1
