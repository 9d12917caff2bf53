"""The error that is written for people."""

import pytest

from samizdat.base.errors import UserError


@pytest.mark.parametrize(
    ("what", "sentence"),
    [("no file", "no file."), ("no file. ", "no file."), ("it says: no...", "it says: no."), ("who?", "who?"),
     ("cut off…", "cut off…")],
)  # fmt: skip
def test_a_message_ends_with_one_mark(what, sentence):
    assert str(UserError(what, remedy="look")) == f"{sentence}\n  What to do: look"
