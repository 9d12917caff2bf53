"""Compare two pictures of a report: figures drawn from numbers that agree within a tolerance."""

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

# Two pictures of one size agree when their values, 0 to 255, differ by at most this in the mean …
MEAN_TOLERANCE = 2.0
# … and all but this share of their pixels are found in the other picture, at most so many pixels away and with values
# that differ by at most this. A line or a bar that somebody moved is where nothing like it is in the other picture,
# but it is too thin for the mean. In figures of numbers that all differ by up to 0.1 %, 0.026 % of the pixels are in
# printed numbers whose last decimal is another one.
REACH_PIXELS = 2
VALUE_TOLERANCE = 48
UNLIKE_SHARE = 0.0005


def pictures_agree(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether two pictures agree, each [height, width, channels] of values from 0 to 255, transparency included."""
    if old.shape != new.shape:
        return False
    a, b = (picture.astype(np.int16) for picture in (old, new))
    mean = float(np.abs(a - b).mean()) if a.size else 0.0
    return mean <= MEAN_TOLERANCE and max(_unlike(a, b), _unlike(b, a)) <= UNLIKE_SHARE * a[..., 0].size


def _unlike(one: np.ndarray, other: np.ndarray) -> int:
    """Count the pixels of a picture that are not between the values around the same place of the other one."""
    window = (2 * REACH_PIXELS + 1, 2 * REACH_PIXELS + 1, 1)
    low, high = minimum_filter(other, window) - VALUE_TOLERANCE, maximum_filter(other, window) + VALUE_TOLERANCE
    return int(((one < low) | (one > high)).any(axis=-1).sum())
