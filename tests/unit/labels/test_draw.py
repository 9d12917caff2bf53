"""Drawing sheets for raters: blind, the same each time, without formulas; what can't be drawn is said."""

import csv
import re
import shutil
import zipfile

import pandas as pd
import pyarrow as pa
import pytest
from python_calamine import CalamineWorkbook

from samizdat.base.corpus_files import list_files
from samizdat.base.errors import UserError
from samizdat.cli import main
from samizdat.labels.draw import OwnQuestion, draw
from samizdat.labels.read import read
from samizdat.labels.sheets import fingerprint, shown
from samizdat.records.classifiers import SCORES
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_table
from samizdat.records.labels import LabelKey
from samizdat.records.samples import SAMPLES
from support.rater_sheets import HOSTILE, SHEETS, cells_of, drawn, fill
from support.run_fixture import make_run, sentences


def test_sheets_are_blind_mixed_and_the_same_each_time(run):
    said = draw("sentiment", run="mine", raters=["anna", "ben"], rows=60)
    assert re.search(r"45 texts of \d+: a share of 50 % will be known to ±\d+\.\d points; \d+ would give ±5", said)
    key = read_document(LabelKey, run / "key.json")
    assert key.labels == ["negative", "neutral", "positive"] and len(key.rows) == 60
    assert sum(row["subset"] == "samples" for row in key.rows.values()) == 15
    results = run.parents[3] / "results/mine"
    texts = read_table(results / "corpus/texts.parquet", TEXTS).set_index("id")["text"]
    samples = read_table(results / "samples/gpt2-tiny.parquet", SAMPLES).set_index("id")["text"]
    scores = read_table(results / "scores/sentiment/texts.parquet", SCORES).set_index("id")
    sheets = {rater: cells_of(run / f"{rater}.xlsx") for rater in ("anna", "ben")}
    assert [row[0] for row in sheets["anna"]] != [row[0] for row in sheets["ben"]]
    for name, text, label in sheets["anna"]:
        row = key.rows[name]
        source = (texts if row["subset"] == "texts" else samples)[row["id"]]
        assert text.replace("\r\n", "\n") == shown(source) and label == "" and fingerprint(text) == row["shown_sha256"]
        if row["subset"] == "texts":
            assert not scores.loc[row["id"], "seen_in_training"]
            assert row["stratum"] == f"texts: {scores.loc[row['id'], 'label']}"
    unseen = scores[~scores["seen_in_training"]]["label"].value_counts()
    assert {name: key.strata[f"texts: {name}"] for name in unseen.index} == unseen.to_dict()
    subsets = [row["subset"] for row in key.rows.values()]
    assert subsets != sorted(subsets) and subsets != sorted(subsets, reverse=True)
    bytes_before = {path.name: path.read_bytes() for path in run.glob("[a-z]*")}
    run.rename(run.with_name("earlier"))
    draw("sentiment", run="mine", raters=["anna", "ben"], rows=60)
    assert bytes_before == {path.name: path.read_bytes() for path in run.glob("[a-z]*")}


