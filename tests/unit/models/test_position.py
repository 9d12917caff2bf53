"""How far a training is: written and read without a loss, and under the names of the log's columns."""

import math
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from samizdat.models.position import LogRow, Position
from samizdat.records.models import TRAIN_LOG_COLUMNS

numbers = st.floats(allow_nan=False)
rows = st.builds(LogRow, st.integers(0), st.integers(0), *[numbers] * 2, *[st.none() | numbers] * 2, *[numbers] * 3)


def test_a_row_has_the_columns_of_the_log_in_their_order():
    assert tuple(field.name for field in fields(LogRow)) == TRAIN_LOG_COLUMNS


@given(st.builds(Position, best_loss=numbers | st.just(math.inf), kept=st.just({"25": 7}), log=st.lists(rows)))
def test_what_was_written_is_read(position):
    assert Position.from_json(position.to_json()) == position
