"""Tables as rows and parts."""

import pandas as pd

from samizdat.reporting.frames import in_order, parts_of, rows_of


def test_rows_and_parts_are_in_the_order_of_the_table():
    frame = pd.DataFrame({"name": ["b", "a", "b"], "value": [1, 2, 3]})
    assert rows_of(frame)[1] == {"name": "a", "value": 2}
    assert {name: part["value"].tolist() for name, part in parts_of(frame, "name").items()} == {"b": [1, 3], "a": [2]}
    assert list(parts_of(frame, "name")) == in_order(frame["name"]) == ["b", "a"]
