"""The contract of a classifier, tested when it is imported: a text's score is the same alone and next to others."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.sources import first_line
from samizdat.checkpoints.windows import Window, split_into_windows
from samizdat.classifiers.scoring_model import ScoringModel

SENTENCES = (
    "Rain.", "The old house by the river is empty.", "Nikdo nevěděl, proč včera večer přišel tak pozdě domů.",
    "Все письма лежали на столе.", "これは新しい本です。", "What a day! I could not have been happier, he said.",
)  # fmt: skip
# Windows of the test are at most this long: longer ones take seconds each.
LONGEST_TOKENS = 512
BATCH_TOKENS = 1024
# Sums in another order give other last bits: of a score's size, or of 1 where it is smaller.
TOLERANCE = 1e-3
# What libraries raise when a model can't read a batch.
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ImportError)


def check_contract(
    folder: Path, tokenizer: PreTrainedTokenizerFast, labels: Sequence[str], max_length_tokens: int, origin: str
) -> None:
    """Score texts of mixed length by transformers one by one, and as this program does, alone and together.

    All is computed on the CPU in float32. There a text alone and in company must have the same bits.

    Args:
        folder: the classifier as it was imported.
        tokenizer: of the checkpoint, before it was written.
        labels: of the checkpoint, in order.
        max_length_tokens: the length of a window.
        origin: where the checkpoint comes from.

    Raises:
        UserError: the model can't read the texts, or gives one another score alone, together or in transformers.
    """
    longest = min(max_length_tokens, LONGEST_TOKENS)
    windows = _windows(load_tokenizer(folder), longest)
    if windows != _windows(tokenizer, longest):
        raise UserError(
            f"the tokenizer of {origin} gives other tokens after it was written and loaded again",
            remedy="name a checkpoint whose tokenizer.json is of the class that its tokenizer_config.json names",
        )
    if not windows:
        raise UserError(
            f"the tokenizer of {origin} finds no token in texts of four languages",
            remedy="name a checkpoint that has the tokenizer that it was trained with",
        )
    try:
        expected = _by_transformers(folder, windows)
        model = ScoringModel(folder, Device("cpu", "cpu", "float32", int8=False), torch.float32)
        together = _scores(model, windows, longest)
        alone = np.stack([_scores(model, [window], longest)[0] for window in windows])
    except FAILURES as error:
        raise UserError(
            f"{origin} can't score texts in batches: {first_line(error)}",
            remedy="name a checkpoint of another architecture, such as BERT, XLM-R or ModernBERT",
        ) from None
    if found := first_difference(alone, together, expected):
        place, label, numbers = found
        raise UserError(
            f"{origin} gives a text of {len(windows[place].tokens)} tokens for {labels[label]!r} the score {numbers}",
            remedy="name a checkpoint of another architecture, such as BERT, XLM-R or ModernBERT, whose score of a "
            "text depends on this text alone",
        )


def first_difference(alone: np.ndarray, together: np.ndarray, expected: np.ndarray) -> tuple[int, int, str] | None:
    """Find the first score that depends on the texts that are read with it, or that isn't the one of transformers.

    Args:
        alone: scores of each text read alone, `[texts, columns]`.
        together: scores of the same texts, read together.
        expected: their scores by transformers; the others may differ by TOLERANCE of the largest of a text, or of 1.

    Returns:
        Text, column, and both numbers in words; None where there is no such score.
    """
    bound = TOLERANCE * np.abs(expected).max(axis=1, keepdims=True).clip(min=1)
    for words, one, other, differs in (
        ("alone and {:.6g} next to other texts", alone, together, ~(alone == together)),
        ("from transformers and {:.6g} from this program", expected, alone, ~(np.abs(expected - alone) <= bound)),
    ):
        if differs.any():
            text, column = map(int, np.argwhere(differs)[0])
            return text, column, f"{one[text, column]:.6g} {words.format(other[text, column])}"
    return None


def _windows(tokenizer: PreTrainedTokenizerFast, longest: int) -> list[Window]:
    """Make windows of mixed length, the first ones of their texts: of one sentence, of some, and as long as can be."""
    some = [" ".join(SENTENCES[:number]) for number in range(2, len(SENTENCES) + 1)]
    whole = " ".join(SENTENCES * longest)[: 20 * longest]
    first: dict[int, Window] = {}
    for window in split_into_windows(tokenizer, [*SENTENCES, *some, whole, whole[9:]], longest, 0):
        first.setdefault(window.text, window)
    return [Window(place, 1, window.tokens, window.types) for place, window in enumerate(first.values())]


@torch.inference_mode()
def _by_transformers(folder: Path, windows: list[Window]) -> np.ndarray:
    """Compute the logits of each window in a call of its own, `[windows, labels]`."""
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    ).eval()

    def logits() -> Iterator[np.ndarray]:
        for window in windows:
            inputs = {"input_ids": torch.tensor([window.tokens])}
            if window.types is not None:
                inputs["token_type_ids"] = torch.tensor([window.types])
            yield model(**inputs).logits[0].numpy()

    return np.stack(list(logits()))


def _scores(model: ScoringModel, windows: list[Window], longest: int) -> np.ndarray:
    """Compute the logits of windows together, `[windows, labels]` in their order."""
    found: dict[int, np.ndarray] = {}
    for batch, logits in model.logits(windows, max(BATCH_TOKENS, longest), longest, 1):
        found |= {window.text: values for window, values in zip(batch.windows, logits, strict=True)}
    return np.stack([found[window.text] for window in windows])
