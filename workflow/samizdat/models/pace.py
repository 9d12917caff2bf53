"""How fast training is, evaluations and warm-up left out."""

import time


class Pace:
    """Tokens a second between evaluations; what comes before the first, compilation above all, doesn't count.

    Evaluations begin and end with a number on the host, so that on a GPU too the clock is read when the work is done.
    """

    def __init__(self):
        """Nothing is measured before the first `resume`."""
        self._tokens = 0
        self._seconds = 0.0
        self._since: tuple[int, float] | None = None

    def pause(self, tokens: int) -> None:
        """An evaluation begins after so many tokens."""
        if self._since is not None:
            self._tokens += tokens - self._since[0]
            self._seconds += time.monotonic() - self._since[1]

    def resume(self, tokens: int) -> None:
        """An evaluation has ended."""
        self._since = tokens, time.monotonic()

    @property
    def tokens_per_second(self) -> float | None:
        """None where there were fewer than two evaluations after the first steps."""
        return round(self._tokens / self._seconds, 1) if self._seconds else None
