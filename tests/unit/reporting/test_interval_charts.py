"""Figures of values with intervals: every point is at its name, and every interval as long as its bounds say."""

import pandas as pd
import pytest

from samizdat.reporting.interval_charts import Panel, interval_line, interval_panels
from samizdat.reporting.style import drawing


def rows(**values):
    """Values by name, with intervals of 0.1 below and 0.2 above."""
    frame = pd.DataFrame({"value": values})
    return frame.assign(low=frame["value"] - 0.1, high=frame["value"] + 0.2)


def test_points_of_a_name_are_next_to_each_other_in_the_order_of_the_legend():
    panel = Panel("mood", ["good", "bad"], {"texts": rows(good=0.3, bad=0.7), "samples": rows(bad=0.5)})
    figure = interval_panels("A title", [panel], [1.0], legend_inches=1, spread=0.5, name_characters=20)
    with figure as (_, [axis]):
        first, second = axis.containers
    assert [label.get_text() for label in axis.get_yticklabels()] == ["good", "bad"]
    assert first.lines[0].get_xydata().tolist() == [[0.3, -0.125], [0.7, 0.875]]
    assert second.lines[0].get_xydata().tolist() == [[0.5, 1.125]]
    (interval,) = second.lines[2][0].get_segments()
    assert interval.ravel().tolist() == pytest.approx([0.4, 1.125, 0.7, 1.125])


def test_a_bound_on_the_wrong_side_of_its_value_is_drawn_at_the_value():
    frame = rows(a=1.0, b=2.0).assign(high=[0.5, 2.2])
    with drawing("A title", 2) as (_, [axis]):
        interval_line(axis, pd.Series([0, 1]), frame["value"].reset_index(drop=True), *(
            frame[bound].reset_index(drop=True) for bound in ("low", "high")
        ), series=0, label="x")  # fmt: skip
        (line,) = axis.containers
    first, second = line.lines[2][0].get_segments()
    assert first[:, 1].tolist() == pytest.approx([0.9, 1.0]) and second[:, 1].tolist() == pytest.approx([1.9, 2.2])
