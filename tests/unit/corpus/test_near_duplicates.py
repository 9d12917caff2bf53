"""Near-duplicates: what counts as nearly the same, how few pairs are missed, and how they are split."""

import numpy as np
import pytest

from samizdat.corpus import near_duplicates as search
from samizdat.corpus.sketches import Sketches
from samizdat.records.corpus import SPLITS
from support.made_sentences import sentences

LONG = "The letter from the north came early in the morning, and nobody in the house had read it yet"


@pytest.fixture
def near_duplicates(tmp_path):
    def sets_of(texts):
        sketches = Sketches(tmp_path)
        sketches.extend(texts)
        sketches.finish()
        return search.near_duplicates(sketches, np.arange(len(texts)), texts.__getitem__)

    return sets_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who knows?", "who  KNOWS"), ("příliš", "pr\u030ci\u0301lis\u030c"), ("今日は 雨。", "今日は雨"),
        (LONG, LONG.replace("early", "earlier")), (LONG, LONG + ", they say."),
    ],
)  # fmt: skip
def test_texts_that_are_nearly_the_same(near_duplicates, one, other):
    sets = near_duplicates([one, "another text", other])
    assert sets[0] == sets[2] != sets[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("कि", "की"), ("?!", "…"), ("so good 😀", "so good 😡"), ("text number 17", "text number 18"),
        (LONG, LONG.replace("letter", "rumour").replace("morning", "evening")), (LONG, LONG[: len(LONG) // 2]),
    ],
)  # fmt: skip
def test_texts_that_are_not(near_duplicates, one, other):
    assert len(set(near_duplicates([one, other]))) == 2


def test_texts_of_the_same_runs_are_nearly_the_same_whatever_their_lengths(near_duplicates):
    assert len(set(near_duplicates(["ab" * length for length in (20, 21, 30, 45)]))) == 1


def test_another_process_makes_the_same_sketches(tmp_path, monkeypatch):
    texts = [*sentences(300, 1), "", "short"]

    def of(folder, lists_here):
        monkeypatch.setattr("samizdat.corpus.sketches.LISTS_HERE", lists_here)
        (tmp_path / folder).mkdir()
        sketches = Sketches(tmp_path / folder)
        for begin in range(0, len(texts), 15):
            sketches.extend(texts[begin : begin + 15])
        sketches.finish()
        found = [sketches.keys(), sketches.long(), *map(sketches.band, range(16))]
        sketches.close()
        return found

    here, elsewhere = of("here", 1000), of("elsewhere", 2)
    assert len(here[0]) == 302 and here[1].sum() > 250
    assert all(map(np.array_equal, here, elsewhere))


def test_hardly_a_pair_is_missed_and_none_is_found_that_is_not_there(near_duplicates):
    random = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    texts = ["".join(random.choice(letters, 100)) for _ in range(1000)]
    # Of 96 runs of 5 letters, 10 are others where two letters are: a similarity of 86/106; and 81/111 with three.
    near = [text[:30] + "7" + text[31:50] + "7" + text[51:] for text in texts]
    sets = near_duplicates([*texts, *near])
    assert (sets[:1000] == sets[1000:]).mean() > 0.98
    assert len(set(sets)) == 2000 - (sets[:1000] == sets[1000:]).sum()
    far = [text[:70] + "7" + text[71:] for text in near]
    assert len(set(near_duplicates([*texts, *far]))) == 2000


def test_no_pair_is_missed_among_many_texts_that_share_a_long_passage(near_duplicates):
    random = np.random.default_rng(3)
    letters = np.array(list("abcdef"))  # few, so that the rest of the texts has runs in common, too, as words have
    form = "".join(random.choice(letters, 250))
    texts = [form + "".join(random.choice(letters, 60)) for _ in range(600)]
    near = [
        text[:30] + "7" + text[31:90] + "8" + text[91:150] + "9" + text[151:200] + "7" + text[201:] for text in texts
    ]
    sets = near_duplicates([*texts, *near[:100]])
    assert (sets[:100] == sets[600:]).all()
    assert len(set(sets)) == 600


@pytest.mark.parametrize("signatures", [3, 7, 100])
def test_how_many_signatures_are_in_memory_at_once_changes_no_set(near_duplicates, monkeypatch, signatures):
    random = np.random.default_rng(5)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    texts = ["".join(random.choice(letters, 60)) for _ in range(60)]
    close = [text[:place] + "8" + text[place + 1 :] for place in (7, 31) for text in texts]
    whole = near_duplicates([*texts, *close])
    monkeypatch.setattr(search, "SIGNATURES", signatures)
    assert whole.tolist() == near_duplicates([*texts, *close]).tolist()
    assert len(set(whole.tolist())) == 60


def near_to(text):
    return text.replace("the ", "The  ", 1).replace(".", "!")


def test_near_duplicates_are_in_one_split(corpus):
    first = sentences(300, 1)
    lines = "\n".join([*first, *map(near_to, first)])
    table, summary = corpus({"t.txt": lines}, txt_unit="line", txt_document="text")
    split = dict(zip(table["text"], table["split"], strict=True))
    assert all(split[text] == split[near_to(text)] for text in first)
    assert (summary.near_duplicates, summary.held_out_copies, summary.texts) == (600, 0, 600)
    assert 0.4 < (table["split"] != "train").mean() < 0.6 and set(table["split"]) == set(SPLITS)


def test_a_document_that_is_mostly_copied_is_in_the_split_of_its_original(corpus):
    files = {f"{number}.txt": "\n".join(sentences(9, number)) for number in range(100, 150)}
    again = {
        f"again {name}": "\n".join([*map(near_to, text.split("\n")[:6]), *sentences(5, int(name[:3]) + 1000)])
        for name, text in files.items()
    }
    table, _ = corpus(files | again, txt_unit="line")
    split = dict(zip(table["document"], table["split"], strict=True))
    assert all(split[f"data/{name}"] == split[f"data/again {name}"] for name in files)


def test_a_passage_of_many_documents_joins_none_and_is_held_out_of_none(corpus):
    # A title page, a little different in each book.
    files = {f"{number}.txt": "\n".join([f"{LONG}: {number}", *sentences(9, number)]) for number in range(100, 140)}
    table, summary = corpus(files, txt_unit="line")
    pages = table[table["text"].str.startswith(LONG)]
    assert set(pages["split"]) == {"train"} and set(table["split"]) == set(SPLITS)
    left_out = summary.dropped["held out, but nearly the same as a text of another split"]
    assert left_out == 40 - len(pages) > 5 and summary.texts == len(table) == summary.read - left_out
    assert (summary.near_duplicates, summary.held_out_copies) == (40, 0)


def test_a_corpus_of_near_duplicates_is_split_all_the_same_and_that_is_counted(corpus):
    lines = "\n".join([*(f"{LONG} {number}" for number in range(60)), *sentences(40, 1)])
    table, summary = corpus({"t.txt": lines}, txt_unit="line", txt_document="text")
    held_out = table[table["split"] != "train"]
    assert summary.near_duplicates == 60 and summary.texts == 100
    assert summary.held_out_copies == held_out["text"].str.startswith(LONG).sum() > 10
