"""The schemas of `statistics/sample_quality.parquet` and `statistics/copies.parquet`."""

import pyarrow as pa

# What samples are worth. Of a prompted sample only the continuation counts; held-out texts longer than the longest
# sample are cut into pieces, some of which are drawn.
SAMPLE_QUALITY = pa.schema(
    {
        "subset": pa.string(),  # "samples" or "held_out", the baseline
        "model": pa.string(),  # null for the baseline, as are the next three
        "percent": pa.int16(),
        "temperature": pa.float32(),
        "begun_with": pa.string(),  # as in DIVERGENCES
        # "distinct_1" to "distinct_3", "self_bleu", "loop_share", "length_words", "known_word_share",
        # "copy_characters", "copied_ngram_share", "closeness", "told_apart_area"
        "metric": pa.string(),
        "units": pa.int64(),  # texts behind the value, or blocks of words
        "value": pa.float64(),
        "low": pa.float64(),
        "high": pa.float64(),
        "real_value": pa.float64(),  # of "closeness": what as many training texts reach, else null
        "p_value": pa.float64(),  # of "told_apart_area", else null
    }
)

COPIES = pa.schema(
    {
        "subset": pa.string(),  # "samples" or "held_out"
        "id": pa.string(),  # of a sample or a text
        "begin": pa.int64(),  # where the searched passage begins in it, and how long that is, in characters
        "characters": pa.int64(),
        "copy_characters": pa.int64(),  # the longest run that stands in a training text too
        "copy_begin": pa.int64(),  # where it begins in the sample or text; null without one, as are the next three
        "text_id": pa.string(),  # the training text,
        "text_offset": pa.int64(),  # where it begins there,
        "passage": pa.string(),  # and the run itself
        "ngrams": pa.int64(),  # runs of four words,
        "copied_ngrams": pa.int64(),  # and how many of them stand in the training texts
    }
)
