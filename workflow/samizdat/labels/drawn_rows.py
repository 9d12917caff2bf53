"""Draw rows for raters from strata of texts and of samples."""

from itertools import count

import pandas as pd

from samizdat.base.errors import UserError
from samizdat.base.seeds import derive_seed
from samizdat.measures.stratified import allocate


def drawn_rows(frame: pd.DataFrame, sizes: pd.Series, rows: int, text_share: float, seed: int) -> pd.DataFrame:
    """Draw the rows of each stratum, and shuffle them all.

    Args:
        frame: texts and samples, with the columns `subset` and `stratum`.
        sizes: stratum → how many there are.
        rows: how many to draw.
        text_share: of the rows, so many are texts; the others are samples.
        seed: random seed.

    Raises:
        UserError: there are fewer rows than two for each stratum, or nothing to draw from.
    """
    if frame.empty:
        raise UserError(
            "the run has no texts or samples to draw from",
            remedy="keep texts from training (corpus.test_share), or write samples (sampling.unprompted_samples)",
        )
    of = frame.drop_duplicates("stratum").set_index("stratum")["subset"].reindex(sizes.index)
    strata = {subset: sizes[of == subset] for subset in ("texts", "samples")}
    number = _divided(rows, text_share, strata)
    for subset in _with_too_few(number, strata):
        enough = next(more for more in count(rows) if not _with_too_few(_divided(more, text_share, strata), strata))
        raise UserError(
            f"{rows} rows are too few: {number[subset]} of them are {subset}, which have {len(strata[subset])} strata",
            remedy=f"draw at least two for each of the {len(sizes)} strata: --rows {enough}",
        )
    parts = []
    for subset, own in strata.items():
        if own.empty:
            continue
        for stratum, size in zip(own.index, allocate(own.to_numpy(), number[subset]), strict=True):
            part = frame[frame["stratum"] == stratum]
            parts.append(part.sample(int(size), random_state=derive_seed(seed, stratum) & 0xFFFFFFFF))
    together: pd.DataFrame = pd.concat(parts)
    return together.sample(frac=1, random_state=seed & 0xFFFFFFFF)


def _divided(rows: int, text_share: float, strata: dict[str, pd.Series]) -> dict[str, int]:
    """Divide rows between texts and samples."""
    number = {"texts": round(rows * text_share), "samples": rows - round(rows * text_share)}
    for one, other in (("texts", "samples"), ("samples", "texts")):
        # What one side has not enough of is drawn from the other.
        number[other] += max(number[one] - int(strata[one].sum()), 0)
    return number


def _with_too_few(number: dict[str, int], strata: dict[str, pd.Series]) -> list[str]:
    """List of texts and samples those of which there are fewer than two rows for each stratum."""
    return [subset for subset, own in strata.items() if number[subset] < 2 * len(own)]
