"""Say that a table or a figure has the largest groups, or the most frequent labels, alone: all would fill pages."""

from samizdat.base.language import say
from samizdat.reporting.words import count

SHOWN_GROUPS = 10
SHOWN_LABELS = 40  # of a classifier: a matrix grows with their square, and a picture has at most 65,536 pixels a side


def group_heading(shown: int, groups: int) -> str:
    """Write the heading of a column of groups, and where not all are shown, how many there are."""
    if shown >= groups:
        return say("Group")
    return say("Group (the {shown} largest of {all})", shown=count(shown), all=count(groups))


def finding_of_largest(finding: str, shown: int, groups: int) -> str:
    """Write a figure's title, and where not all groups are shown, how many there are."""
    if shown >= groups:
        return finding
    words = {"shown": count(shown), "all": count(groups)}
    return say("{finding}; only the {shown} largest of {all} groups are shown", finding=finding, **words)


def heading_of_frequent(heading: str, shown: int, labels: int) -> str:
    """Write the heading of a panel, and where not all labels are shown, how many there are."""
    if shown >= labels:
        return heading
    words = {"shown": count(shown), "all": count(labels)}
    return say("{heading} (the {shown} most frequent of {all} labels)", heading=heading, **words)
