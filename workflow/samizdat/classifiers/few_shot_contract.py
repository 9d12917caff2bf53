"""The contract of a few-shot classifier: the sums of transformers, the same alone and next to other texts."""

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.sources import first_line
from samizdat.checkpoints.windows import Window
from samizdat.classifiers.contract import BATCH_TOKENS, FAILURES, LONGEST_TOKENS, SENTENCES, first_difference
from samizdat.classifiers.few_shot import Prompt, make_prompt, text_windows
from samizdat.classifiers.shared_prefix import SharedPrefixModel
from samizdat.records.classifiers import ClassifierCard, ShownExamples

_REMEDY = "name a checkpoint of another architecture, such as GPT-2, Llama or Qwen"


def check_few_shot(
    folder: Path, tokenizer: PreTrainedTokenizerFast, card: ClassifierCard, shown: ShownExamples
) -> None:
    """Compute how probable the words are after some texts: by transformers one by one, and as this program does.

    All is computed on the CPU in float32. There a text alone and in company must have the same bits.

    Args:
        folder: the classifier as it was written.
        tokenizer: of the checkpoint, before it was written.
        card: the classifier.
        shown: its examples.

    Raises:
        UserError: the model can't read the texts, or gives one another number alone, together or in transformers.
    """
    prompt = make_prompt(load_tokenizer(folder), card.template, shown, card.words)
    if prompt != make_prompt(tokenizer, card.template, shown, card.words):
        raise UserError(
            f"the tokenizer of {card.origin} gives other tokens after it was written and loaded again",
            remedy="name a checkpoint whose tokenizer.json is of the class that its tokenizer_config.json names",
        )
    longest = min(card.max_length_tokens, LONGEST_TOKENS)
    texts = [SENTENCES[0], SENTENCES[-1], " ".join(SENTENCES * longest)[: 20 * longest]]
    windows = [*text_windows(tokenizer, prompt, texts, longest, 0)]
    first = {window.text: window for window in reversed(windows)}
    windows = [Window(place, 1, window.tokens) for place, window in enumerate(first.values())]
    try:
        expected = _by_transformers(folder, prompt, windows)
        model = SharedPrefixModel(
            folder, Device("cpu", "cpu", "float32", int8=False), torch.float32, prompt.before, prompt.words
        )
        batch_tokens = max(BATCH_TOKENS, longest + len(prompt.after) + model.tail)
        together = _scores(model, windows, batch_tokens)
        alone = np.concatenate([_scores(model, [window], batch_tokens) for window in windows])
    except FAILURES as error:
        raise UserError(
            f"{card.origin} can't read texts after one beginning: {first_line(error)}", remedy=_REMEDY
        ) from None
    if found := first_difference(alone, together, expected):
        place, word, numbers = found
        raise UserError(
            f"{card.origin} gives the word {card.words[word]!r} after {len(windows[place].tokens)} tokens of text the "
            f"log-probability {numbers}",
            remedy=_REMEDY,
        )


@torch.inference_mode()
def _by_transformers(folder: Path, prompt: Prompt, windows: list[Window]) -> np.ndarray:
    """Compute the log-probability of each word after each text, with all before it in one call each."""
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    ).eval()
    found = np.empty((len(windows), len(prompt.words)), np.float32)
    for place, window in enumerate(windows):
        for number, word in enumerate(prompt.words):
            tokens = torch.tensor([[*prompt.before, *window.tokens, *word]])
            said = model(input_ids=tokens).logits[0, -len(word) - 1 : -1].log_softmax(dim=-1)
            found[place, number] = said.gather(1, torch.tensor(word)[:, None]).sum()
    return found


def _scores(model: SharedPrefixModel, windows: list[Window], batch_tokens: int) -> np.ndarray:
    """Compute the log-probabilities of the words after texts together, `[texts, words]` in their order."""
    found: dict[int, np.ndarray] = {}
    for batch, values in model.log_likelihoods(windows, batch_tokens, 1):
        found |= {window.text: mine for window, mine in zip(batch.windows, values, strict=True)}
    return np.stack([found[window.text] for window in windows])
