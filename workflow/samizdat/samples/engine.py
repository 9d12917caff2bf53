"""Texts from a causal language model: many at once, each with a random stream of its own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch
from transformers import GPT2LMHeadModel

from samizdat.samples.decoder import Decoder
from samizdat.samples.draws import (
    DRAWS,
    PROBABILITY_BITS,
    ban_repeated_ngrams,
    draw,
    keep_most_probable,
    penalise_repetition,
)

# Caches are as long as the next multiple of this: one shape for most texts of a call.
CACHE_STEP = 64


@dataclass(frozen=True)
class Request:
    """A text to be written."""

    prompt: tuple[int, ...]  # token ids, the boundary first
    temperature: float  # 0: always the most probable token
    seed: int


@dataclass(frozen=True)
class Continuation:
    """What was written behind a prompt."""

    tokens: list[int]  # without the boundary
    finished: bool  # whether the model ended the text itself


@dataclass(frozen=True)
class Recipe:
    """How the next token is drawn; the same for all texts of a call."""

    top_k: int  # 0: off
    top_p: float  # 1: off
    repetition_penalty: float  # 1: off
    no_repeat_ngram: int  # 0: off
    max_new_tokens: int
    slots: int  # texts at once, on a CPU by each thread


@dataclass
class _Slot:
    """A text that is being written."""

    number: int  # the request's
    request: Request
    limit: int  # new tokens at most
    numbers: np.ndarray  # random numbers, [limit, DRAWS]
    read: int = 0  # tokens that the model has read
    written: list[int] = field(default_factory=list)

    def next_token(self) -> int:
        """What the model is to read now: a token of the prompt, then what it wrote last."""
        prompt = self.request.prompt
        return prompt[self.read] if self.read < len(prompt) else self.written[-1]


def write_texts(
    model: GPT2LMHeadModel,
    requests: Sequence[Request],
    recipe: Recipe,
    *,
    boundary: int,
    progress: Callable[[int], object] = lambda texts: None,
) -> list[Continuation]:
    """Continue every prompt until the model writes the boundary token, or to the recipe's length.

    A text depends, bit for bit, on its own prompt, temperature and seed and on the recipe, not on who else is
    written, in which order, or by how many threads: its random numbers come from its own seed, and every operation
    has a shape that the recipe and its own prompt fix. On a CPU each thread writes texts of its own, so that none
    waits for another inside of a matrix product.

    Args:
        model: in evaluation mode, on its device.
        requests: prompts shorter than the model's context.
        recipe: how tokens are drawn, in the order of `transformers.generate`: repetition penalty, n-grams,
            temperature, top-k, top-p.
        boundary: the token that ends a text.
        progress: told how many texts were finished.

    Returns:
        Continuations in the order of the requests.
    """
    texts: list[list[int]] = [[] for _ in requests]
    finished = [False] * len(requests)
    told, stop = threading.Lock(), threading.Event()

    def write(length: int, waiting: Iterator[_Slot]) -> None:
        decoder = Decoder(model, recipe.slots, length)
        for number, token, ended in _write_in_slots(decoder, waiting, recipe, boundary, model.device):
            if token == boundary:
                finished[number] = True
            else:
                texts[number].append(token)
            if ended:
                with told:
                    progress(1)
            if stop.is_set():
                return

    workers = torch.get_num_threads() if model.device.type == "cpu" else 1
    jobs = []
    for length, slots in _by_length(model, requests, recipe):
        # Taking the next item of a list's iterator is one step, whichever thread does it.
        jobs += [(length, iter(slots))] * min(workers, -(-len(slots) // recipe.slots))
    with _one_thread(model.device):
        if workers == 1:
            for job in jobs:
                write(*job)
        else:
            with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                try:
                    for writing in [pool.submit(write, *job) for job in jobs]:
                        writing.result()
                finally:
                    stop.set()
    return [Continuation(tokens, done) for tokens, done in zip(texts, finished, strict=True)]


def stream_text(model: GPT2LMHeadModel, request: Request, recipe: Recipe, *, boundary: int) -> Iterator[int]:
    """The tokens of one text, as `write_texts` writes it, each as soon as it is drawn; without the boundary."""
    with _one_thread(model.device):
        for length, slots in _by_length(model, [request], recipe):
            decoder = Decoder(model, recipe.slots, length)
            for _, token, _ in _write_in_slots(decoder, iter(slots), recipe, boundary, model.device):
                if token != boundary:
                    yield token


def _by_length(
    model: GPT2LMHeadModel, requests: Sequence[Request], recipe: Recipe
) -> Iterator[tuple[int, list[_Slot]]]:
    """The texts to be written by the length of the cache that they need, in tokens."""
    context = model.config.n_positions
    limits = [min(recipe.max_new_tokens, context - len(request.prompt)) for request in requests]

    def cache_tokens(number: int) -> int:
        needed = len(requests[number].prompt) + limits[number] - 1
        return min(-(-needed // CACHE_STEP) * CACHE_STEP, context)

    for length, numbers in groupby(sorted(range(len(requests)), key=cache_tokens), key=cache_tokens):
        yield (
            length,
            [
                _Slot(number, requests[number], limits[number], _random_numbers(requests[number], limits[number]))
                for number in numbers
            ],
        )


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """On a CPU, a thread computes alone: threads that share a product cut it by its shape, and equal rows differ."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _random_numbers(request: Request, tokens: int) -> np.ndarray:
    return np.random.default_rng(request.seed).integers(2**PROBABILITY_BITS, size=(tokens, DRAWS))


