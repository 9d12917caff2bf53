"""What the report says of the inside of models: marks of tokens, next tokens, bits, attention."""

import re

import pytest

from samizdat.reporting import Run, heads, inside
from samizdat.reporting.inside import found
from support.run_fixture import make_run, sentences

TEXTS = ["Dva *kůň* | tři", *sentences(59)]  # the first is held out; tokens of three bytes cut ů and ň


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(make_run(tmp_path_factory.mktemp("results") / "one", texts=TEXTS, labels={}, unprompted=4))


def test_each_token_is_marked_by_its_bits_at_each_checkpoint(run):
    lines = inside.costs(run).markdown.splitlines()
    assert lines[0] == "| Text | After step | Its tokens | Bits |"
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| a held-out text", "| a held-out text", "| a sample", "| a sample"
    ]  # fmt: skip
    spans = re.findall(r'<span class="bits-(\d)" title="([^"]+)"( style="[^;]+;[^;]+);[^"]+">(.*?)</span>', lines[2])
    assert spans[0] == (
        "2", "5.0 bits, rank 1", ' style="border-bottom:2px solid #c2570c;background:rgb(234 106 12 / 0.22)', "Dva",
    )  # fmt: skip
    assert spans[1][:2] == ("4", "13.0 bits, rank 2") and spans[1][3] == " &#42;k"
    assert (*spans[2][:2], spans[2][3]) == ("0", "0.5 bits, rank 3", r"ů<bdi>&#92;xc5</bdi>"), "half of a letter"
    assert "border-bottom:0px" in spans[2][2]
    assert "| 10 (10 %)" in lines[2].replace("\u00a0", " ") and "| 100 (100 %)" in lines[3].replace("\u00a0", " ")
    assert lines[2].endswith("| 34 |")


def test_every_cost_is_a_number_too(run):
    lines = inside.every_cost(run).markdown.replace("\u00a0", " ").splitlines()
    assert lines[0] == "| Text | Token | After step 10 (10 %) | After step 100 (100 %) |"
    assert lines[3] == "| a held-out text | <bdi>␣&#42;k</bdi> | 13.0 (2) | 13.0 (2) |"


def test_bytes_and_marks_in_a_token_are_set_apart():
    assert inside.token_cell(" \u062a\\xd8") == "<bdi>␣\u062a<bdi>&#92;xd8</bdi></bdi>"
    assert inside.token_name("\u064f") == "◌\u064f" and inside.token_name("") == ""


def test_the_next_tokens_are_in_order_with_their_probabilities(run):
    lines = inside.next_tokens(run).markdown.replace("\u00a0", " ").splitlines()
    assert lines[0] == "| Behind “<bdi>The rain</bdi>” | After step 10 (10 %) | After step 100 (100 %) |"
    assert lines[2].startswith("| 1 | <bdi>␣word1</bdi> 50.0 % | ")
    assert lines[4].startswith("| 3 | *the end of the text* 12.5 % | ")


def test_shares_of_bytes_and_bits_add_up(run):
    lines = [line.strip("| ").split(" | ") for line in inside.spent(run).markdown.replace("\u00a0", " ").splitlines()]
    assert lines[0] == ["Where", "Tokens", "Share of the bytes", "Share of the bits", "Bits per byte"]
    rows = {line[0]: line[1:] for line in lines[2:]}
    places = ["a whole word", "the beginning of a word", "inside of a word", "the end of a word",
              "punctuation and blanks", "the end of the text"]  # fmt: skip
    whole = [rows[place] for place in places if place in rows]
    for column in (1, 2):
        assert sum(float(row[column].removesuffix(" %")) for row in whole) == pytest.approx(100, abs=2)
    assert rows["the end of the text"][1] == "0 %" and len(rows["the end of the text"]) == 3


def test_the_most_and_the_least_surprising_texts_of_each_group_are_listed(run):
    rows = [line.strip("| ").split(" | ") for line in inside.surprising(run).markdown.splitlines()][2:]
    assert [row[:2] for row in rows[:4]] == [["<bdi>letter</bdi>", how] for how in ("most", "most", "least", "least")]
    bits = [float(row[3]) for row in rows[:4]]
    assert bits == sorted(bits, reverse=True) and len({row[2] for row in rows}) == len(rows)


def test_the_figures_say_in_words_which_head_looks_where(run):
    picture = heads.heads(run)
    assert picture.title == "Most on the token before: head 2 of layer 1, 90\u00a0%"
    assert "on the token before, %: from 10 (head 1 of layer 1) to 90 (head 2 of layer 1)" in picture.alternative_text
    numbers = [text.get_text() for axis in picture.axes for text in axis.texts]
    assert numbers[:6] == ["10", "90", "10", "10", "10", "10"] and numbers[-1] == "3.0"
    picture = heads.maps(run)
    assert "head 1 of layer 2 looks most at ⟨start⟩, 100\u00a0%" in picture.alternative_text
    sizes = [collection.get_sizes().tolist() for axis in picture.axes for collection in axis.collections]
    assert len(sizes) == 6 and all(set(one) == {0.0, 60.0} for one in sizes), "the size says it, not the colour alone"
    assert [label.get_text() for label in picture.axes[0].get_yticklabels()][:3] == ["⟨start⟩", "Dva", "␣*k"]


def test_no_text_is_shown_that_is_not_published(run):
    withheld = Run(run.folder)
    withheld.publish_texts = False
    sample = next(iter(found(run, "tokens").query("source == 'sample'")["id"]))
    vars(withheld)["shown_ids"] = frozenset({sample})
    for shown in (inside.costs(withheld), inside.every_cost(withheld)):
        assert "held-out" not in shown.markdown and "a sample" in shown.markdown
    assert heads.maps(withheld) is None and heads.heads(withheld) is not None and inside.spent(withheld) is not None
    assert inside.surprising(withheld).markdown.startswith("Which held-out texts surprised the model is left out")
    vars(withheld)["shown_ids"] = frozenset()
    assert inside.costs(withheld).markdown == "No text may be shown token by token."
    assert inside.every_cost(withheld) is None


def test_several_models_are_told_apart(tmp_path):
    run = Run(make_run(tmp_path / "two", texts=TEXTS, labels={}, unprompted=4, models=("one", "other")))
    for shown in (inside.costs(run), inside.next_tokens(run), inside.spent(run)):
        assert "Model |" in shown.markdown.splitlines()[0] and "<bdi>other</bdi>" in shown.markdown
    assert len(heads.heads(run).axes) == 8


def test_where_nothing_was_looked_at_nothing_is_shown(run):
    without = Run(run.folder)
    without.config["inside"] = False
    tables = (inside.costs, inside.every_cost, inside.next_tokens, inside.spent, inside.surprising)
    assert [function(without) for function in (*tables, heads.heads, heads.maps)] == [None] * 7
