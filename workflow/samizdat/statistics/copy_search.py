"""What passages have in common with the training texts: the longest copy, runs of four words, known words."""

import pandas as pd

from samizdat.base import stage
from samizdat.measures.copies import Copies, known_words
from samizdat.measures.words import letters


def find_copies(passages: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """Search the training texts for what passages share with them.

    Args:
        passages: `subset`, `id`, `begin`, `own` and its `words`.
        training: `id` and `text`, with an index from 0.

    Returns:
        The columns of `records.sample_quality.COPIES` and `known_words`: how many words of a passage the training
        texts have.
    """
    of_words, of_runs = known_words(passages["words"].tolist(), training["text"])
    index = Copies(training["text"])
    rows = []
    searched = stage.progress("copies", len(passages), "texts", items=passages["own"])
    for text, begin in zip(searched, passages["begin"], strict=True):
        match = index.longest(text)
        rows.append(
            (
                len(letters(text)), match.letters, begin + match.start, begin + match.end,
                training["id"][match.training_text], match.training_start, match.training_end,
                text[match.start : match.end],
            )
            if match
            else (len(letters(text)), 0, *[None] * 6)
        )  # fmt: skip
    columns = [
        "characters",
        "copy_characters",
        "copy_begin",
        "copy_end",
        "text_id",
        "text_begin",
        "text_end",
        "passage",
    ]
    places = dict.fromkeys(("copy_begin", "copy_end", "text_begin", "text_end"), "Int64")
    frame = pd.DataFrame(rows, columns=columns).astype(places)
    return frame.assign(
        subset=passages["subset"], id=passages["id"], begin=passages["begin"], ngrams=of_runs[:, 1],
        copied_ngrams=of_runs[:, 0], known_words=of_words[:, 0],
    )  # fmt: skip
