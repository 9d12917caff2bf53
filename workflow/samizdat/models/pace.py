"""The speed of a training, in tokens a second."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# After so many seconds a speed says how long the rest will take.
MEASURED_SECONDS = 10.0
# From then on the speed is measured every so many seconds. The time left is told again if it differs by this factor.
AGAIN_SECONDS = 60.0
AGAIN_FACTOR = 1.5


class Pace:
    """Two speeds: of the whole training, and warm, without evaluations and what precedes the first (compilation).

    An evaluation begins and ends with a number on the host. So on a GPU, too, the clock is read when the work is done.
    """

    def __init__(self, tokens: int) -> None:
        """Start the clock, `tokens` having been trained on before."""
        self._first_tokens, self._started = tokens, time.monotonic()
        self._warm_tokens, self._warm_seconds = 0, 0.0
        self._measured: tuple[int, float] | None = None  # tokens and time at the start of the measurement
        self._end: float | None = None  # when the training ends, by what was told last
        self._since: tuple[int, float] | None = None  # tokens and time at the end of the last evaluation

    @contextmanager
    def paused(self, tokens: int) -> Iterator[None]:
        """Leave the time of an evaluation out of the warm speed; `tokens` were trained on before it."""
        if self._since is not None:
            self._warm_tokens += tokens - self._since[0]
            self._warm_seconds += time.monotonic() - self._since[1]
        yield
        self._since = tokens, time.monotonic()

    def seconds_left(self, tokens: int, total: int) -> float | None:
        """Return the seconds from `tokens` to `total` once the speed is known, and when it has changed; else None.

        Called after each step. The first one may compile, and so says nothing of the others.
        """
        now = time.monotonic()
        if self._measured is None:
            self._measured = tokens, now
        seconds = now - self._measured[1]
        if tokens >= total or seconds < (MEASURED_SECONDS if self._end is None else AGAIN_SECONDS):
            return None
        left = (total - tokens) * seconds / (tokens - self._measured[0])
        self._measured = tokens, now
        if self._end is not None and 1 / AGAIN_FACTOR < left / max(self._end - now, 1.0) < AGAIN_FACTOR:
            return None
        self._end = now + left
        return left

    def tokens_per_second(self, tokens: int) -> float:
        """Return the speed from the start until now; `tokens` were trained on so far."""
        return round((tokens - self._first_tokens) / max(time.monotonic() - self._started, 1e-9), 1)

    @property
    def warm_tokens_per_second(self) -> float | None:
        """The warm speed; None if there were fewer than two evaluations after the first step."""
        return round(self._warm_tokens / self._warm_seconds, 1) if self._warm_seconds else None
