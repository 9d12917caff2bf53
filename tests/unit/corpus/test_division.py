"""The corpus's own splits: kept as they are, and what is in two of them is counted and told."""

import pytest

ROWS = [
    ("The first text is read by the model", "train", "a"),
    ("Another one with other words in it", "Training", "a"),
    ("A third of which nobody knows anything", " TRAIN", "b"),
    ("What remains for choosing the weights", "dev", "c"),
    ("And what remains for the numbers", "test", "d"),
    ("The last text of all of these texts", "Test", "e"),
]


def csv(*rows: tuple[str, str, str]) -> dict[str, str]:
    return {"t.csv": "\n".join(map(",".join, [("text", "part", "book"), *rows]))}


def test_a_column_of_splits_is_kept_as_it_is_whatever_the_spelling(corpus, capsys):
    table, summary = corpus(csv(*ROWS), split_column="part", test_share=0.4)
    assert table["split"].tolist() == ["train", "train", "train", "validation", "test", "test"]
    assert summary.own_splits == ["train", "validation", "test"]
    assert summary.splits == {"train": 3, "validation": 1, "test": 2}
    assert (summary.held_out_copies, summary.shared_documents, summary.dropped) == (0, 0, {})
    said = capsys.readouterr().err
    assert "own splits are kept: train, validation, test (corpus.split_column)" in said and "two splits" not in said


def test_what_is_in_two_splits_is_counted_and_told(corpus, capsys):
    rows = [
        ("The last text of all of these texts", "train", "x"),  # also in test: kept here, dropped there
        ("AND what remains for the numbers!", "train", "y"),  # nearly one of test, which stays
        ("A text that book b has in test", "test", "b"),
    ]
    for given in ([*ROWS, *rows], [*rows, *ROWS]):
        table, summary = corpus(csv(*given), split_column="part", document_column="book")
        split = dict(zip(table["text"], table["split"], strict=True))
        assert split["The last text of all of these texts"] == "train"
        assert split["And what remains for the numbers"] == "test"
        assert summary.splits == {"train": 5, "validation": 1, "test": 2}
        assert summary.dropped == {"also in an earlier split": 1}
        assert (summary.near_duplicates, summary.held_out_copies, summary.shared_documents) == (2, 1, 1)
        (line,) = [line for line in capsys.readouterr().err.splitlines() if "in two splits" in line]
        for part in ("1 were dropped from a later split", "1 of validation or test are nearly", "1 documents have"):
            assert part in line


@pytest.mark.parametrize(("lacks", "left"), [("validation", {"test": 2}), ("test", {"validation": 1})])
def test_a_split_that_is_lacking_is_divided_off_train(corpus, capsys, lacks, left):
    more = [(f"training text number {number}", "train", f"book {number}") for number in range(40)]
    rows = [row for row in ROWS if row[1].casefold()[:1] in ("t" if lacks == "validation" else "d")]
    rows = [row for row in rows if lacks == "validation" or row[1].casefold() != "test"]
    train = [row for row in ROWS if row[1].strip().casefold().startswith("train")]
    given = [*train, *more, *(row for row in rows if row not in train)]
    table, summary = corpus(csv(*given), split_column="part", document_column="book", **{f"{lacks}_share": 0.25})
    made = table[table["split"] == lacks]
    assert 4 <= len(made) <= 20 and set(made["text"]) <= {text for text, *_ in [*train, *more]}
    assert not set(made["document"]) & set(table.loc[table["split"] == "train", "document"])
    assert summary.own_splits == ["train", *left] and left.items() <= summary.splits.items()
    assert f"lacking, and divided off its train split by share: {lacks}" in capsys.readouterr().err


def test_a_column_that_says_train_alone_leaves_all_to_be_divided(corpus, capsys):
    rows = [(text, "train", book) for text, _, book in ROWS]
    table, summary = corpus(csv(*rows), split_column="part")
    other, _ = corpus(csv(*rows))
    assert table["split"].tolist() == other["split"].tolist() and summary.own_splits == []
    assert "own splits" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "changes", "said"),
    [
        (
            [*ROWS, ("one more", "fold 3", "f")],
            {},
            ["t.csv:8 has 'fold 3', which is called like no split", "validation, "],
        ),
        ([*ROWS, ("one more", "", "f")], {}, ["t.csv:8 has no split in the column 'part'", "corpus.split_column"]),
        (ROWS[3:], {}, ["texts for validation and test, and none to train on"]),
        ([("one", "train", "a"), ("two", "test", "b")], {}, ["own train split is one single document", "train, valid"]),
        (
            [*ROWS[:4], ("x", "test", "f")],
            {},
            ["of the corpus's own test split no text is left"],
        ),
        (ROWS, {"split_column": "fold"}, ["has no column 'fold' (corpus.split_column)"]),
    ],
)
def test_splits_that_cant_be_kept_are_refused(refusal, rows, changes, said):
    message = refusal(csv(*rows), **({"split_column": "part"} | changes))
    for part in said:
        assert part in message


def test_texts_of_no_table_have_no_split(refusal):
    message = refusal(csv(*ROWS) | {"u.txt": "plain text"}, split_column="part")
    assert "data/u.txt is no table, so its texts have no split (corpus.split_column is 'part')" in message


def test_documents_that_are_too_few_for_the_shares_are_told(corpus, capsys):
    files = {f"{name}.txt": "\n".join(f"{one} {name} {one * 3}" for one in range(10, 50)) for name in "abc"}
    shares = {"txt_unit": "line", "validation_share": 0.03, "test_share": 0.07}
    table, _ = corpus(files, **shares)
    assert table["document"].nunique() == 3
    said = capsys.readouterr().err
    assert "the validation split has 33% of the texts, not 3%: there are 3 documents" in said
    assert "the test split has 33% of the texts, not 7%" in said
    corpus(files, txt_document="text", **shares)
    assert "split has" not in capsys.readouterr().err
