"""What the report says of classifiers: groups differ only where their intervals do."""

from dataclasses import replace

import pandas as pd
import pytest

from samizdat.reporting import classifiers
from support.reading import cells, plain


def set_card(run, **changes):
    run.cards["mood"] = replace(run.cards["mood"], **changes)


def test_what_a_classifier_learned_and_was_selected_on_is_said(two_labels):
    set_card(two_labels, training_texts=90, selection_texts=10)
    said = plain(classifiers.learned(two_labels).markdown)
    assert said == "“mood” was fine-tuned on 90 texts; its weights were selected by macro-F1 on 10 other texts."
    set_card(two_labels, selection_texts=0)
    assert plain(classifiers.learned(two_labels).markdown).endswith(
        "; no texts were left to select its weights on, so they are those of the last step."
    )
    set_card(two_labels, training_texts=0)
    assert classifiers.learned(two_labels).markdown == "No classifier was fine-tuned in this run."


def test_labels_that_were_not_learned_or_not_selected_on_are_named(two_labels):
    typos = {f"typo {number}": 1 for number in range(9)}
    set_card(two_labels, training_texts=90, selection_texts=10, unlearned={"*Good*": 1}, unselected={"bad": 6})
    said = classifiers.learned(two_labels).markdown
    assert "*Good*" not in said
    assert "It learned these labels without a text to select on: “bad” (6 texts)." in plain(said)
    set_card(two_labels, unlearned=typos)
    said = plain(classifiers.learned(two_labels).markdown)
    assert "**“mood” did not learn these labels, which too few of the drawn texts have**: “typo 0” (1 text), “" in said
    assert "“typo 7” (1 text) and 1 more label." in said


def test_a_human_label_that_a_classifier_cant_give_is_counted(two_labels):
    assert "can’t give" not in classifiers.learned(two_labels).markdown
    rows = [["Good", "good", 2], ["Good", "bad", 1], ["never", "bad", 0], ["good", "good", 5]]
    confusion = pd.DataFrame(rows, columns=["human", "predicted", "count"])
    vars(two_labels)["confusion"] = confusion.assign(classifier="mood", label_column="mood")
    said = plain(classifiers.learned(two_labels).markdown)
    assert "People gave held-out texts labels that “mood” can’t give: “Good” (3 texts). It is wrong on" in said


@pytest.mark.parametrize(
    ("label_map", "labels", "said"),
    [
        ({}, ["good", "bad"], ""),
        ({"good": "fine"}, ["fine", "bad"], "; its “good” counts as “fine”"),
        ({"bad": "good"}, ["good"], "; its “good” and “bad” count as “good”"),
    ],
)
def test_the_table_says_which_labels_count_as_which(label_map, labels, said, two_labels):
    set_card(two_labels, label_map=label_map, labels=labels)
    assert cells(classifiers.cards(two_labels).markdown)[1][1] == f"what it was told{said}"


def test_groups_differ_only_where_the_test_says_so(two_labels):
    vars(two_labels)["group_tests"] = pd.DataFrame({"classifier": ["mood"], "p_holm": [0.04]})
    said = plain(classifiers.shares_by_group(two_labels).alternative_text)
    assert said.startswith("mood gives “good” to 40 % of “letter” and to 10 % of “poem”. ")
    for p_holm, title in ((0.06, NONE_DIFFERS), (float("nan"), "Too few documents to say whether shares differ")):
        two_labels.group_tests["p_holm"] = p_holm
        said = classifiers.shares_by_group(two_labels).alternative_text
        assert said.startswith(title)
    vars(two_labels)["group_tests"] = two_labels.group_tests[:0]
    assert plain(classifiers.shares_by_group(two_labels).title) == "mood gives “bad” to 90 % of all texts"


def test_groups_that_differ_are_never_called_alike_because_each_is_small(two_labels):
    vars(two_labels)["group_tests"] = pd.DataFrame({"classifier": ["mood"], "p_holm": [0.001]})
    said = "Groups differ, but too few of these have 20 documents to say where"
    for small in (["poem"], ["letter", "poem"]):  # one group alone can be compared with none
        two_labels.shares.loc[two_labels.shares["group"].isin(small), ["low", "high"]] = float("nan")
        assert classifiers.shares_by_group(two_labels).title == said == classifiers.in_brief(two_labels, "mood")
    two_labels.group_tests["p_holm"] = 0.06
    assert plain(classifiers.in_brief(two_labels, "mood")) == "It gives “bad” to 90 % of all texts"


NONE_DIFFERS = "No classifier finds a difference between groups that chance does not explain"


def shares(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Shares of labels in groups, each with an interval of two percent."""
    frame = pd.DataFrame(rows, columns=["label", "group", "share"]).assign(classifier="kind", subset="texts")
    return frame.assign(group_kind="group", low=frame["share"] - 0.01, high=frame["share"] + 0.01)


@pytest.mark.parametrize(
    ("rows", "p_holm", "said"),
    [
        ((("letter", "letter", 0.52), ("letter", "poem", 0.0), ("poem", "letter", 0.48), ("poem", "poem", 1.0)),
         0.01, "Each group’s own name is the label of 52 % to 100 % of the group’s texts, and of a smaller share of "
         "the others’"),
        ((("letter", "letter", 0.5), ("letter", "poem", 0.5), ("poem", "letter", 0.5), ("poem", "poem", 0.5)),
         0.5, NONE_DIFFERS),
        ((("letter", "letter", 0.9), ("letter", "poem", 0.0), ("letter", "novel", 0.3), ("novel", "poem", 0.1),
          ("novel", "letter", 0.1), ("novel", "novel", 0.7)), 0.01,
         "kind gives “letter” to 30 % of “novel” and to 0 % of “poem”"),
        ((("letter", "letter", 0.4), ("letter", "poem", 0.6), ("poem", "letter", 0.6), ("poem", "poem", 0.4)),
         0.01, "kind gives “letter” to 60 % of “poem” and to 40 % of “letter”"),
    ],
)  # fmt: skip
def test_a_label_named_after_a_group_is_no_finding_there(two_labels, rows, p_holm, said):
    vars(two_labels)["group_tests"] = pd.DataFrame({"classifier": ["kind"], "p_holm": [p_holm]})
    texts = two_labels.texts.iloc[: len(rows)].assign(group=[row[1] for row in rows])
    vars(two_labels)["texts"], vars(two_labels)["shares"] = texts, shares(*rows)
    assert plain(classifiers.shares_by_group(two_labels).alternative_text).startswith(f"{said}. ")
