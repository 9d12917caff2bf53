"""Classifiers without training: a language model reads some texts with their labels, then a text, and says which label.

As in Brown et al., Language Models are Few-Shot Learners, NeurIPS 2020, with the contextual calibration of Zhao et al.,
Calibrate Before Use, ICML 2021.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.checkpoints.windows import Window, numbered
from samizdat.classifiers.outputs import scores_of
from samizdat.classifiers.shared_prefix import SharedPrefixModel
from samizdat.classifiers.text_scores import Reading, TextScore, WindowsRead, completed
from samizdat.records.classifiers import SINGLE_LABEL, ClassifierCard, ShownExamples
from samizdat.records.io import read_document

EXAMPLES_FILE = "examples.json"
# What is between an example and the next.
BETWEEN = "\n\n"
# Texts that say nothing of any label (Zhao et al., section 4.2).
CONTENT_FREE = ("N/A", "[MASK]", "")


@dataclass(frozen=True)
class Prompt:
    """What a language model reads before and after a text, in tokens."""

    before: list[int]
    blank: str  # between what is before and the text; it is cut into tokens with the text
    after: list[int]
    words: list[list[int]]  # that may follow: one for each label

    @property
    def beside(self) -> int:
        """The largest number of tokens beside a text's own."""
        return len(self.before) + len(self.after) + max(map(len, self.words))


def make_prompt(
    tokenizer: PreTrainedTokenizerFast, template: str, shown: ShownExamples, words: Sequence[str]
) -> Prompt:
    """Cut into tokens what is before and after each text.

    Args:
        tokenizer: the model's.
        template: a text and its label, with {} in the place of each.
        shown: the examples.
        words: what stands for each label.

    Raises:
        UserError: nothing is before a text, or a word has no token.
    """
    first, second, _ = template.split("{}")
    done = [first + text + second + word + BETWEEN for text, word in zip(shown.texts, shown.words, strict=True)]
    before = "".join(done) + first
    # A blank belongs to the word behind it, in the vocabularies of most models.
    start, end = before.rstrip(" "), second.rstrip(" ")
    begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    encoded, after, *found = encode(tokenizer, [start, end, *(second[len(end) :] + word for word in words)])
    if not begin + encoded:
        raise UserError(
            "the model has no token for the beginning of a text, and `template` begins with the text",
            remedy="begin `template` with a word, such as “Text: {}”",
        )
    if unread := [word for word, tokens in zip(words, found, strict=True) if not tokens]:
        raise UserError(
            f"the model's tokenizer finds no token in the label {unread[0]!r}",
            remedy="name the label by another word in `label_names` of the classifier",
        )
    return Prompt(begin + encoded, before[len(start) :], after, found)


def score_by_examples(
    texts: Iterable[str],
    folder: Path,
    card: ClassifierCard,
    device: Device,
    dtype: torch.dtype,
    reading: Reading,
    shown: ShownExamples | None = None,
) -> Iterator[list[TextScore]]:
    """Score texts batch by batch; a text without a token gets no score.

    A text costs its own tokens and those of the template: the examples are read once. The other arguments are those of
    `text_scores.score`.

    Args:
        shown: examples to read in place of the classifier's.
    """
    shown = shown or read_document(ShownExamples, folder / EXAMPLES_FILE)
    tokenizer = load_tokenizer(folder)
    prompt = make_prompt(tokenizer, card.template, shown, card.words)
    model = SharedPrefixModel(folder, device, dtype, prompt.before, prompt.words)
    behind = len(prompt.after) + model.tail
    longest = reading.max_length_tokens + behind
    most = reading.few_shot_batch_tokens(device)
    prior = log_prior(model, tokenizer, prompt, max(most, longest))
    parts: dict[int, WindowsRead] = {}
    windows = text_windows(tokenizer, prompt, texts, reading.max_length_tokens, reading.overlap_tokens)
    for batch, found in model.log_likelihoods(windows, max(most, longest), reading.threads):
        # The windows of a text are weighted by its own tokens.
        own = [replace(window, tokens=window.tokens[: len(window.tokens) - behind]) for window in batch.windows]
        yield completed(own, scores_of(SINGLE_LABEL, found - prior), parts)


def log_prior(
    model: SharedPrefixModel, tokenizer: PreTrainedTokenizerFast, prompt: Prompt, batch_tokens: int
) -> np.ndarray:
    """Compute how probable each word is after texts that say nothing, as logarithms `[words]`.

    Args:
        model: after its beginning.
        tokenizer: its own.
        prompt: what is around a text.
        batch_tokens: of a batch.
    """
    encoded = encode(tokenizer, [prompt.blank + text for text in CONTENT_FREE])
    windows = [Window(place, 1, tokens + prompt.after) for place, tokens in enumerate(encoded) if tokens + prompt.after]
    found = np.concatenate([values for _, values in model.log_likelihoods(windows, batch_tokens, 1)])
    mean: np.ndarray = np.log(scores_of(SINGLE_LABEL, found).mean(axis=0))
    return mean


def text_windows(
    tokenizer: PreTrainedTokenizerFast,
    prompt: Prompt,
    texts: Iterable[str],
    max_length_tokens: int,
    overlap_tokens: int,
) -> Iterator[Window]:
    """Cut texts into windows of `max_length_tokens` tokens, each with what is behind a text; an empty text has none."""
    step = max_length_tokens - overlap_tokens
    for start, some in numbered(texts):
        for text, tokens in enumerate(encode(tokenizer, [prompt.blank + one for one in some]), start=start):
            if not some[text - start]:
                continue
            starts = range(0, max(1, len(tokens) - overlap_tokens), step)
            for part, first in enumerate(starts):
                own = tokens[first : first + max_length_tokens]
                yield Window(text, len(starts), own + prompt.after, part=part)
