"""What the report says of the corpus: every text is counted once."""

import pytest

from samizdat.base.language import speaking
from samizdat.records import io
from samizdat.records.corpus import SPLITS, CorpusSummary
from samizdat.reporting import Run, corpus, inside, text_lengths
from support.other_kinds import card_of
from support.reading import cells, plain
from support.run_fixture import make_run, sentences


def test_examples_are_the_same_whatever_is_read_at_once(run, monkeypatch):
    whole = corpus.examples(run).markdown
    monkeypatch.setattr(io, "BATCH_ROWS", 7)
    assert corpus.examples(run).markdown == whole


def test_the_corpus_is_counted(run):
    texts = run.texts
    assert "text" not in texts  # they are read where they are shown
    said = plain(corpus.opening(run).markdown)
    assert "cut into" not in said and "No two texts are nearly the same." in said
    assert f"240 texts from 120 documents, {texts['characters'].sum():,} characters in all" in said
    assert (
        "120 texts of 60 documents to train on; 60 texts of 30 documents to choose the best weights on; and the "
        "held-out texts, 60 texts of 30 documents, on which nothing is trained or chosen."
    ) in said
    assert "course" not in said
    vars(run)["config"] = run.config | {"course": "Text mining"}
    assert (
        "Usual limits of a course are 1,000 to 50,000 texts (here: 240, too few) and 200,000 to 2,000,000 GPT-2 tokens "
        "(here: 3,646, too few)." in plain(corpus.opening(run).markdown)
    )
    header, letter, poem, everything_ = cells(corpus.groups(run).markdown)
    assert header == [
        "Group", "Texts", "Documents", "Held out", "Median length", "negative", "neutral", "positive", "letter", "poem",
    ]  # fmt: skip
    assert [row[0] for row in (letter, poem, everything_)] == ["letter", "poem", "**All**"]
    part = texts[texts["group"] == "poem"]
    assert poem[1:5] == ["120", "120", "25.0 %", f"{part['characters'].median():.0f}"]
    assert poem[5] == f"{(part['label_sentiment'] == 'negative').mean() * 100:.0f} %"
    assert plain(corpus.dropped(run).markdown) == (
        "Of 242 texts, 240 were kept. Left out: 2 × duplicate of an earlier text."
    )


def test_many_groups_are_counted_together_and_none_is_lost(tmp_path):
    groups = (*(f"group {n:02d}" for n in range(12)), None)
    run = Run(make_run(tmp_path / "run", texts=sentences(390), groups=groups, labels={"mood": ("good", "bad")}))
    rows = cells(corpus.groups(run).markdown)[1:]
    assert [row[0] for row in rows[-3:]] == ["*2 smaller groups*", "*without a group*", "**All**"]
    assert len(rows) == 13 and sum(int(row[1]) for row in rows[:-1]) == int(rows[-1][1]) == 390
    # Figures and other tables have the largest alone, and say so.
    assert corpus.human_labels(run).title.endswith("; only the 10 largest of 12 groups are shown")
    # Texts without a group have a box, too.
    assert text_lengths.lengths(run).title.endswith("; only the 10 largest of 13 groups are shown")
    for table, each, others in ((corpus.examples(run), 2, 2), (inside.surprising(run), 4, 0)):
        heading, *rows = cells(table.markdown)
        assert heading[0] == "Group (the 10 largest of 12)"
        assert len(rows) == 10 * each + others and len({row[0] for row in rows} - {""}) == 10


def test_a_group_that_is_called_as_the_texts_without_one_keeps_its_own_box(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(120), groups=("without a group", "poem", None)))
    boxes = text_lengths.lengths(run).alternative_text
    assert boxes.count("without a group") == 2 + boxes.partition("Boxes on")[0].count("without a group")


def test_the_axis_of_lengths_has_several_numbers_however_near_they_are(tmp_path):
    for factor in (1, 60):
        texts = [text[:30] * (factor if number % 2 else 1) for number, text in enumerate(sentences(120))]
        run = Run(make_run(tmp_path / str(factor), texts=texts))
        axis = text_lengths.lengths(run).axes[0]
        low, high = axis.get_xlim()
        assert sum(low <= tick <= high for tick in axis.get_xticks()) >= 3


