"""What an import writes down in English is said in the report's language."""

import io
import json

import pandas as pd
import pytest

from samizdat.base.language import say_again, speaking

ROWS = "text,mood\n" + "".join(f"text number {number},good\n" for number in range(9))
CELLS = [7, True, ["a"], {"a": 1}, None, "x", "one text", "one text"]


@pytest.fixture
def summary(corpus):
    sheets = io.BytesIO()
    with pd.ExcelWriter(sheets) as book:
        pd.DataFrame({"text": ["of a sheet"], "mood": ["good"]}).to_excel(book, sheet_name="Sheet", index=False)
        pd.DataFrame({"other": ["x"]}).to_excel(book, sheet_name="Notes", index=False)
    files = {
        "a.csv": ROWS,
        "b.csv": "text\nwithout a mood\n",
        "c.csv": "text;mood\none and a half;good\n",
        "d.csv": "sep=|\ntext|mood\nsaid first|good\n",
        "e.tsv": 'text\tmood\n"So" it goes\tgood\n',
        "f.txt": "\N{REPLACEMENT CHARACTER} was a letter",
        "g.txt": "with its mark".encode("utf-16"),
        "h.txt": "without its mark".encode("utf-16-le"),
        "i.txt": ("Вчера вечером шёл дождь, и дети сидели дома и читали книги. " * 3).encode("koi8-r"),
        "j.txt": "<html>a page</html>",
        "k.json": json.dumps({"items": [{"text": cell} for cell in CELLS]}),
        "l.xlsx": sheets.getvalue(),
        "m.pdf": "%PDF",
        "README.md": "about the folder",
        "without": "a suffix",
    }
    return corpus(files, label_columns=("mood",), max_texts=15)[1]


@pytest.mark.parametrize("language", ["cs", "de", "sk"])
def test_every_sentence_of_the_summary_is_said_in_the_language(summary, language):
    assert len(summary.found) >= 10 and len(summary.unread) >= 3 and len(summary.dropped) >= 5
    for said in (*summary.found, *summary.unread, *summary.dropped):
        with speaking(language):
            assert say_again(said) != said
        assert say_again(said) == said, "the file is English, and so is an English report"


def test_values_stay_and_what_is_no_sentence_stays():
    with speaking("de"):
        assert say_again("separated by 'texts'") == "Trennzeichen 'texts'"
        assert say_again("the sheets 'a'; not 'b'") == "die Tabellenblätter 'a'; nicht 'b'"
        assert say_again("of an earlier version") == "of an earlier version"
        assert say_again("texts", "{names} and {more} more") == "texts"
