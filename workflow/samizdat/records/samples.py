"""The schema of a model's samples, and the two sets of samples that statistics are computed from."""

import pandas as pd
import pyarrow as pa

from samizdat.records.io import table_schema

PUBLISHED_PERCENT = 100  # means the published model, which has the best weights

# `samples/<model>.parquet`: one row for each text that a model wrote.
SAMPLES = table_schema(
    id=pa.string(),  # <model>-<percent>-<number>, unique in a run
    model=pa.string(),
    percent=pa.int16(),  # percent of training of the checkpoint; 100 is the published model
    step=pa.int32(),  # optimiser steps of the checkpoint
    prompt_kind=pa.string(),  # "config", "held_out", "none" or "unprompted" (published model, for statistics)
    prompt=pa.string(),
    prompt_text_id=pa.string(),  # the held-out text whose beginning is the prompt; else null
    temperature=pa.float32(),
    top_k=pa.int32(),  # 0: off
    top_p=pa.float32(),  # 1: off
    repetition_penalty=pa.float32(),  # 1: off
    no_repeat_ngram=pa.int32(),  # 0: off
    seed=pa.int64(),
    text=pa.string(),  # prompt and continuation
    new_tokens=pa.int32(),
    finished=pa.bool_(),  # whether the model ended the text itself, with the boundary token
)


def begun_with_nothing(samples: pd.DataFrame) -> pd.DataFrame:
    """Select the samples of the published models without a prompt, to compare them with texts."""
    kinds = samples["prompt_kind"].isin(("none", "unprompted"))
    return samples[(samples["percent"] == PUBLISHED_PERCENT) & kinds]


def begun_with_prompts(samples: pd.DataFrame) -> pd.DataFrame:
    """Select the samples of the prompts that every checkpoint continued, to compare the checkpoints."""
    return samples[samples["prompt_kind"] != "unprompted"]