def test_shares_of_labels_name_their_column_where_there_are_several(tmp_path):
    both = {"offensive": ("0", "1"), "CEFR": ("0", "1")}
    run = Run(make_run(tmp_path / "run", texts=sentences(40), labels=both))
    header = cells(corpus.groups(run).markdown)[0]
    assert {"offensive: 0", "offensive: 1", "CEFR: 0", "CEFR: 1"} <= {plain(cell) for cell in header}
    assert "CEFR" in corpus.examples(run).markdown


def test_labels_for_which_a_table_has_no_room_are_counted_together(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(240), labels={"sentiment": ("a", "b")}))
    asked = ["a", "b", "c", "d", "e", "f", *"aaabbbccddeeffgh*"] * 10 + [None] * 10
    vars(run)["texts"] = run.texts.assign(label_sentiment=asked)
    header, *_, every = cells(corpus.groups(run).markdown)
    assert [plain(cell) for cell in header[5:]] == ["a", "b", "c", "d", "e", "f", "*3 other labels*"]
    assert every[-1] == "13 %"
    with speaking("cs"):
        assert plain(cells(corpus.groups(run).markdown)[0][-1]) == "*3 další štítky*"
    vars(run)["texts"] = vars(run)["texts"].assign(label_tone=[f"{number % 20}" for number in range(240)])
    header = [plain(cell) for cell in cells(corpus.groups(run).markdown)[0]]
    assert {"*sentiment: 3 other labels*", "*tone: 14 other labels*"} <= {*header}


def test_a_file_that_was_cut_is_told(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | {"parts": 60}))
    assert "it was cut into 60 parts of successive texts" in plain(corpus.opening(run).markdown)


@pytest.mark.parametrize(
    ("copies", "words"), [(0, "None of these pairs"), (58, "58 validation or held-out texts are nearly the same")]
)
def test_near_duplicates_are_counted_and_those_in_several_splits_told(tmp_path, copies, words):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | {"near_duplicates": 99, "held_out_copies": copies}))
    said = plain(corpus.opening(run).markdown)
    assert "99 texts are nearly the same as another" in said and words in said


def test_the_corpuss_own_splits_are_told_and_what_is_in_two_of_them(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    own = {"own_splits": ["train", "test"], "near_duplicates": 4, "held_out_copies": 1, "shared_documents": 2}
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | own))
    said = plain(corpus.opening(run).markdown)
    assert "brings its own splits, kept as they are (validation, which it lacks, is divided off its training" in said
    assert "In the corpus’s own splits 1 validation or held-out text is nearly the same as a text of another" in said
    assert "2 documents have texts in several splits" in said
    assert "tie together" not in said and "are divided into three" not in said


def test_texts_whose_raters_give_no_label_most_often_are_counted(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | {"undecided": {"mood": 3, "tone": 0, "topic": 1}}))
    said = plain(corpus.opening(run).markdown)
    assert "3 texts have no “mood”: their raters give no label most often." in said
    assert "1 text has no “topic”: its raters" in said and "tone" not in said


def test_texts_whose_duplicates_have_another_label_are_counted(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    assert "another" not in corpus.dropped(run).markdown
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | {"conflicting": {"mood": 2, "<b>": 1}}))
    said = plain(corpus.dropped(run).markdown)
    assert "2 texts have duplicates with another “mood”: the first one counts." in said
    assert "1 text has duplicates with another “<b>”: the first one counts." in said
    assert "<b>" not in corpus.dropped(run).markdown
    with speaking("sk"):
        assert "2 texty majú duplikáty s iným štítkom „mood“: platí prvý." in plain(corpus.dropped(run).markdown)


def test_one_of_a_thing_is_no_plural(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    one = {"texts": 1, "documents": 1, "characters": 1, "splits": dict.fromkeys(SPLITS, 1),
           "split_documents": dict.fromkeys(SPLITS, 1), "read": 2}  # fmt: skip
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | one))
    said = plain(corpus.opening(run).markdown + corpus.dropped(run).markdown)
    assert "1 text from 1 document, 1 character in all" in said
    assert "1 text of 1 document to train on;" in said and "Of 2 texts, 1 was kept." in said


