"""Say that a table or a figure has the largest groups alone: too many would fill pages."""

from samizdat.base.language import say
from samizdat.reporting.words import count

SHOWN_GROUPS = 10


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
