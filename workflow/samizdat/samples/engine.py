"""Texts from a causal language model: many at once, each with random numbers of its own."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from transformers import GPT2LMHeadModel

from samizdat.checkpoints.side_by_side import one_thread
from samizdat.samples.cached_gpt2 import Decoder
from samizdat.samples.letters import WHOLE, Letters
from samizdat.samples.token_choice import DRAWS, PROBABILITY_BITS, Recipe, choose

# The length of a cache is a multiple of this: most texts of a call then have caches of one shape.
CACHE_STEP = 64


@dataclass(frozen=True)
class Request:
    """A text to be written."""

    prompt: tuple[int, ...]  # token ids, the boundary first
    temperature: float  # 0: always the most probable token
    seed: int


@dataclass(frozen=True)
class Continuation:
    """What a model wrote after a prompt."""

    tokens: list[int]  # without the boundary
    finished: bool  # whether the model ended the text itself


class _Waiting(NamedTuple):
    """A text that is to be written."""

    number: int  # the request's
    request: Request
    limit: int  # new tokens at most


@dataclass
class _Slot:
    """A text that is being written."""

    number: int  # the request's
    request: Request
    limit: int  # new tokens at most
    numbers: np.ndarray  # random numbers, [limit, DRAWS]
    read: int = 0  # tokens that the model has read
    written: list[int] = field(default_factory=list)
    letter: int = WHOLE  # how far its last letter is spelled: a state of `Letters`

    @property
    def reads_prompt(self) -> bool:
        """Whether the model has not read the whole prompt yet."""
        return self.read < len(self.request.prompt)

    def next_token(self) -> int:
        """Return what the model reads now: a token of the prompt, then what it wrote last."""
        return self.request.prompt[self.read] if self.reads_prompt else self.written[-1]


class _Drawn(NamedTuple):
    """A token of a text."""

    number: int  # the request's
    token: int
    last: bool  # whether the text ends with it


class _Texts:
    """The texts of a call. Each is written by one thread, and all threads write at the same time."""

    def __init__(self, count: int, boundary: int, progress: Callable[[int], object]):
        self._tokens: list[list[int]] = [[] for _ in range(count)]
        self._finished = [False] * count
        self._boundary, self._progress, self._lock = boundary, progress, threading.Lock()

    def add(self, drawn: _Drawn) -> None:
        """Append a token to its text."""
        if drawn.token == self._boundary:
            self._finished[drawn.number] = True
        else:
            self._tokens[drawn.number].append(drawn.token)
        if drawn.last:
            with self._lock:
                self._progress(1)

    def continuations(self) -> list[Continuation]:
        """Return the texts in the order of the requests."""
        return [Continuation(tokens, done) for tokens, done in zip(self._tokens, self._finished, strict=True)]


def write_texts(
    model: GPT2LMHeadModel,
    requests: Sequence[Request],
    recipe: Recipe,
    *,
    boundary: int,
    letters: Letters | None = None,
    progress: Callable[[int], object] = lambda texts: None,
) -> list[Continuation]:
    """Continue every prompt until the model writes the boundary token, or to the recipe's length.

    Every bit of a text depends on its own prompt, temperature and seed and on the recipe; not on the other texts, their
    order, or the number of threads. For its random numbers come from its own seed, and every operation has a shape that
    the recipe and the prompt determine. On a CPU each thread writes texts of its own, so that no thread waits for
    another one inside a matrix product.

    Args:
        model: in evaluation mode, on its device.
        requests: prompts shorter than the model's context.
        recipe: how tokens are drawn, in the order of `transformers.generate`: repetition penalty, n-grams,
            temperature, top-k, top-p.
        boundary: the token that ends a text.
        letters: the tokens that may follow a part of a letter; None where each token has whole letters.
        progress: called with the number of texts that were finished since the last call.

    Returns:
        Continuations in the order of the requests.
    """
    texts, stop = _Texts(len(requests), boundary, progress), threading.Event()
    letters = letters and letters.to(model.device)

    def write(length: int, waiting: Iterator[_Waiting]) -> None:
        decoder = Decoder(model, recipe.slots, length)
        for drawn in _write_in_slots(decoder, waiting, recipe, boundary, letters):
            texts.add(drawn)
            if stop.is_set():
                return

    threads = torch.get_num_threads() if model.device.type == "cpu" else 1
    jobs: list[Callable[[], None]] = []
    for length, some in _by_length(model, requests, recipe):
        # The threads share one iterator: taking the next item of a list's iterator is atomic.
        jobs += [partial(write, length, iter(some))] * min(threads, -(-len(some) // recipe.slots))
    with one_thread(model.device.type):
        _run(jobs, threads, stop)
    return texts.continuations()


def _run(jobs: Sequence[Callable[[], None]], threads: int, stop: threading.Event) -> None:
    """Run jobs in several threads; after a failure, set `stop`, so that the others end."""
    if threads == 1:
        for job in jobs:
            job()
        return
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            for running in [pool.submit(job) for job in jobs]:
                running.result()
        finally:
            stop.set()


def stream_text(
    model: GPT2LMHeadModel, request: Request, recipe: Recipe, *, boundary: int, letters: Letters | None = None
) -> Iterator[int]:
    """Yield the tokens of one text, the same as `write_texts` writes, each as soon as it is drawn.

    Args:
        model: in evaluation mode, on its device.
        request: the prompt, shorter than the model's context.
        recipe: how tokens are drawn.
        boundary: the token that ends a text, which is not yielded.
        letters: as for `write_texts`.
    """
    letters = letters and letters.to(model.device)
    with one_thread(model.device.type):
        for length, waiting in _by_length(model, [request], recipe):
            decoder = Decoder(model, recipe.slots, length)
            for drawn in _write_in_slots(decoder, iter(waiting), recipe, boundary, letters):
                if drawn.token != boundary:
                    yield drawn.token


def _by_length(
    model: GPT2LMHeadModel, requests: Sequence[Request], recipe: Recipe
) -> Iterator[tuple[int, list[_Waiting]]]:
    """Yield lengths of caches, in tokens, each with the texts that need a cache of that length."""
    context = model.config.n_positions
    limits = [min(recipe.max_new_tokens, context - len(request.prompt)) for request in requests]

    def cache_tokens(number: int) -> int:
        needed = len(requests[number].prompt) + limits[number] - 1
        return int(min(-(-needed // CACHE_STEP) * CACHE_STEP, context))

    for length, numbers in groupby(sorted(range(len(requests)), key=cache_tokens), key=cache_tokens):
        yield length, [_Waiting(number, requests[number], limits[number]) for number in numbers]


def _random_numbers(request: Request, tokens: int) -> np.ndarray:
    return np.random.default_rng(request.seed).integers(2**PROBABILITY_BITS, size=(tokens, DRAWS))


def _write_in_slots(
    decoder: Decoder, waiting: Iterator[_Waiting], recipe: Recipe, boundary: int, letters: Letters | None
) -> Iterator[_Drawn]:
    """Yield each token as it is drawn.

    When a text ends, the next one begins in its slot, and its prompt is read token by token: no slot is left empty
    while texts are waiting.
    """
    device = decoder.device
    rows = torch.arange(recipe.slots, device=device)
    history = torch.zeros((recipe.slots, decoder.cache_tokens), dtype=torch.long, device=device)
    slots: list[_Slot | None] = [None] * recipe.slots
    while True:
        for place, slot in enumerate(slots):
            if slot is None and (begun := next(waiting, None)):
                # Random numbers of all texts at once could be gigabytes.
                slots[place] = _Slot(*begun, _random_numbers(begun.request, begun.limit))
                # What is not yet written counts as the prompt's first token, which is in the text anyway.
                history[place] = begun.request.prompt[0]
        if not any(slots):
            return
        # An empty slot reads token 0 at position 0, and what it draws is not used.
        state = torch.tensor([(slot.next_token(), slot.read) if slot else (0, 0) for slot in slots]).to(device)
        tokens, positions = state.unbind(1)
        history[rows, positions] = tokens
        logits = decoder.step(tokens, positions, max(slot.read for slot in slots if slot))
        for slot in slots:
            if slot:
                slot.read += 1
        if all(slot is None or slot.reads_prompt for slot in slots):
            continue
        chosen = _choose(logits, history, positions + 1, slots, recipe, letters)
        for place, (slot, token) in enumerate(zip(slots, chosen, strict=True)):
            if slot is None or slot.reads_prompt:
                continue
            slot.written.append(token)
            slot.letter = letters.after(slot.letter, token) if letters else WHOLE
            last = token == boundary or len(slot.written) == slot.limit
            if last:
                slots[place] = None
            yield _Drawn(slot.number, token, last)


def _choose(
    logits: torch.Tensor,
    history: torch.Tensor,
    lengths: torch.Tensor,
    slots: Sequence[_Slot | None],
    recipe: Recipe,
    letters: Letters | None,
) -> list[int]:
    """Draw the next token of each slot; that of a slot which is empty or reads its prompt has no meaning.

    Args:
        logits: `[slots, vocabulary]`.
        history: the texts so far, `[slots, tokens of the cache]`.
        lengths: tokens of each text so far, `[slots]`.
        slots: the texts.
        recipe: how tokens are drawn.
        letters: which tokens may follow.
    """
    unused = np.zeros(DRAWS, np.int64)
    numbers = np.stack([slot.numbers[len(slot.written)] if slot else unused for slot in slots])
    temperatures = [slot.request.temperature if slot else 1.0 for slot in slots]
    if letters:
        left = [slot.limit - len(slot.written) - 1 if slot else 0 for slot in slots]
        logits = letters.forbid(logits, [slot.letter if slot else WHOLE for slot in slots], left)
    return choose(logits, history, lengths, temperatures, numbers, recipe)
