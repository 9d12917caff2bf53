"""Name the yardsticks of the models, and say what they need for a byte of the held-out texts."""

from samizdat.base.language import message, numeral, say
from samizdat.reporting.run import Run

# Yardstick → its name in the figure.
YARDSTICKS = {
    "xz": message("xz alone"),
    "xz_after_training": message("xz after training texts"),
    "ngram": message("n-gram model"),
}


def compared_with_yardsticks(run: Run, bits: float) -> str:
    """Say what a compressor and an n-gram model need, and whether the latter needs less than the model."""
    needed = {name: numeral(row["bits_per_byte"], ".2f") for name, row in run.yardsticks.items()}
    ngram = run.yardsticks["ngram"]
    megabytes = numeral(ngram["read_bytes"] / 1e6, ".0f")
    part = say(" (their last {megabytes}\u00a0MB)", megabytes=megabytes)
    whole = next(iter(run.tokenizers.values())).utf8_bytes["test"]
    of_some = say(
        "They were measured on {megabytes}\u00a0MB of the held-out texts, drawn at random.",
        megabytes=numeral(ngram["held_out_bytes"] / 1e6, ".0f"),
    )
    return say(
        "For comparison: the compression program xz needs {xz}, and {xz_after_training} if it has read the training "
        "texts{part}; an n-gram model of the same texts, which only counts what follows the last five bytes, needs "
        "{ngram}{beaten}.",
        part=part if ngram["read_bytes"] < ngram["training_bytes"] else "",
        beaten=say(", fewer than the GPT-2") if ngram["bits_per_byte"] < bits else "",
        **needed,
    ) + (f" {of_some}" if ngram["held_out_bytes"] < whole else "")
