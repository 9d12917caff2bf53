"""Tables of delimited text: what separates cells, what quotation marks are, and rows that don't fit."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samizdat.base.errors import UserError

MOOD = {"label_columns": ("mood",), "min_characters": 1}


def rows(table) -> list[tuple[str, str]]:
    return list(zip(table["text"], table["label_mood"], strict=True))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("t.csv", "text,mood\na; b,x\nc,y\n", []),
        ("t.csv", "text;mood;n\n\"a; b\";x;0,5\nc;y;1,5\n", ["separated by ';'"]),
        ("t.csv", "\ufefftext;mood\r\n\"a; b\";x\r\nc;y\r\n", ["separated by ';'"]),
        ("t.csv", "sep=;\ntext;mood\n\"a; b\";x\nc;y\n", ["separated by ';', as its first line says"]),
        ("t.csv", "\ufeffsep=|\r\ntext|mood\r\na; b|x\r\nc|y\r\n", ["separated by '|', as its first line says"]),
        ("t.csv", "mood\ttext\nx\ta; b\ny\tc\n", ["separated by '\\t'"]),
        ("t.tsv", "mood\ttext\nx\ta; b\ny\tc\n", []),
        ("t.tsv", "mood,text\nx,a; b\ny,c\n", ["separated by ','"]),
        ("T.TSV", "mood,text\nx,a; b\ny,c\n", ["separated by ','"]),
        ("T.TSV", "text\tmood\na; b\tx\nc\ty\n", []),
        ("t.tsv.csv", "text,mood\na; b,x\nc,y\n", []),
        ("t.csv", "text|mood|a,b\na; b|x|1\nc|y|2\n", ["separated by '|'"]),
        ("t.csv", "\n\ntext,mood\n\na; b,x\n\nc,y\n\n", []),
        ("t.csv", '"text","mood"\n"a; b","x"\n"c","y"\n', []),
        ("t.tsv", '"text"\t"mood"\n"a; b"\t"x"\n"c"\t"y"\n', []),
    ],
)  # fmt: skip
def test_the_delimiter_is_found_and_told(corpus, name, content, found):
    table, summary = corpus({name: content, "z.txt": "a third text"}, **MOOD)
    assert rows(table)[:2] == [("a; b", "x"), ("c", "y")]
    assert list(summary.found) == found


def test_delimiter_and_quoting_can_be_set(corpus):
    files = {"a.csv": 'text:mood\n"one":x\n', "b.csv": 'text,mood\n"two",y\n', "c.tsv": 'text\tmood\n"three"\tz\n'}
    setting = {"delimiter": {"a.csv": ":"}, "quoting": {"*": "none", "*.tsv": "quotes"}}
    table, summary = corpus(files, **setting, **MOOD)
    assert rows(table) == [('"one"', "x"), ('"two"', "y"), ("three", "z")]
    assert summary.found == {}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "text,mood\na,x\nOne, two,y\n", ["line 3 has 3 cells, but there are 2 headings: One, two,y"]),
        ("t.csv", "text,mood\na\nb,y\n", ["line 2 has 1 cell, but there are 2 headings: a"]),
        ("t.csv", "text,mood\na,x,\n", ["line 2 has 3 cells"]),
        ("t.tsv", "text\tmood\na\tb\tx\n", ["line 2 has 3 cells"]),
        ("t.csv", "text;mood\na;x\nb;c;y\n", ["line 3 has 3 cells", "';'"]),
        ("t.csv", "sep=;\ntext;mood\na;x\nb;c;y\n", ["line 4 has 3 cells", "';'"]),
        ("t.csv", 'sep=;\n"text";"mood"\n"a";"b\n', ["the row that begins on line 3"]),
        ("t.csv", 'text,mood\n"a"b,x\n"c,d",y\n', ["the row that begins on line 2 can't be read", "expected"]),
        ("t.csv", 'text,mood\n"a",x\n"b,y\n', ["the row that begins on line 3 can't be read as a table"]),
        ("t.csv", 'text,mood\n"a, b",x\n"c\nd,y\n', ["the row that begins on line 3"]),
        ("t.csv", "text,mood,text\na,x,b\n", ["has 2 columns 'text' (corpus.text_column)", "rename"]),
        ("t.csv", "text,mood,mood\na,x,b\n", ["has 2 columns 'mood' (corpus.label_columns)"]),
        ("t.csv", "a;b,c\n1;2,3\n", ["(separated by ',') has no column 'text'", "it has: 'a;b', 'c'"]),
        ("t.csv", "text~mood\na~b\n", ["it has: 'text~mood'", "set corpus.delimiter"]),
        ("t.csv", "sep=;\ntext,mood\na,b\n", ["(separated by ';') has no column 'text'", "set corpus.delimiter"]),
        ("t.csv", 'sep="\ntext"mood\na"b\n', ["it has: 'sep=\"'"]),
        ("t.csv", "My survey,\ntext,mood\na,b\n", ["'My survey'", "the first row must hold the names of the columns"]),
        ("t.csv", "", ["has no column 'text' (corpus.text_column); it has: none", "take the file out"]),
        ("t.csv", "Text,mood\na,x\n", ["has no column 'text'", "'Text'"]),
    ],
)  # fmt: skip
def test_a_row_or_heading_that_does_not_fit_stops_the_run(refusal, name, content, said):
    message = refusal({name: content}, **MOOD)
    assert f"data/{name}" in message
    for part in said:
        assert part in message


def test_lines_of_a_text_that_begin_alike_are_no_rows(corpus):
    file = io.StringIO()
    names = ["Ann", "Ben", "Eva", "Ida"]
    letters = [f"Dear {name}\nThanks, for the book\nBye, {name}\nYours" for name in names]
    csv.writer(file).writerows([["text", "mood"], *zip(letters, ["good", "bad"] * 2, strict=True)])
    assert corpus({"t.csv": file.getvalue()}, **MOOD)[0]["text"].tolist() == letters


def test_what_looks_like_rows_in_a_cell_can_be_said_to_be_none(corpus, refusal):
    rows = 'text,mood\n"one\nfirst,good\nsecond,bad\nend",good\ntwo,bad\nthree,good\n'
    assert "if the cell is as it should be, set corpus.quoting: quotes" in refusal({"t.csv": rows}, **MOOD)
    assert len(corpus({"t.csv": rows}, quoting="quotes", **MOOD)[0]) == 3


def test_headings_that_joined_files_repeat_are_left_out_and_told(corpus):
    part = "\ufefftext,mood\r\n{},good\r\n{},bad\r\n"
    table, summary = corpus({"t.csv": part.format("one", "two") + part.format("three", "four")}, **MOOD)
    assert table["text"].tolist() == ["one", "two", "three", "four"] and summary.read == 4
    assert list(summary.found) == ["rows that repeat the headings, as in joined files, are left out"]


def test_one_column_of_texts_with_commas_is_refused_not_cut(refusal):
    assert "line 2 has 2 cells, but there is 1 heading: One, two" in refusal({"t.csv": "text\nOne, two\nthree\n"})


def test_columns_of_one_name_that_nobody_reads_are_no_matter(corpus):
    table, _ = corpus({"t.csv": "text,mood,,\na1,x,1,2\nb1,y,3,4\n", "z.txt": "a third text"}, **MOOD)
    assert rows(table)[:2] == [("a1", "x"), ("b1", "y")]


PAIR = ["The first one", '"The second one', "The third", "The fourth", 'The last one said Ann"', "The end"]


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_pair_of_quotation_marks_does_not_merge_rows(corpus, delimiter):
    name = "t.tsv" if delimiter == "\t" else "t.csv"
    moods = ["good", "bad"] * 3
    lines = [delimiter.join(pair) for pair in zip(["text", *PAIR], ["mood", *moods], strict=True)]
    table, summary = corpus({name: "\n".join(lines)}, **MOOD)
    assert rows(table) == list(zip(PAIR, moods, strict=True))
    assert "quotation marks are letters: they don't enclose cells" in summary.found


def test_rows_that_only_a_missing_quotation_mark_merges_are_refused(refusal):
    lines = ["text,mood", '"Well, yes",good', '"The second,bad', "three,good", "four,bad", 'the last",good']
    message = refusal({"t.csv": "\n".join(lines)}, **MOOD)
    assert "the cell that begins on line 3 with a quotation mark ends 3 lines further down" in message
    assert "quoting: none" in message


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo", "a comma, and\na second, one", "one\n\nthree", 'he said "no"', '"quoted"', 'a "b" c, d', "x\ty",
        "first, a\nsecond, b\nthird, c\nfourth, d",
    ],
)  # fmt: skip
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_the_csv_module_writes_comes_back(corpus, text, quoting, delimiter):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
    writer.writerows([["text", "mood"], ["first", "good"], [text, "bad"], ["third", "good"], ["fourth", "bad"]])
    table, _ = corpus({"t.tsv" if delimiter == "\t" else "t.csv": file.getvalue()}, **MOOD)
    assert rows(table)[1] == (text, "bad") and len(table) == 4


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (['"Yes," she said', '"No." he said', "plain"], None),
        (['"A whole sentence."', "plain", 'with 5" inside'], None),
        (['"A whole sentence."', "plain"], None),
        (['"he said ""no"""', "plain"], ['he said "no"', "plain"]),
        (['"all"', '"quoted"'], ["all", "quoted"]),
    ],
)
def test_quotation_marks_of_a_tsv_are_letters_unless_they_have_to_be_there(corpus, lines, texts):
    content = "\n".join(["text\tmood", *(f"{line}\tx" for line in lines)])
    table, _ = corpus({"t.tsv": content, "z.txt": "one", "zz.txt": "two"}, **MOOD)
    assert table["text"].tolist()[:-2] == (texts or lines)


def test_a_tsv_of_one_column_that_can_be_read_in_two_ways_is_refused(refusal):
    message = refusal({"t.tsv": 'text\n"one\ntwo"\nthree\n'})
    assert "it can't be told" in message and "letters (3 texts)" in message and "several lines (2 texts)" in message


cells = st.text(st.characters(exclude_characters="\0\r\ufeff", exclude_categories=["Cs"]), min_size=2).filter(
    lambda text: text.strip() == text
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(cells, st.sampled_from(["good", "bad"])), min_size=3, unique_by=lambda pair: pair[0]),
    st.sampled_from([",", ";"]),
)
def test_any_table_comes_back_or_is_refused(corpus, pairs, delimiter):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows([["text", "mood"], *pairs])
    try:
        table, _ = corpus({"t.csv": file.getvalue()}, **MOOD)
    except UserError as error:
        assert "look like rows of their own" in str(error) or "document" in str(error)
        return
    assert rows(table) == pairs
