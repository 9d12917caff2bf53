"""Classifiers without training: a model of natural-language inference says which statements follow from a text.

For each label there is a statement, such as “This text is about rain.”. The model reads pairs of a text and a statement
(Yin, Hay and Roth, Benchmarking Zero-shot Text Classification, EMNLP 2019), as the pipeline of transformers does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from transformers import PreTrainedConfig, PreTrainedTokenizerFast

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import backend_of, load_tokenizer
from samizdat.checkpoints.windows import Window, numbered
from samizdat.classifiers.outputs import entailment_close_calls, entailment_scores
from samizdat.classifiers.scoring_model import loaded_once
from samizdat.classifiers.text_scores import Reading, TextScore, mean_of_windows, with_close_calls
from samizdat.records.classifiers import ClassifierCard


def entailment_outputs(config: PreTrainedConfig, origin: str) -> list[int]:
    """Find which outputs say that a statement follows from a text, and that it contradicts the text.

    Args:
        config: of the checkpoint.
        origin: where the checkpoint comes from.

    Raises:
        UserError: no output is called entailment.
    """
    names = {int(number): str(label).casefold() for number, label in (config.id2label or {}).items()}
    entailment = next((number for number, label in names.items() if label.startswith("entail")), None)
    if entailment is None:
        raise UserError(
            f"{origin} is no model of natural-language inference: none of its labels {[*names.values()]} is entailment",
            remedy="name a checkpoint that was trained on MNLI, XNLI or the like",
        )
    # Where no label is called so, it is the one at the other end, as in the pipeline.
    other = len(names) - 1 if entailment == 0 else 0
    return [entailment, next((number for number, label in names.items() if label.startswith("contradict")), other)]


def refuse_long_statements(
    tokenizer: PreTrainedTokenizerFast, hypotheses: Sequence[str], max_length_tokens: int, name: str
) -> None:
    """Refuse statements that leave a text less than half of a window.

    Raises:
        UserError: they do.
    """
    asked = backend_of(tokenizer).encode_batch(list(hypotheses), add_special_tokens=False)
    left = _room(tokenizer, asked, max_length_tokens)
    if left * 2 <= max_length_tokens:
        raise UserError(
            f"the labels of the classifier {name!r} in its template have up to {max(map(len, asked))} tokens, so of "
            f"max_length_tokens {max_length_tokens} only {left} are left for a text",
            remedy="shorten `template` or `labels`, or raise max_length_tokens of this classifier in the config",
        )


@dataclass(frozen=True, kw_only=True)
class _Pair(Window):
    """A part of a text with a statement."""

    label: int


@dataclass
class _Waiting:
    """A text some of whose pairs are not yet computed."""

    tokens: np.ndarray  # of each window, without statements
    pairs: list[list[_Pair]]  # of each window with each statement, until all have been read once
    logits: np.ndarray  # [windows, labels, outputs]
    left: int = field(init=False)  # how many pairs

    def __post_init__(self) -> None:
        self.left = self.logits.shape[0] * self.logits.shape[1]


def score_by_statements(
    texts: Iterable[str],
    folder: Path,
    card: ClassifierCard,
    device: Device,
    dtype: torch.dtype,
    reading: Reading,
) -> Iterator[list[TextScore]]:
    """Score texts batch by batch, each with every statement; a text without a token gets no score.

    A text is cut into tokens once, for all statements. Statements between which it is a close call are read with it
    again, in float32, when everything has been read once, or when they have MOST_CLOSE_TOKENS. The arguments are
    those of `text_scores.score`.
    """
    waiting: dict[int, _Waiting] = {}
    close: list[_Pair] = []
    model_in = loaded_once(folder, device)

    def all_pairs() -> Iterator[_Pair]:
        tokenizer = load_tokenizer(folder)
        asked = backend_of(tokenizer).encode_batch(card.hypotheses, add_special_tokens=False)
        room = _room(tokenizer, asked, reading.max_length_tokens)
        for text, parts in _premises(backend_of(tokenizer), texts, room, reading.overlap_tokens):
            pairs = [
                [_pair(tokenizer, text, (place, part), one) for one in enumerate(asked)]
                for place, part in enumerate(parts)
            ]
            tokens = np.array([len(part) for part in parts], np.float64)
            logits = np.empty((len(parts), len(asked), max(card.entailment) + 1), np.float32)
            waiting[text] = _Waiting(tokens, pairs, logits)
            yield from (pair for some in pairs for pair in some)

    def read(pairs: Iterable[_Pair], dtype: torch.dtype, batch_tokens: int) -> Iterator[list[TextScore]]:
        for batch, logits in model_in(dtype).logits(pairs, batch_tokens, reading.max_length_tokens, reading.threads):
            completed = []
            for pair, values in zip(cast("list[_Pair]", batch.windows), logits, strict=True):
                mine = waiting[pair.text]
                mine.logits[pair.part, pair.label] = values[: mine.logits.shape[-1]]
                mine.left -= 1
                if mine.left:
                    continue
                again = np.argwhere(entailment_close_calls(card, mine.logits, dtype)).tolist()
                close.extend(mine.pairs[part][label] for part, label in again)
                mine.pairs.clear()  # in float32 nothing is a close call
                mine.left = len(again)
                if not again:
                    del waiting[pair.text]
                    found = entailment_scores(card, mine.logits)
                    completed.append(TextScore(pair.text, len(found), mean_of_windows(mine.tokens, found)))
            yield completed

    yield from with_close_calls(
        read(all_pairs(), dtype, reading.batch_tokens),
        close,
        lambda pairs: read(pairs, torch.float32, reading.close_batch_tokens(device)),
    )


def _room(tokenizer: PreTrainedTokenizerFast, asked: Sequence[Encoding], max_length_tokens: int) -> int:
    """Return how many tokens of a text a window has beside the longest statement."""
    return max_length_tokens - tokenizer.num_special_tokens_to_add(pair=True) - max(map(len, asked))


def _premises(
    backend: Tokenizer, texts: Iterable[str], room: int, overlap_tokens: int
) -> Iterator[tuple[int, list[Encoding]]]:
    """Cut texts into windows, without special tokens; a text without a token has none."""
    for start, some in numbered(texts):
        encoded = backend.encode_batch(some, add_special_tokens=False)
        for text, one in enumerate(encoded, start=start):
            if one.ids:
                one.truncate(room, stride=overlap_tokens)
                yield text, [one, *one.overflowing]


def _pair(
    tokenizer: PreTrainedTokenizerFast, text: int, part: tuple[int, Encoding], statement: tuple[int, Encoding]
) -> _Pair:
    """Join a numbered part of a text and a numbered statement, with the special tokens of a pair."""
    both = tokenizer.backend_tokenizer.post_process(part[1], statement[1])
    told = "token_type_ids" in tokenizer.model_input_names and any(both.type_ids)
    return _Pair(text, 1, both.ids, both.type_ids if told else None, part=part[0], label=statement[0])
