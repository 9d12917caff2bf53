"""All files together: columns that some lack, groups by folder, separators, and what is told of it."""

import pytest

ROWS = "text,mood\none,good\ntwo,bad\n"


def test_a_column_that_some_files_lack_is_told_and_one_that_all_lack_is_refused(corpus, capsys):
    files = {"a.csv": ROWS, "b.csv": "text\nthree\n", "c.jsonl": '{"text": "four"}', "d.txt": "five"}
    table, summary = corpus(files, label_columns=("mood",))
    assert table["label_mood"].fillna("none").tolist() == ["good", "bad", "none", "none", "none"]
    words = "no column 'mood' (corpus.label_columns), so its texts have none"
    assert summary.found == {words: "data/b.csv, data/c.jsonl"}
    assert f"! data/b.csv, data/c.jsonl: {words}" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["group_column", "document_column", "label_columns"])
def test_a_column_of_no_file_is_refused(refusal, key):
    column = ("Mood",) if key == "label_columns" else "Mood"
    message = refusal({"a.csv": ROWS, "b.jsonl": '{"text": "three"}'}, **{key: column})
    assert f"data/a.csv has no column 'Mood' (corpus.{key}); it has: 'text', 'mood'" in message


def test_columns_need_a_table(refusal):
    message = refusal({"a.txt": "one", "b.txt": "two"}, label_columns=("mood",))
    assert "corpus.label_columns is 'mood', but no file of corpus.paths is a table" in message


def test_what_is_not_read_is_told_and_in_the_summary(corpus, capsys):
    _, summary = corpus({"a.csv": ROWS, "b.pdf": "%PDF", "sub/c.docx": "x", "d.txt": "three"})
    assert summary.unread == {
        "no kind of file that is read (.docx)": "data/sub/c.docx",
        "no kind of file that is read (.pdf)": "data/b.pdf",
    }
    assert "! not read: data/b.pdf (no kind of file that is read (.pdf))" in capsys.readouterr().err


def test_texts_can_be_grouped_by_folder(corpus):
    files = {"old/a.txt": "one", "new/deep/b.csv": ROWS.replace("one", "three"), "c.txt": "four"}
    table, summary = corpus(files, group="folder")
    assert dict(zip(table["text"], table["group"], strict=True)) == {
        "three": "new", "two": "new", "one": "old", "four": "data"
    }  # fmt: skip
    assert summary.groups == {"data": 1, "new": 2, "old": 1}


def test_blocks_can_be_between_lines_that_separate(corpus):
    content = "\nfirst\n\nstill first\n%\n%\n  second\n % \nthird\n%"
    table, _ = corpus({"a.txt": content, "b.md": "x1\n%\nx2"}, txt_unit="block", separator="%")
    assert table["text"].tolist() == ["first\n\nstill first", "second", "third", "x1", "x2"]


def test_places_of_blocks_count_lines(corpus):
    content = "one\n%\n\n\nx\n%\nthree\n%\nfour"
    dropped = corpus({"a.txt": content}, txt_unit="block", separator="%", min_characters=2)[1].dropped_examples
    assert list(dropped.values()) == [["a.txt:5"]]


def test_a_separator_that_a_file_lacks_is_refused(refusal):
    files = {"a.txt": "one\n%\ntwo", "b.txt": "three\n\nfour"}
    message = refusal(files, txt_unit="block", separator="%")
    assert "data/b.txt: no line is '%' (corpus.separator)" in message


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["good", "bad", "NA", "n/a", "good", "bad", "NA"], "has the label 'NA' and 'n/a' in 3 texts"),
        (["good", "bad", "Good", "good", "bad"], "only capital letters tell apart: Good, good;"),
        (["a b", "a\u00a0b", "x"] * 2, r"that look alike and are written with other characters: 'a b', 'a\xa0b';"),
        (["\u00e9", "e\u0301", "x"] * 2, r"other characters: 'e\u0301', '\xe9'"),
        (["x", "x\u200b", "y"] * 2, r"other characters: 'x', 'x\u200b'"),
        (["good", "bad", "odd", "good", "bad"], "odd is a label of one text alone"),
        (
            ["good", "bad", "odd", "even", "good", "bad"],
            "even, odd are labels of one text alone; join them to others, or if a cell has several",
        ),
        (["", "", ""], "'mood' (corpus.label_columns) gives no text that was kept a label"),
        (["good", "bad", "good", "bad", ""], None),
    ],
)
def test_labels_of_which_little_can_be_learned_are_told(corpus, capsys, labels, said):
    rows = "".join(f"text {number},{label}\n" for number, label in enumerate(labels))
    corpus({"a.csv": f"text,mood\n{rows}"}, label_columns=("mood",))
    told = capsys.readouterr().err
    assert said in told if said else "label" not in told


def test_labels_that_raters_make_are_told_by_their_key(corpus, capsys):
    rows = "".join(f"text {number},good,bad\n" for number in range(4))
    corpus({"a.csv": f"text,anna,ben\n{rows}"}, rater_columns={"mood": ["anna", "ben"]})
    assert "the label 'mood' (corpus.rater_columns) gives no text that was kept a label" in capsys.readouterr().err


def test_a_column_of_measurements_is_told(corpus, capsys):
    rows = "".join(f"text {number},{number / 7:.4f}\n" for number in range(60))
    corpus({"a.csv": f"text,score\n{rows}"}, label_columns=("score",))
    assert "'score' (corpus.label_columns) has 60 different labels in 60 texts" in capsys.readouterr().err
    corpus({"a.csv": ROWS + "three,good\n"}, label_columns=("mood",))
    assert "different labels" not in capsys.readouterr().err
