"""The schema of a model's samples, and the two sets of them that statistics are computed of."""

import pandas as pd
import pyarrow as pa

from samizdat.records.io import table_schema

PUBLISHED_PERCENT = 100  # of training: what the published model is named by beside its checkpoints

SAMPLES = table_schema(
    id=pa.string(),  # <model>-<percent>-<number>, unique in a run
    model=pa.string(),
    percent=pa.int16(),  # how far through its training the model was; 100 is the published model
    step=pa.int32(),  # optimiser steps that this was
    prompt_kind=pa.string(),  # "config", "held_out", "none" or "unprompted" (the published model's, for statistics)
    prompt=pa.string(),
    prompt_text_id=pa.string(),  # the held-out text that the prompt begins, else null
    temperature=pa.float32(),
    top_k=pa.int32(),  # 0: off
    top_p=pa.float32(),  # 1: off
    repetition_penalty=pa.float32(),  # 1: off
    no_repeat_ngram=pa.int32(),  # 0: off
    seed=pa.int64(),
    text=pa.string(),  # the prompt and its continuation
    new_tokens=pa.int32(),
    finished=pa.bool_(),  # whether the model ended the text itself
)


def begun_with_nothing(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples of published models without a prompt: the set to compare with texts."""
    kinds = samples["prompt_kind"].isin(("none", "unprompted"))
    return samples[(samples["percent"] == PUBLISHED_PERCENT) & kinds]


def begun_with_prompts(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples of the prompts that every checkpoint continued: the set to compare checkpoints by."""
    return samples[samples["prompt_kind"] != "unprompted"]