def test_what_was_found_out_and_what_was_not_read_is_told(tmp_path):
    run = Run(make_run(tmp_path / "run", texts=sentences(9), labels={}))
    told = {"found": {"separated by ';'": "data/<b>.csv"}, "unread": {"no file": "data/*x*.txt and 4 more"}}
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | told))
    said = plain(corpus.dropped(run).markdown)
    assert "How these files were read was found out, not set: data/<b>.csv: separated by ';'." in said
    assert "Found beside the texts of the corpus, but not read: data/*x*.txt and 4 more (no file)." in said
    with speaking("de"):
        said = plain(corpus.dropped(run).markdown)
    assert "data/<b>.csv: Trennzeichen ';'." in said
    assert "data/*x*.txt und 4 weitere (keine Datei)." in said


def test_cells_of_several_labels_are_cut_and_numbers_are_no_labels(run):
    run = Run(run.folder)
    cards = {
        "moods": card_of(label_column="sentiment"),
        "size": card_of(kind="number", label_column="source", labels=[]),
    }
    vars(run)["cards"] = cards
    cells_of = ["joy; anger", "anger", ";", None] * 60
    vars(run)["texts"] = run.texts.assign(label_sentiment=cells_of, label_source=[f"{one}" for one in range(240)])
    vars(run)["corpus"] = CorpusSummary(**(vars(run.corpus) | {"undecided": {"sentiment": 60, "source": 3}}))
    header, *_, every = cells(corpus.groups(run).markdown)
    assert header[5:] == ["anger", "joy"] and every[5:] == ["67 %", "33 %"]
    assert plain(corpus.human_labels(run).markdown) == (
        "Not drawn: labels of sentiment; a text can have several. Not drawn: the numbers of source."
    )
    assert "most often" not in plain(corpus.opening(run).markdown)
    both = [[("sentiment", ["joy;anger", "anger;joy"])], [("sentiment", [])], None, [("source", ["1", "2"])]]
    vars(run)["texts"] = run.texts.assign(label_sentiment=[None, None, "joy", None] * 60, raters=both * 60)
    assert cells(corpus.groups(run).markdown)[-1][5:] == ["50 %", "100 %"]
    vars(run)["texts"] = run.texts.assign(label_sentiment=cells_of, raters=None)
    vars(run)["cards"] = cards | {"mood": card_of(kind="single_label", label_column="sentiment", label_separator=None)}
    assert cells(corpus.groups(run).markdown)[0][5:] == [";", "anger", "joy; anger"]


def test_human_labels_that_are_not_drawn_are_named_with_the_reason(run):
    picture = corpus.human_labels(run)
    assert "Not drawn" not in picture.title
    texts = run.texts.drop(columns=[one for one in run.texts.columns if one.startswith("label_")])
    vars(run)["texts"] = texts
    assert corpus.human_labels(run).markdown == "The corpus has no labels that people gave."
    vars(run)["texts"] = texts.assign(label_kind=texts["group"])
    assert corpus.human_labels(run).markdown == "The labels that people gave are the groups."
    # No share is told of a group without a label.
    vars(run)["texts"] = texts.assign(label_half=["a", None, "b", None] * (len(texts) // 4))
    said = plain(corpus.human_labels(run).alternative_text)
    assert "letter: a 50 %, b 50 %" in said and "poem" not in said
    many = [f"*{number % 28}" for number in range(len(texts))]
    vars(run)["texts"] = texts.assign(label_mood=many, label_true="yes")
    assert plain(corpus.human_labels(run).markdown) == (
        "Not drawn: the 28 labels of mood, more than a figure can show. "
        "Not drawn: labels of true; each text that has one has “yes”."
    )
    vars(run)["texts"] = texts.assign(label_mood=many, label_half=["a", "b"] * (len(texts) // 2))
    title = corpus.human_labels(run).title
    assert plain(title) == (
        "The most frequent half is “a”: 50 % of the texts. "
        "Not drawn: the 28 labels of mood, more than a figure can show"
    )
