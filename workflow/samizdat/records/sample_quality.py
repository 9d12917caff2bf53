"""The schemas of `statistics/sample_quality.parquet` and `statistics/copies.parquet`."""

import pyarrow as pa

from samizdat.records.io import table_schema

# `statistics/sample_quality.parquet`: samples compared with held-out texts.
# Only the continuation of a prompted sample is measured. Held-out texts that are longer than the longest sample are cut
# into pieces, some of which are drawn.
SAMPLE_QUALITY = table_schema(
    subset=pa.string(),  # "samples" or "held_out" (the baseline)
    model=pa.string(),  # null for the baseline, like the next three
    percent=pa.int16(),
    temperature=pa.float32(),
    begun_with=pa.string(),  # as in `records.statistics.DIVERGENCES`
    # "distinct_1" to "distinct_3", "self_bleu", "loop_share", "length_words", "known_word_share",
    # "copy_characters", "copied_ngram_share", "closeness", "character_closeness" (where the encoder can't read the
    # texts), "told_apart_area"; of the baseline also "unread_token_share", the tokens that the encoder doesn't know
    metric=pa.string(),
    units=pa.int64(),  # texts that the value was computed from, or blocks of words
    value=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
    real_value=pa.float64(),  # for both kinds of closeness: the value of as many training texts; else null
    # For "told_apart_area", "copied_ngram_share" and "copy_characters" of samples begun with nothing: of no difference
    # from held-out texts. Null with too few documents, and else.
    p_value=pa.float64(),
    # Range of the value over the model's trainings with all seeds; null where there is one training.
    seeds_low=pa.float64(),
    seeds_high=pa.float64(),
)

# `statistics/copies.parquet`: the longest run of each sample, and of each held-out text, that a training text has too.
COPIES = table_schema(
    subset=pa.string(),  # "samples" or "held_out"
    id=pa.string(),  # of the sample or text
    begin=pa.int64(),  # where the measured passage begins in it, in code points
    # Lengths are in letters as readers see them (grapheme clusters), where white space in a row is one; places are in
    # code points.
    characters=pa.int64(),  # length of that passage
    copy_characters=pa.int64(),  # length of its longest run that a training text has too; 0 without one
    copy_begin=pa.int64(),  # where that run begins in the sample or text; null without one, like the next five
    copy_end=pa.int64(),  # where it ends there
    text_id=pa.string(),  # the training text
    text_begin=pa.int64(),  # where the run begins in the training text
    text_end=pa.int64(),  # where it ends there
    passage=pa.string(),  # the run itself, as the sample or text has it
    ngrams=pa.int64(),  # runs of four words in the passage
    copied_ngrams=pa.int64(),  # how many of them the training texts have too
)
