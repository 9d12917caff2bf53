"""The passages that are judged: what a model wrote itself, and held-out texts cut to the lengths of samples."""

from collections.abc import Iterator

import numpy as np
import pandas as pd


def own_passages(samples: pd.DataFrame) -> pd.DataFrame:
    """Add to samples what the model itself wrote (`own`), where that begins (`begin`), `subset` and `document`."""
    begins = [
        len(prompt) if text.startswith(prompt) else 0
        for prompt, text in zip(samples["prompt"], samples["text"], strict=True)
    ]
    own = [text[begin:] for text, begin in zip(samples["text"], begins, strict=True)]
    return samples.assign(subset="samples", document=samples["id"], begin=begins, own=own)


def draw_passages(texts: pd.DataFrame, longest: int, number: int, random: np.random.Generator) -> pd.DataFrame:
    """Draw at most `number` passages at random from texts that people wrote.

    Args:
        texts: `id`, `document` and `text`.
        longest: a text of more characters is cut into pieces, between words where it can be.
        number: how many texts or pieces to draw.
        random: what draws them.

    Returns:
        `id`, `document`, `begin` and `own` of each, and `subset`, which is "held_out".
    """
    rows = [
        (key, document, begin, text[begin:end])
        for key, document, text in zip(texts["id"], texts["document"], texts["text"], strict=True)
        for begin, end in _cuts(text, longest)
    ]
    drawn = random.permutation(len(rows))[:number]
    frame = pd.DataFrame([rows[place] for place in drawn], columns=["id", "document", "begin", "own"])
    return frame.assign(subset="held_out")


def _cuts(text: str, longest: int) -> Iterator[tuple[int, int]]:
    begin = 0
    while len(text) - begin > longest:
        blank = text.rfind(" ", begin + 1, begin + longest)
        end = blank if blank > 0 else begin + longest
        yield begin, end
        begin = end
    yield begin, len(text)
