"""How far a training is: written and read without a loss."""

import math

from hypothesis import given
from hypothesis import strategies as st

from samizdat.models.position import Position
from samizdat.records.models import LogRow

numbers = st.floats(allow_nan=False)
rows = st.builds(LogRow, st.integers(0), st.integers(0), *[numbers] * 2, *[st.none() | numbers] * 2, *[numbers] * 3)


@given(st.builds(Position, best_loss=numbers | st.just(math.inf), kept=st.just({"25": 7}), log=st.lists(rows)))
def test_what_was_written_is_read(position):
    assert Position.from_json(position.to_json()) == position
