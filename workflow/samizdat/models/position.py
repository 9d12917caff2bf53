"""How far a training run is: the part of a saved state that is not a tensor."""

import json
import math
from dataclasses import asdict, dataclass, field

from samizdat.records.models import LogRow


@dataclass
class Position:
    """How far a training run is. A resumed run needs this, the learner's state and the random streams."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    stale_evaluations: int = 0  # evaluations since the best one
    loss_steps: int = 0  # steps since the last evaluation
    kept: dict[str, int] = field(default_factory=dict)  # percent → step of the checkpoint that was kept
    log: list[LogRow] = field(default_factory=list)

    def to_json(self) -> str:
        """Write the position as JSON; every float is written exactly."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Position":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"log": [LogRow(**row) for row in values["log"]]})

    @property
    def best(self) -> LogRow:
        """The row of the step with the lowest validation loss."""
        return next(row for row in self.log if row.step == self.best_step)
