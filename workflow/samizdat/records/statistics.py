"""The schemas of `statistics/*.parquet`."""

import pyarrow as pa

from samizdat.records.io import table_schema

# `low` and `high` bound the interval at the config's confidence.

LABEL_SHARES = table_schema(
    classifier=pa.string(),
    subset=pa.string(),  # "texts" or "samples"
    # Texts: "all" or "group". Samples of the published models that began with nothing: "all", "model" or
    # "temperature"; samples of the prompts that every checkpoint continued: "percent".
    group_kind=pa.string(),
    group=pa.string(),  # null for "all"
    label=pa.string(),
    count=pa.int64(),
    share=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
)

DIVERGENCES = table_schema(
    classifier=pa.string(),
    model=pa.string(),
    percent=pa.int16(),
    temperature=pa.float32(),  # null: all temperatures together
    # "nothing": samples of the published model that began with nothing, to be held against texts;
    # "prompts": samples of the prompts that every checkpoint continued, to be held against each other.
    begun_with=pa.string(),
    samples=pa.int64(),
    texts=pa.int64(),
    jensen_shannon_bits=pa.float64(),  # between the label shares of samples and of texts, 0 to 1
    low=pa.float64(),
    high=pa.float64(),
    chance_bits=pa.float64(),  # what as many draws from the texts' own shares stay below, at that confidence
)

QUALITY = table_schema(
    classifier=pa.string(),
    label_column=pa.string(),  # the human label that it is held against
    method=pa.string(),  # "classifier", "majority", "lexicon" or "human"
    # "accuracy", "macro_f1", of the classifier "calibration_error", and with a label "precision", "recall", "f1"
    metric=pa.string(),
    label=pa.string(),  # null for the metrics over all labels
    texts=pa.int64(),  # held-out texts behind the value
    value=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
)

CONFUSION = table_schema(
    classifier=pa.string(),
    label_column=pa.string(),
    human=pa.string(),
    predicted=pa.string(),
    count=pa.int64(),
)

# Held-out texts by the probability of their label: how often it is the one that people gave.
CALIBRATION = table_schema(
    **{"classifier": pa.string(), "label_column": pa.string()},
    **{"from": pa.float64(), "to": pa.float64()},  # bounds of the bin
    texts=pa.int64(),
    confidence=pa.float64(),  # mean probability of the labels
    accuracy=pa.float64(),  # share of them that people gave
    low=pa.float64(),
    high=pa.float64(),
)

ASSOCIATIONS = table_schema(
    left=pa.string(),
    right=pa.string(),  # two classifiers
    measure=pa.string(),  # "cohen_kappa" where they give the same labels, else "cramers_v"
    texts=pa.int64(),  # that both labelled and neither was trained on
    value=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
)

GROUP_TESTS = table_schema(
    classifier=pa.string(),
    groups=pa.int64(),
    texts=pa.int64(),
    chi_square=pa.float64(),  # divided by the design effect
    design_effect=pa.float64(),  # how much less texts of one document say than independent ones, 1 or more
    degrees_of_freedom=pa.int64(),
    p_value=pa.float64(),
    p_holm=pa.float64(),  # corrected for the number of classifiers
    cramers_v=pa.float64(),
    low=pa.float64(),  # of Cramér's V
    high=pa.float64(),
)

EXAMPLES = table_schema(
    classifier=pa.string(),
    certainty=pa.string(),  # "most" or "least"
    id=pa.string(),  # of a text
    label=pa.string(),
    probability=pa.float64(),
    runner_up=pa.string(),  # the next label
    runner_up_probability=pa.float64(),
)

LANGUAGES = table_schema(
    language=pa.string(),  # ISO 639-1, as detected
    texts=pa.int64(),  # long and plain enough to tell
)

FITNESS = table_schema(
    classifier=pa.string(),
    # "no_label" and "several_windows", and where the config says what the classifier was made for
    # "other_language", "too_short" and "too_long"
    check=pa.string(),
    texts=pa.int64(),
    of=pa.int64(),  # texts that the check could be made on
)

STATISTICS = {
    "label_shares": LABEL_SHARES,
    "divergences": DIVERGENCES,
    "quality": QUALITY,
    "confusion": CONFUSION,
    "calibration": CALIBRATION,
    "associations": ASSOCIATIONS,
    "group_tests": GROUP_TESTS,
    "examples": EXAMPLES,
    "languages": LANGUAGES,
    "fitness": FITNESS,
}
