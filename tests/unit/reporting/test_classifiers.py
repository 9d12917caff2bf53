"""What the report says of classifiers: groups differ only where their intervals do."""

from samizdat.reporting import classifiers
from support.reading import plain


def test_groups_differ_only_where_their_intervals_do_not_overlap(two_labels):
    said = plain(classifiers.shares_by_group(two_labels).alternative_text)
    assert said.startswith("Of “letter”, mood calls 40 % “good”; of “poem”, 10 %. ")
    shares = two_labels.shares
    shares.loc[shares["group_kind"] == "group", "low"] -= 0.5
    said = classifiers.shares_by_group(two_labels).alternative_text
    assert said.startswith("No label’s share differs between groups by more than the intervals allow. ")
