"""The continuation of one prompt, in pieces as it grows."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base.errors import UserError
from samizdat.samples.checkpoint import prompt_tokens, text_of
from samizdat.samples.engine import Request, stream_text
from samizdat.samples.letters import Letters
from samizdat.samples.token_choice import Recipe

# A decoded text may end within a character, or within a line end: such an end is not shown yet.
_UNDECIDED = "\ufffd\r"


def continuation(
    model: GPT2LMHeadModel,
    tokenizer: PreTrainedTokenizerFast,
    prompt: str,
    recipe: Recipe,
    *,
    temperature: float,
    seed: int,
) -> Iterator[str]:
    """Yield a prompt, and then each piece that the model adds to it.

    Args:
        model: in evaluation mode, on its device.
        tokenizer: the model's.
        prompt: how the text begins.
        recipe: how tokens are drawn.
        temperature: 0: always the most probable token.
        seed: random seed of the text.

    Raises:
        UserError: the prompt is longer than the model's context.
    """
    (tokens,) = prompt_tokens(tokenizer, [prompt])
    context = model.config.n_positions
    if len(tokens) >= context:
        # Of the context the boundary before the prompt and the last token that is written take one place each.
        raise UserError(
            f"the prompt has {len(tokens) - 1} tokens; the model can continue at most {context - 2}",
            remedy="shorten it",
        )
    letters = Letters.of(tokenizer, model.config.vocab_size)
    request = Request(tokens, temperature, seed)
    written = stream_text(model, request, recipe, boundary=tokenizer.eos_token_id, letters=letters)
    yield prompt
    # After the prompt as the tokenizer reads it, which may have other characters.
    yield from islice(pieces(tokenizer, tokens[1:], written), 1, None)


def pieces(tokenizer: PreTrainedTokenizerFast, prompt: Sequence[int], written: Iterable[int]) -> Iterator[str]:
    """Yield what a text grows by, token by token, in whole characters; the prompt first."""
    tokens = list(prompt)
    text = text_of(tokenizer, tokens)
    yield text
    shown = len(text)
    for token in written:
        tokens.append(token)
        text = text_of(tokenizer, tokens)
        whole = text.rstrip(_UNDECIDED)
        if len(whole) > shown:
            yield whole[shown:]
            shown = len(whole)
    yield text[shown:]
