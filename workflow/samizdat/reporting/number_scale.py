"""Choose the decimals of a classifier's numbers by their spread: a scale may end at 1, or at a thousandth."""

import math

from samizdat.reporting.run import Run

FEWEST_DIGITS, MOST_DIGITS = 2, 9


def digits_of(run: Run, classifier: str) -> int:
    """Return the decimals with which the middle 90 % of all texts differ in two digits or more; at least two."""
    rows = run.numbers[(run.numbers["classifier"] == classifier) & (run.numbers["group_kind"] == "all")]
    found = rows[rows["subset"] == "texts"].set_index("metric")["value"]
    spread = found.get("quantile_0.95", 0) - found.get("quantile_0.05", 0)
    wanted = 1 - math.floor(math.log10(spread)) if spread > 0 else 0
    return min(max(wanted, FEWEST_DIGITS), MOST_DIGITS)
