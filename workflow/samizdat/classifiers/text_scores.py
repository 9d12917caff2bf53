"""The scores of texts, from the scores of their windows: a fast number format first, then float32 for close calls."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import torch

from samizdat.base.device import Device, enough_memory
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.windows import LENGTHS, LONG_BATCH_TOKENS, Window, split_into_windows
from samizdat.classifiers.outputs import close_calls, scores_of
from samizdat.classifiers.scoring_model import loaded_once
from samizdat.records.classifiers import ClassifierCard

# On a GPU a batch of close calls has at most this many tokens: close calls are few, and would not fill a large batch.
CLOSE_BATCH_TOKENS = 2048
# With examples, on a GPU: each token is compared with each token of the beginning, in each head.
FEW_SHOT_BATCH_TOKENS = 8192
# So many tokens of close calls are put off: 80 MB.
MOST_CLOSE_TOKENS = 2_000_000

AnyWindow = TypeVar("AnyWindow", bound=Window)


# Tokens of a batch with `auto`: on a CPU so many that what each batch costs is small, on a GPU as many as it computes
# while the next batch is started.
BATCH_TOKENS = {"cpu": 2048, "cuda": 65536, "mps": 16384}


@dataclass(frozen=True)
class ClassificationSettings:
    """The keys of `classification` in the config, where each is explained."""

    max_length_tokens: int
    window_overlap_tokens: int
    batch_tokens: int | Literal["auto"]
    precision: str
    abstain_below: float


class Reading(NamedTuple):
    """In which pieces texts are read."""

    max_length_tokens: int  # the length of a window
    overlap_tokens: int  # how many tokens of a window the next one repeats
    batch_tokens: int
    threads: int  # batches that a CPU computes at once

    @classmethod
    def of(cls, settings: ClassificationSettings, device: Device, threads: int) -> "Reading":
        """Take the lengths of the config; a batch that is left open suits the device, and has room for a window."""
        suits = max(BATCH_TOKENS[device.kind], settings.max_length_tokens)
        batch = suits if settings.batch_tokens == "auto" else settings.batch_tokens
        return cls(settings.max_length_tokens, settings.window_overlap_tokens, batch, threads)

    def close_batch_tokens(self, device: Device) -> int:
        """Return the tokens of a batch of close calls."""
        return self.batch_tokens if device.kind == "cpu" else min(CLOSE_BATCH_TOKENS, self.batch_tokens)

    def few_shot_batch_tokens(self, device: Device) -> int:
        """Return the tokens of a batch that is read after examples."""
        return self.batch_tokens if device.kind == "cpu" else min(FEW_SHOT_BATCH_TOKENS, self.batch_tokens)

    def enough_memory(self, device: Device, *, few_shot: bool) -> AbstractContextManager[None]:
        """Return `device.enough_memory` for batches; its error says what to write for batches of half as many tokens.

        Args:
            device: where they are computed.
            few_shot: whether they are read after examples.
        """
        most = self.few_shot_batch_tokens(device) if few_shot else self.batch_tokens
        what, half = f"{most} tokens at once", most // 2
        if not few_shot and self.max_length_tokens > LENGTHS["cpu"][-1] and most > LONG_BATCH_TOKENS:
            # Which of the batches was too large is not known.
            what, half = f"{what} ({LONG_BATCH_TOKENS} of long texts)", LONG_BATCH_TOKENS // 2
        shorter = ", and classification.max_length_tokens no higher" if half < self.max_length_tokens else ""
        remedy = f"set classification.batch_tokens to {half} in the config{shorter}"
        return enough_memory(device, what, remedy=remedy)


class TextScore(NamedTuple):
    """What a classifier says of one text."""

    text: int  # the text's number
    windows: int  # how many windows it was read in
    scores: np.ndarray  # [labels], float32: probabilities, or the one number that it gives


class WindowsRead:
    """Those windows of a text that have been read, in the order of the text: many texts may wait for their last one."""

    def __init__(self, windows: int, labels: int):
        """Make room for a text's windows."""
        self.tokens = np.zeros(windows)
        self.scores = np.zeros((windows, labels), np.float32)
        self.left = windows


