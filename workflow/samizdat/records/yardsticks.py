"""The schema of `statistics/yardsticks.parquet`."""

import pyarrow as pa

from samizdat.records.io import table_schema

# `statistics/yardsticks.parquet`: what other programs need for the held-out texts, to compare the models with. Each
# text ends with one more sign.
YARDSTICKS = table_schema(
    yardstick=pa.string(),  # "xz", "xz_after_training" or "ngram"
    read_bytes=pa.int64(),  # of the training texts; 0 for "xz"
    training_bytes=pa.int64(),  # of all training texts, in UTF-8
    held_out_bytes=pa.int64(),  # of the held-out texts that were read, in UTF-8
    bits_per_byte=pa.float64(),  # bits for the held-out texts, divided by their bytes
)
