"""Compare the models of different runs on the texts that all of these runs hold out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from samizdat.base.configuration import trainings
from samizdat.base.seeds import derive_seed
from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.io import read_table
from samizdat.records.models import TEST_LOSSES
from samizdat.reporting.held_out_loss import lost_by
from samizdat.reporting.run import Run
from samizdat.reporting.verdicts import better_models
from samizdat.reporting.words import is_null
from samizdat.statistics.model_losses import model_losses

# Between the name of a run and that of a model; neither has a blank.
_OF = ": "
NOT_COMPARABLE = 2


@dataclass(frozen=True)
class Comparison:
    """The models of different runs, compared on shared held-out texts."""

    texts: int
    documents: int
    confidence: float
    rows: list[dict[str, Any]]  # as `records.statistics.MODEL_DIFFERENCES`; names of models begin with their runs
    lost: dict[str, str]  # model → which characters of these texts it can't predict (`reporting.held_out_loss.lost_by`)

    def verdict(self, row: dict[str, Any]) -> int | None:
        """Which model is better: −1 the first, 1 the other, 0 not decisive; None with too few documents.

        NOT_COMPARABLE where one can't predict characters that the other predicts.
        """
        if self.lost[row["model"]] != self.lost[row["other"]]:
            return NOT_COMPARABLE
        if is_null(row["p_holm"]):
            return None
        if (row["model"], row["other"]) not in better_models(pd.DataFrame(self.rows), self.confidence):
            return 0
        return -1 if row["value"] < 0 else 1


def compared(runs: Mapping[str, Run]) -> Comparison:
    """Compare each two models of different runs, by paired differences as in the report of one run.

    A model's loss of a text is of its own run, in which the text was held out, too. The documents are the first run's.
    p values are corrected for the number of all pairs of models, those of one run included.
    """
    first = next(iter(runs.values()))
    settings = first.config["statistics"]
    shared = set.intersection(*(set(run.held_out["id"]) for run in runs.values()))
    losses: dict[str, pd.DataFrame] = {}
    for one, run in runs.items():
        own = run.held_out["id"]
        for training in trainings(run.config):
            table = read_table(
                run.folder / "models" / training / "test_losses.parquet", TEST_LOSSES, without=("tokens", "token_nats")
            )
            chosen = table.assign(id=own)[own.isin(shared)].sort_values("id", ignore_index=True)
            losses[f"{one}{_OF}{training}"] = chosen
    texts = first.held_out[first.held_out["id"].isin(shared)].sort_values("id", ignore_index=True)
    if texts.empty:
        return Comparison(0, 0, settings["confidence"], [], {})
    seed = derive_seed(first.config["seed"], "comparison")
    bootstrap = Bootstrap(settings["confidence"], settings["bootstrap_resamples"], seed)
    _, pairs = model_losses(losses, texts, bootstrap)
    rows = [
        dict.fromkeys(("low", "high", "p_value", "p_holm"), math.nan) | row
        for row in pairs
        if row["model"].partition(_OF)[0] != row["other"].partition(_OF)[0]
    ]
    lost = {f"{one}{_OF}{model}": lost_by(run, model) for one, run in runs.items() for model in run.models}
    return Comparison(len(texts), texts["document"].nunique(), settings["confidence"], rows, lost)
