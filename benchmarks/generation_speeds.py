"""Measure new tokens per second of our generation, of transformers' pipeline and of its `generate` in batches."""

import copy
import time
from collections.abc import Callable

import transformers
from record import Figure, middle
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.checkpoints.encoding import encode
from samizdat.checkpoints.packed import pack_linear_layers
from samizdat.samples.engine import Request, write_texts
from samizdat.samples.letters import Letters
from samizdat.samples.token_choice import Recipe

BEGINNINGS = (
    "The movie", "I bought this", "I love", "The government said that", "It was", "After all these years", "No",
    "My friends and I have been waiting for",
)  # fmt: skip
DRAWING = {"top_p": 0.95, "repetition_penalty": 1.1}
NEVER = -1  # no token has this number, so every text gets its full length


def as_loaded(model: GPT2LMHeadModel) -> GPT2LMHeadModel:
    """Return a model as the step that writes samples loads it."""
    own = copy.deepcopy(model)
    pack_linear_layers(own)
    return own


def speeds(
    model: GPT2LMHeadModel,
    tokenizer: PreTrainedTokenizerFast,
    *,
    samples: int,
    piped: int,
    tokens: int,
    batch: int,
    slots: int,
    repeats: int,
    reaches: tuple[float, float],
) -> dict[str, Figure]:
    """Measure new tokens per second of the three, from text to text, and our speed divided by the others'.

    Args:
        model: in evaluation mode, on its device.
        tokenizer: the model's.
        samples: number of texts that ours and `generate` write.
        piped: number of texts that the pipeline writes, one by one.
        tokens: new tokens of each text.
        batch: texts in a batch of `generate`.
        slots: texts that ours writes at once.
        repeats: measurements of ours and of `generate`, in turns.
        reaches: the targets of the two ratios: against the pipeline, and against `generate`.
    """
    own = as_loaded(model)
    prompts = [BEGINNINGS[number % len(BEGINNINGS)] for number in range(samples)]
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
    options = {
        "do_sample": True, "temperature": 1.0, "top_k": 0, **DRAWING, "max_new_tokens": tokens,
        "min_new_tokens": tokens, "pad_token_id": tokenizer.eos_token_id,
    }  # fmt: skip
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer, device=model.device)

    def by_pipeline() -> int:
        for prompt in prompts[:piped]:
            pipe(tokenizer.eos_token + prompt, **options)
        return piped

    def batched() -> int:
        for start in range(0, samples, batch):
            some = [tokenizer.eos_token + prompt for prompt in prompts[start : start + batch]]
            inputs = tokenizer(some, return_tensors="pt", padding=True).to(model.device)
            tokenizer.batch_decode(model.generate(**inputs, **options), skip_special_tokens=True)
        return samples

    def ours() -> int:
        recipe = Recipe(top_k=0, **DRAWING, no_repeat_ngram=0, max_new_tokens=tokens, slots=slots)
        encoded = [(tokenizer.eos_token_id, *tokens) for tokens in encode(tokenizer, prompts)]
        requests = [Request(tokens, 1.0, number) for number, tokens in enumerate(encoded)]
        letters = Letters.of(tokenizer, model.config.vocab_size)
        for text in write_texts(own, requests, recipe, boundary=NEVER, letters=letters):
            tokenizer.decode(text.tokens)
        return samples

    pipe(prompts[0], **options | {"max_new_tokens": 4, "min_new_tokens": 4})
    rate_piped = rates(by_pipeline, 1, tokens)
    # In turns, so that a busy minute of the machine slows down both.
    pairs = [(rates(batched, 1, tokens)[0], rates(ours, 1, tokens)[0]) for _ in range(repeats)]
    rate_batched, rate_ours = ([pair[side] for pair in pairs] for side in (0, 1))
    return {
        "pipeline_tokens_per_second": middle('new tokens a second, `pipeline("text-generation")`', rate_piped),
        "batched_tokens_per_second": middle(f"new tokens a second, `model.generate`, batch {batch}", rate_batched),
        "tokens_per_second": middle("new tokens a second, ours", rate_ours),
        "against_pipeline": middle("ours ÷ pipeline", [rate / rate_piped[0] for rate in rate_ours], reaches[0]),
        "against_batched": middle("ours ÷ batched, in turns", [own / theirs for theirs, own in pairs], reaches[1]),
    }


def rates(write_samples: Callable[[], int], times: int, tokens: int) -> list[float]:
    """Return new tokens per second of each measurement."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        written = write_samples()
        found.append(written * tokens / (time.perf_counter() - started))
    return found
