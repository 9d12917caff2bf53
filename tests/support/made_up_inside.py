"""Write what was found inside a made-up model, in the schemas of `records.inside`."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import Bootstrap
from samizdat.models.token_kinds import token_kinds
from samizdat.records.inside import INSIDE
from samizdat.records.io import write_table
from samizdat.records.samples import begun_with_nothing

LAYERS, HEADS = 2, 3


def pieces(text: str) -> list[bytes]:
    """Cut a text into runs of three bytes, so that a letter may be in two."""
    whole = text.encode()
    return [whole[place : place + 3] for place in range(0, len(whole), 3)]


def write_inside(percents: list[int], held_out: pd.DataFrame, samples: pd.DataFrame, folder: Path) -> None:
    """Write the tables: the token at place 2 costs 13 bits, at place 3 half a bit, all others 5.

    Head 2 of layer 1 looks at the token before, all others at the first one.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in INSIDE}
    sources = {"held_out": held_out.iloc[0]}
    if len(written := begun_with_nothing(samples)):
        sources["sample"] = written.iloc[0]
    for percent, (source, text) in product(percents, sources.items()):
        rows["tokens"] += [
            {"source": source, "id": text["id"], "percent": percent, "step": percent, "position": position,
             "token": piece.decode(errors="backslashreplace"), "bits": {2: 13.0, 3: 0.5}.get(position, 5.0),
             "rank": position}
            for position, piece in enumerate(pieces(text["text"])[:12], start=1)
        ]  # fmt: skip
    for percent, place in product(percents, range(1, 11)):
        token = None if place == 3 else f" word{place}"
        rows["next_tokens"].append(
            {"prompt": "The rain", "percent": percent, "step": percent, "place": place, "token": token,
             "probability": 0.5**place}
        )  # fmt: skip
    for layer, head in product(range(1, LAYERS + 1), range(1, HEADS + 1)):
        back = (layer, head) == (1, 2)
        rows["heads"].append(
            {"layer": layer, "head": head, "previous": 0.9 if back else 0.1, "first": 0.1 if back else 0.9, "same": 0.2,
             "distance": 1.5 * layer, "texts": 20, "tokens": 400, "repeated": 50}
        )  # fmt: skip
        for position in range(min(8, 1 + len(pieces(held_out["text"].iloc[0])))):
            looked = max(position - 1, 0) if back else 0
            rows["attention"] += [
                {"layer": layer, "head": head, "position": position, "at": at, "weight": float(at == looked)}
                for at in range(position + 1)
            ]
    cut = [pieces(text) for text in held_out["text"]]
    rows["token_kinds"] += token_kinds(
        held_out, cut, [np.full(len(one) + 1, 2.0) for one in cut], Bootstrap(0.95, 100, 1)
    )
    for name, schema in INSIDE.items():
        write_table(pd.DataFrame(rows[name], columns=schema.names), schema, folder / f"{name}.parquet")