def test_no_text_is_ever_a_formula_and_labels_are_chosen_from_a_list(run):
    drawn(run, rows=10_000)
    with zipfile.ZipFile(run / "anna.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "<f " not in sheet
        assert '<dataValidation type="list"' in sheet and "<formula1>Labels!$A$2:$A$4</formula1>" in sheet
    book = CalamineWorkbook.from_path(str(run / "anna.xlsx"))
    assert [row[0] for row in book.get_sheet_by_name("Labels").to_python()][:4] == [
        "allowed labels", "negative", "neutral", "positive",
    ]  # fmt: skip
    with (run / "anna.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert not [text for text in texts if text.lstrip().startswith(("=", "+", "-", "@"))]
    key = read_document(LabelKey, run / "key.json")
    hostile = {fingerprint(shown(text)) for text in HOSTILE}
    there = hostile & {row["shown_sha256"] for row in key.rows.values()}
    assert len(there) >= 3 and there == hostile & {fingerprint(text) for text in texts}
    fill(run / "anna.csv", dict.fromkeys(key.rows, "neutral"))
    fill(run / "ben.csv", dict.fromkeys(key.rows, "positive"))
    assert f"{len(key.rows)} rows by 2 raters" in read(run, unfinished=False)


def test_who_wrote_it_is_asked_of_one_text_of_each_document(run):
    key = drawn(run.with_name("person.or.model"), rows=80, classifier=None)
    assert key.labels == ["person", "model"] and "person or by a language model" in key.words
    texts = read_table(run.parents[3] / "results/mine/corpus/texts.parquet", TEXTS).set_index("id")
    ids = [row["id"] for row in key.rows.values() if row["subset"] == "texts"]
    assert len(ids) == 40 and set(texts.loc[ids, "split"]) == {"test"}
    assert texts.loc[ids, "document"].is_unique


@pytest.mark.parametrize(
    ("question", "limits", "message"),
    [
        ("size", [5, 1], "from 5 to 1"),
        ("size", [0, float("inf")], "from 0 to inf"),
        ("moods", [0, 1], "asks for labels"),
    ],
)
def test_a_range_is_for_numbers_and_the_right_way_round(run, question, limits, message):
    with pytest.raises(UserError, match=message):
        draw(question, run="mine", raters=["anna", "ben"], rows=60, limits=limits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--classifier", "anger", "--raters", "a", "b"], "no classifier 'anger'"),
        (["--origin", "--raters", "a", "A"], "two raters or more"),
        (["--origin", "--raters", "a", "../b"], "'../b' can't be a rater's name"),
        (["--origin", "--raters", "a", "key"], "'key' can't be a rater's name"),
        (["--classifier", "sentiment", "--raters", "a", "b", "--rows", "7"], "7 rows are too few"),
        (["--origin", "--raters", "a", "b", "--run", "none"], "there is no run results/none"),
    ],
)
def test_what_cannot_be_drawn_is_said(run, options, message, capsys):
    with pytest.raises(SystemExit):
        main(["label", "draw", "--run", "mine", *options])
    assert message in capsys.readouterr().err


def test_sheets_are_not_overwritten_and_are_no_part_of_the_corpus(run, capsys):
    main(["label", "draw", "--run", "mine", "--classifier", "sentiment", "--raters", "anna", "ben"])
    assert f"samizdat label read {SHEETS}" in capsys.readouterr().out
    with pytest.raises(UserError, match="has sheets already"):
        drawn(run)
    (run.parents[2] / "mine.txt").write_text("A text.", encoding="utf-8")
    assert list(list_files(["data/"]).files) == ["data/mine.txt"]
    assert list(list_files([str(run.parents[3] / "data")]).files) == [str(run.parents[3] / "data/mine.txt")]


def test_a_very_long_text_is_cut_as_a_cell_must_be():
    text = "word " * 8000
    assert len(shown(text)) < 32_767 and shown(text).endswith(" […]")
    assert fingerprint("'=1") == fingerprint("=1") and fingerprint("'tis") != fingerprint("tis")
    assert pd.Series([shown("a\x00b")]).tolist() == ["a\ufffdb"]
    smiles = shown("a" + "😀" * 20_000)
    assert len(smiles.encode("utf-16-le")) < 2 * 32_767 and smiles.endswith("😀 […]")


@pytest.mark.parametrize("rows", [7, 15])
def test_too_few_rows_are_answered_with_the_least_number_that_can_be_drawn(run, rows):
    with pytest.raises(UserError, match=f"{rows} rows are too few") as error:
        drawn(run, rows=rows)
    enough = int(error.value.remedy.removeprefix("draw at least two for each of the 6 strata: --rows "))
    with pytest.raises(UserError, match="too few"):
        drawn(run, rows=enough - 1)
    assert len(drawn(run, rows=enough).rows) == enough


def test_no_text_of_a_csv_sheet_is_a_number_or_a_date_for_a_spreadsheet_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = ["10:30", "1/2", "3.50", "007", "1e5", "TRUE", "May 5", "12. May 2020 10:30", "'90s music"]
    make_run(tmp_path / "results/mine", texts=short + sentences(100))
    draw("sentiment", run="mine", raters=["anna", "ben"], rows=10_000)
    with (tmp_path / SHEETS / "anna.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert {text for text in short if text in texts} <= {"'90s music"}
    assert {text[1:] for text in texts if text.startswith("'")} & set(short)
    key = read_document(LabelKey, tmp_path / SHEETS / "key.json")
    assert {row["shown_sha256"] for row in key.rows.values()} == {fingerprint(text) for text in texts}


@pytest.mark.parametrize("asked", ["sentiment", None, OwnQuestion("sense", "Sense?", ["yes", "no"])])
def test_only_the_drawn_texts_are_in_memory(run, asked, monkeypatch):
    results = run.parents[3] / "results"
    made = results.resolve()
    results.unlink()
    shutil.copytree(made, results)
    corpus = results / "mine/corpus/texts.parquet"
    texts = read_table(corpus, TEXTS)
    texts["text"] = [f"{name} {'word ' * 20_000}" for name in texts["id"]]
    monkeypatch.setattr("samizdat.records.io.BATCH_ROWS", 20)
    write_table(texts, TEXTS, corpus)
    usual, counting = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(counting)
    try:
        draw(asked, run="mine", raters=["anna", "ben"], rows=30)
    finally:
        pa.set_memory_pool(usual)
    assert counting.max_memory() < texts["text"].str.len().sum() / 3


@pytest.mark.parametrize("name", ["{results}/mine", "../results/mine", "mine/"])
def test_sheets_of_a_run_that_is_named_by_its_path_are_beside_those_of_others(run, name):
    draw("sentiment", run=name.format(results=run.parents[3] / "results"), raters=["anna", "ben"], rows=60)
    assert (run / "key.json").is_file()
