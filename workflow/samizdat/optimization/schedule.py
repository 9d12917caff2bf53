"""The learning rate at each step of a training, as a share of its peak."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class LearningRateSchedule:
    """How the learning rate rises and falls over the steps of a training.

    Each schedule rises linearly over the first `warmup_share` of the steps. Then `warmup-stable-decay` (Hu et al. 2024)
    stays at the peak and falls linearly to 0 over the last `decay_share`; `linear` falls linearly to 0 over all steps
    that are left; `cosine` falls to a tenth of the peak along half a cosine (Brown et al. 2020).
    """

    name: str  # "warmup-stable-decay", "linear" or "cosine"
    steps: int  # of the whole training
    warmup_share: float
    decay_share: float = 0.0  # of `warmup-stable-decay` only

    def scale(self, step: int) -> float:
        """Return the share of the peak learning rate at `step`, counted from 0."""
        warmup = self.warmup_share * self.steps
        if step < warmup:
            return (step + 1) / (warmup + 1)
        if self.name == "cosine":
            done = (step - warmup) / max(self.steps - warmup, 1)
            return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done))
        decay = self.steps - warmup if self.name == "linear" else self.decay_share * self.steps
        return min(1.0, (self.steps - step) / max(decay, 1))
