"""Texts that are there several times: which is kept, with whose labels, and what is counted of the others."""

import json
from collections import Counter

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samizdat.base.corpus_files import named
from samizdat.corpus.strings import Strings, encoded
from samizdat.records.corpus import SPLITS

ALWAYS = [{"text": f"always here {number}", "part": split} for number, split in enumerate((*SPLITS, *SPLITS))]
ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": st.sampled_from([f"text number {number}" for number in range(4)])},
        optional={
            "mood": st.sampled_from(["good", "bad", None]),
            "anna": st.sampled_from(["a", "b", None]),
            "ben": st.sampled_from(["a", "b", None]),
            "book": st.sampled_from(["one", "two", None]),
        },
    ),
    max_size=12,
)


def answers(row, label):
    """Return a text's label, and what single people gave it."""
    if label == "mood":
        return row.get("mood"), []
    given = [row[rater] for rater in ("anna", "ben") if row.get(rater)]
    most = [name for name, number in Counter(given).items() if number * 2 > len(given)]
    return (most[0] if most else None), given


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS, st.lists(st.sampled_from(SPLITS), min_size=12, max_size=12), st.booleans())
def test_the_first_text_of_the_first_split_is_kept_with_the_first_answer_for_each_label(corpus, rows, parts, own):
    rows = [*({"part": part} | row for row, part in zip(rows, parts, strict=False)), *ALWAYS]
    columns = {"label_columns": ("mood",), "rater_columns": {"kind": ["anna", "ben"]}, "document_column": "book"}
    lines = {"t.jsonl": "\n".join(json.dumps({"mood": None, "anna": None, "ben": None, "book": None} | row)
                                  for row in rows)}  # fmt: skip
    table, summary = corpus(lines, split_column="part" if own else None, **columns)
    wanted, dropped, conflicting, undecided = {}, Counter(), Counter(), 0
    for text in dict.fromkeys(row["text"] for row in rows):
        equal = [row for row in rows if row["text"] == text]
        if own:
            equal.sort(key=lambda row: SPLITS.index(row["part"]))
        kept, *others = equal
        dropped.update("also in an earlier split" if own and other["part"] != kept["part"] else
                       "duplicate of an earlier text" for other in others)  # fmt: skip
        found = {}
        for label in ("mood", "kind"):
            given = [answers(row, label) for row in equal]
            found[label] = next((one for one in given if one != (None, [])), (None, []))
            conflicting[label] += any(one not in (None, found[label][0]) for one, _ in given) and bool(found[label][0])
        undecided += found["kind"][0] is None and bool(found["kind"][1])
        wanted[text] = kept.get("book"), found["mood"][0], *found["kind"]
    raters = [dict(row)["kind"].tolist() for row in table["raters"]]
    labels = table[["label_mood", "label_kind"]].astype(object).where(table[["label_mood", "label_kind"]].notna(), None)
    books = [None if book == sha256[:16] else book for book, sha256 in zip(table["document"], table["sha256"],
                                                                         strict=True)]  # fmt: skip
    assert dict(zip(table["text"], zip(books, labels["label_mood"], labels["label_kind"], raters, strict=True),
                    strict=True)) == wanted  # fmt: skip
    assert table["text"].tolist() == list(wanted)
    assert {reason: number for reason, number in summary.dropped.items() if "held out" not in reason} == dropped
    assert summary.conflicting == +conflicting and summary.undecided == {"kind": undecided}


def test_strings_on_disk_come_back_as_they_are_also_while_others_are_added(tmp_path):
    strings = Strings(tmp_path / "strings")
    wanted = ["", "příliš", named(["a name with \udce9"]), "", "\n", "𝒳"]
    for number in range(0, len(wanted), 2):
        strings.extend([encoded(string) for string in wanted[number : number + 2]])
        assert [strings[place] for place in range(number + 2)] == wanted[: number + 2]
    for some in ([0, 1, 2, 3, 4, 5], [5, 1, 2, 4, 4], [3], []):
        assert strings.read(np.array(some, np.int64)) == [wanted[place] for place in some]
    strings.close()