def _write_in_slots(
    decoder: Decoder, waiting: Iterator[_Slot], recipe: Recipe, boundary: int, device: torch.device
) -> Iterator[tuple[int, int, bool]]:
    """Each token as it is drawn: the request's number, the token, and whether it was the text's last.

    Every slot is kept busy: where a text ends the next one begins, and its prompt is read token by token.
    """
    rows = torch.arange(recipe.slots, device=device)
    history = torch.zeros((recipe.slots, decoder.cache_tokens), dtype=torch.long, device=device)
    slots: list[_Slot | None] = [None] * recipe.slots
    while True:
        for place, slot in enumerate(slots):
            if slot is None and (begun := next(waiting, None)):
                slots[place] = begun
                # What is not yet written counts as the prompt's first token, which stands in the text anyway.
                history[place] = begun.request.prompt[0]
        if not any(slots):
            return
        # An empty slot reads token 0 at place 0, and what it draws is thrown away.
        state = torch.tensor([(slot.next_token(), slot.read) if slot else (0, 0) for slot in slots]).to(device)
        tokens, positions = state.unbind(1)
        history[rows, positions] = tokens
        logits = decoder.step(tokens, positions, max(slot.read for slot in slots if slot))
        drawing = [slot is not None and slot.read + 1 >= len(slot.request.prompt) for slot in slots]
        for slot in slots:
            if slot:
                slot.read += 1
        if not any(drawing):
            continue
        chosen = _choose(logits, history, positions + 1, slots, recipe)
        for place, (slot, token) in enumerate(zip(slots, chosen, strict=True)):
            if not drawing[place]:
                continue
            slot.written.append(token)
            ended = token == boundary or len(slot.written) == slot.limit
            if ended:
                slots[place] = None
            yield slot.number, token, ended


@torch.inference_mode()
def _choose(
    logits: torch.Tensor, history: torch.Tensor, lengths: torch.Tensor, slots: Sequence[_Slot | None], recipe: Recipe
) -> list[int]:
    """The next token of each slot; without meaning for one that is empty or still reads its prompt."""
    nothing = np.zeros(DRAWS, np.int64)
    numbers = np.stack([slot.numbers[len(slot.written)] if slot else nothing for slot in slots])
    temperatures = torch.tensor([[slot.request.temperature if slot else 1.0] for slot in slots]).to(logits.device)
    scores = penalise_repetition(logits, history, recipe.repetition_penalty)
    scores = ban_repeated_ngrams(scores, history, lengths, recipe.no_repeat_ngram)
    greedy = temperatures == 0
    warmed = keep_most_probable(scores / temperatures.masked_fill(greedy, 1), recipe.top_k)
    chosen = draw(warmed.softmax(dim=1), recipe.top_p, torch.from_numpy(numbers).to(logits.device))
    if any(slot is not None and slot.request.temperature == 0 for slot in slots):
        chosen = torch.where(greedy[:, 0], scores.argmax(dim=1), chosen)
    return chosen.tolist()
