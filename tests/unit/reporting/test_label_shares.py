"""The figure of label shares: the sets are in order, and each has the shares of the statistics."""

import pandas as pd

from samizdat.reporting.label_shares import draw_label_shares, next_to_texts, shares_of_samples, shares_of_texts


def test_groups_of_samples_follow_the_texts_in_rising_order():
    class FakeRun:
        shares = pd.DataFrame(
            [("texts", "all", None), ("samples", "percent", "100"), ("samples", "percent", "30"),
             ("samples", "model", "x")],
            columns=["subset", "group_kind", "group"],
        )  # fmt: skip

    sets = next_to_texts(shares_of_texts(FakeRun()), shares_of_samples(FakeRun(), "percent"), "after {} %")
    assert list(sets) == ["texts", "after 30 %", "after 100 %"]
    assert [len(rows) for rows in sets.values()] == [1, 1, 1]


def test_a_figure_shows_every_share_and_names_the_sets_only_where_asked(two_labels):
    texts = shares_of_texts(two_labels)
    picture = draw_label_shares(
        two_labels, "A title", {"all texts": texts}, ["mood"], kind="Points", inches=(0.2, 0.1), legend=False
    )
    assert picture.alternative_text.replace("\u00a0", " ") == "A title. Points. mood, all texts: good 10 %, bad 90 %."
    assert not picture.legends
    assert picture.axes[0].containers[0].lines[0].get_xdata().tolist() == [0.1, 0.9]


def test_a_set_without_a_share_is_left_out_of_the_words(two_labels):
    texts = shares_of_texts(two_labels)
    sets = {"all texts": texts, "half": texts[:1], "small": texts[:0]}
    picture = draw_label_shares(two_labels, "A title", sets, ["mood"], kind="Points", inches=(0.2, 0.1))
    said = picture.alternative_text.replace("\u00a0", " ")
    assert said == "A title. Points. mood, all texts: good 10 %, bad 90 %; mood, half: good 10 %."