def score(
    texts: Iterable[str],
    folder: Path,
    card: ClassifierCard,
    device: Device,
    dtype: torch.dtype,
    reading: Reading,
) -> Iterator[list[TextScore]]:
    """Score texts batch by batch; a text without a token gets no score.

    Close calls are read again in float32 when everything has been read once, or when they have MOST_CLOSE_TOKENS.
    Their batches have fixed shapes, too, so the scores of a window still depend on the window alone.

    Args:
        texts: what to score.
        folder: the classifier's checkpoint and tokenizer.
        card: the classifier.
        device: where to compute.
        dtype: of weights and products in the first reading.
        reading: in which pieces.

    Yields:
        The scores of the texts whose last window was in the batch.
    """
    tokenizer, longest = load_tokenizer(folder), reading.max_length_tokens
    parts: dict[int, WindowsRead] = {}
    close: list[Window] = []
    model_in = loaded_once(folder, device)

    def read(windows: Iterable[Window], dtype: torch.dtype, batch_tokens: int) -> Iterator[list[TextScore]]:
        for batch, logits in model_in(dtype).logits(windows, batch_tokens, longest, reading.threads):
            undecided = close_calls(card.kind, logits, dtype)
            close.extend(window for window, again in zip(batch.windows, undecided, strict=True) if again)
            decided = [window for window, again in zip(batch.windows, undecided, strict=True) if not again]
            yield completed(decided, scores_of(card.kind, logits[~undecided]), parts)

    yield from with_close_calls(
        read(split_into_windows(tokenizer, texts, longest, reading.overlap_tokens), dtype, reading.batch_tokens),
        close,
        lambda windows: read(windows, torch.float32, reading.close_batch_tokens(device)),
    )


def with_close_calls(
    first: Iterator[list[TextScore]],
    close: list[AnyWindow],
    again: Callable[[list[AnyWindow]], Iterator[list[TextScore]]],
) -> Iterator[list[TextScore]]:
    """Read close calls again when everything has been read once, or when they have MOST_CLOSE_TOKENS.

    Args:
        first: the scores of the first reading, which adds its close calls to `close`.
        close: the close calls that are put off.
        again: reads windows again.
    """
    counted = tokens = 0
    for scores in first:
        yield scores
        tokens += sum(len(window.tokens) for window in close[counted:])
        counted = len(close)
        if tokens >= MOST_CLOSE_TOKENS:
            put_off, counted, tokens = close.copy(), 0, 0
            close.clear()
            yield from again(put_off)
    if close:
        yield from again(close.copy())


def completed(windows: list[Window], scores: np.ndarray, parts: dict[int, WindowsRead]) -> list[TextScore]:
    """Score the texts that these windows complete; the windows of other texts are added to `parts`, by text."""
    completed = []
    for window, found in zip(windows, scores, strict=True):
        if window.windows_of_text == 1:
            completed.append(TextScore(window.text, 1, found))
            continue
        if window.text not in parts:
            parts[window.text] = WindowsRead(window.windows_of_text, len(found))
        mine = parts[window.text]
        mine.tokens[window.part], mine.scores[window.part] = len(window.tokens), found
        mine.left -= 1
        if not mine.left:
            del parts[window.text]
            completed.append(TextScore(window.text, len(mine.tokens), mean_of_windows(mine.tokens, mine.scores)))
    return completed


def mean_of_windows(tokens: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Average the scores of a text's windows, weighted by their lengths; those of a single window stay bit for bit.

    Args:
        tokens: length of each window, float64; in the order of the text, so that the order in which batches came can't
            change a sum.
        scores: `[windows, labels]`, float32.
    """
    if len(scores) == 1:
        only: np.ndarray = scores[0]
        return only
    mean: np.ndarray = tokens @ scores.astype(np.float64) / tokens.sum()
    return mean.astype(np.float32)
