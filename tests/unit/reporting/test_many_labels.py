"""A classifier of many labels: its figures have the most frequent ones and say so, and stay as small as others."""

import pytest

from samizdat.reporting import Run, agreement, classifiers, label_comparison
from samizdat.reporting.largest_groups import SHOWN_LABELS
from support.run_fixture import make_run, sentences

NAMES = tuple(f"topic {number}" for number in range(60))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "many"
    return Run(make_run(folder, texts=sentences(480), labels={"topic": NAMES}))


@pytest.mark.parametrize(
    "draw", [classifiers.shares_by_group, label_comparison.shares, agreement.scores, agreement.confusion]
)
def test_a_figure_has_the_most_frequent_of_many_labels_and_says_so(many, draw):
    picture = draw(many)
    (axis,) = [axis for axis in picture.axes if axis.axison]
    every = many.confusion["human"].nunique() if draw in (agreement.scores, agreement.confusion) else len(NAMES)
    assert axis.get_title("left").replace("\n", " ") == f"topic (the {SHOWN_LABELS} most frequent of {every} labels)"
    over_all = 2 if draw is agreement.scores else 0
    assert len(axis.get_yticklabels()) == SHOWN_LABELS + over_all
    assert picture.get_size_inches()[1] < 20


def test_a_confusion_matrix_does_not_grow_with_the_square_of_the_labels(many):
    axis = agreement.confusion(many).axes[0]
    assert len(axis.texts) == SHOWN_LABELS**2
    shown = [label.get_text().replace("\n", " ") for label in axis.get_yticklabels()]
    assert shown == [name for name in NAMES if name in shown]
    given = many.confusion.groupby("human")["count"].sum() + many.confusion.groupby("predicted")["count"].sum()
    assert given[shown].min() >= given.drop(shown).max()
    # The colour of a cell is its share of all texts that people call so, and not of those that are drawn.
    own = many.confusion[many.confusion["human"] == shown[0]].set_index("predicted")["count"]
    shares = axis.collections[0].get_array().reshape(SHOWN_LABELS, SHOWN_LABELS)[0]
    assert shares.tolist() == pytest.approx((own.reindex(shown, fill_value=0) / own.sum()).tolist())
