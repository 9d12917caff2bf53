"""Texts that are not of the kind that a classifier was made for, and the languages of texts."""

import pandas as pd

from samizdat.records.corpus import TEXT_LANGUAGES
from samizdat.records.io import read_table
from samizdat.statistics import detect_languages as stage
from samizdat.statistics.detect_languages import detect_languages
from samizdat.statistics.spoken import LANGUAGE_PROBABILITY, identifier
from support.other_process import spoken_elsewhere
from support.small_corpus import write_texts


def test_texts_outside_of_what_a_classifier_was_made_for_are_counted(study):
    study.card |= {"languages": ("en",), "min_words": 4, "max_words": 12}
    study.text("good", text="This is an ordinary English sentence about the weather.")
    study.text("good", text="Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter.")
    study.text("good", text="short")
    study.text(None, text="The rain in the old houses goes on and on and on and on and on until winter.")
    found = study.compute()
    rows = found["fitness"].set_index("check")
    assert rows["texts"].to_dict() == {
        "no_label": 1, "several_windows": 0, "other_language": 1, "too_short": 1, "too_long": 1,
    }  # fmt: skip
    assert rows.loc["other_language", "of"] == 3  # what is too short has no language that can be told
    assert found["languages"].set_index("language")["texts"].to_dict() == {"de": 1, "en": 2}


def test_lengths_are_in_words_in_every_script(study):
    study.card |= {"min_words": 4, "max_words": 5}
    for text in ("我喜欢读书和写作。", "ฉันรักภาษาไทย", "हिन्दी एक भाषा है।", "one two three four – ! ?"):
        study.text("good", text=text)
    for text in ("हिन्दी भाषा", "one – ! ? two"):
        study.text("good", text=text)
    study.text("good", text="a well-known state-of-the-art film")
    rows = study.compute()["fitness"].set_index("check")
    assert rows.loc["too_short", "texts"] == 2 and rows.loc["too_long", "texts"] == 1


def test_variants_of_a_language_add_up(study):
    """Of such a text the detector is sure of the language, and of none of the variants that it lists."""
    study.card |= {"languages": ("nb-NO", "zh-TW")}
    norwegian = "Eg er glad i norske bøker og les dei ofte"
    ranked = dict(identifier().rank(norwegian))
    assert max(ranked["no"], ranked["nn"]) < LANGUAGE_PROBABILITY <= ranked["no"] + ranked["nn"]
    for text in (norwegian, "我喜欢读书和写作，今天天气很好，我们去公园吧。", "This is English, as one can see."):
        study.text("good", text=text)
    found = study.compute()
    assert found["languages"].set_index("language")["texts"].to_dict() == {"en": 1, "no": 1, "zh": 1}
    assert found["fitness"].set_index("check").loc["other_language", ["texts", "of"]].tolist() == [1, 3]


def test_of_a_large_corpus_so_many_texts_are_read_and_counted(study, monkeypatch):
    monkeypatch.setattr(stage, "READ_TEXTS", 6)
    study.card |= {"languages": ("en",)}
    for number in range(10):
        study.text("good", text=f"This is an ordinary English sentence about the weather of day {number}.")
    found = study.compute()
    assert found["languages"]["texts"].tolist() == [6]
    assert found["fitness"].set_index("check").loc["other_language", "of"] == 6


SPOKEN = {
    "This is an ordinary English sentence about the weather.": "en",
    "Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter.": "de",
    "Včera večer přišel pozdě domů a nikdo nevěděl proč.": "cs",
    "short": None,
}


def detected(folder, texts, threads=1):
    """Detect the languages of texts; return the stage's line, and what it found in their order."""
    corpus = write_texts(texts, folder / "texts.parquet")
    said = detect_languages(corpus, folder / "languages.parquet", folder / "work", threads, seed=1)
    found = read_table(folder / "languages.parquet", TEXT_LANGUAGES)["language"]
    return said, [None if pd.isna(code) else code for code in found]


def test_a_language_is_detected_once_and_kept(tmp_path, monkeypatch):
    texts = [*SPOKEN]
    assert detected(tmp_path, texts[:3]) == ("3 texts, 3 of them new", [*SPOKEN.values()][:3])
    read = []
    monkeypatch.setattr(stage, "language", lambda text: read.append(text))
    assert detected(tmp_path, texts) == ("4 texts, 1 of them new", [*SPOKEN.values()])
    assert read == texts[3:]
    (kept,) = (tmp_path / "work").glob("*.parquet")
    kept.write_bytes(b"damaged")
    monkeypatch.undo()
    assert detected(tmp_path, texts) == ("4 texts, 4 of them new", [*SPOKEN.values()])


def test_several_processes_find_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "CHARACTERS_OF_ONE_PROCESS", 100)
    monkeypatch.setattr(stage, "TEXTS_AT_ONCE", 1)
    monkeypatch.setattr(stage, "language", spoken_elsewhere)
    assert detected(tmp_path, [*SPOKEN], threads=2) == ("4 texts, 4 of them new", [*SPOKEN.values()])
